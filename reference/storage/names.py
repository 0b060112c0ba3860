"""Sorted names: a page of them costs as much as the page, however many there are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

#: What names are sorted by.
Key = Callable[[str], Any]


class Names(Sequence[str]):
    """A part of a sorted list as it was at one time; no part of it is copied."""

    __slots__ = ("_names", "_start", "_stop", "key")

    def __init__(self, names: list[str], key: Key, start: int = 0, stop: int | None = None) -> None:
        self._names, self.key, self._start = names, key, start
        self._stop = len(names) if stop is None else stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[str]:
        return (self._names[position] for position in range(self._start, self._stop))

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return self._names[self._start : self._stop][index]
            return Names(self._names, self.key, self._start + start, self._start + max(start, stop))
        return self._names[range(self._start, self._stop)[index]]

    def __contains__(self, name: object) -> bool:
        at = bisect_left(self._names, self.key(str(name)), self._start, self._stop, key=self.key)
        return at < self._stop and self._names[at] == name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it equals a list, which has none

    def __repr__(self) -> str:
        return repr(list(self))

    def after(self, last: str) -> Names:
        """The names behind a position, which need not be a name itself."""
        start = bisect_right(self._names, self.key(last), self._start, self._stop, key=self.key)
        return Names(self._names, self.key, start, self._stop)


class Index:
    """Names that come and go; who was given them before keeps them as they were."""

    def __init__(self, names: Iterable[str], key: Key) -> None:
        self._names = sorted(names, key=key)
        self._key = key
        self._given = False

    def __len__(self) -> int:
        return len(self._names)

    def names(self) -> Names:
        """All of them."""
        self._given = True
        return Names(self._names, self._key)

    def add(self, name: str) -> None:
        """Put a name in its place, where it is not there."""
        at = bisect_left(self._names, self._key(name), key=self._key)
        if at == len(self._names) or self._names[at] != name:
            self._own().insert(at, name)

    def discard(self, name: str) -> None:
        """Take a name out, where it is there."""
        at = bisect_left(self._names, self._key(name), key=self._key)
        if at < len(self._names) and self._names[at] == name:
            del self._own()[at]

    def _own(self) -> list[str]:
        if self._given:
            self._names, self._given = self._names.copy(), False
        return self._names


def by_tag(tag: str) -> tuple[str, str]:
    """Without regard to case, as OCI 1.0 and 1.1 want; capitals first among equals."""
    return tag.lower(), tag


def by_name(name: str) -> str:
    """By the bytes."""
    return name


def ordered(names: Sequence[str], key: Key) -> Sequence[str]:
    """The names sorted by a key; what is sorted by it already is no work."""
    return names if isinstance(names, Names) and names.key is key else sorted(names, key=key)


def behind(names: Sequence[str], last: str | None, key: Key) -> Sequence[str]:
    """The names behind a position, which need not be a name itself."""
    if last is None:
        return names
    if isinstance(names, Names) and names.key is key:
        return names.after(last)
    return [name for name in names if key(name) > key(last)]
