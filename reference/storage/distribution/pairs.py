"""What leads to a digest in a repository, where files tell it the other way round only."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable

#: What is kept; beyond it, repositories that were not asked for the longest time are read again.
_MOST_PAIRS = 1_000_000
_MOST_REPOSITORIES = 1000

#: A digest, and the tag or the manifest that leads to it.
Pair = tuple[str, str]


class _Known:
    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.size = 0
        self.leading: defaultdict[str, set[str]] = defaultdict(set)
        for pair in pairs:
            self.change(pair, is_there=True)

    def change(self, pair: Pair, is_there: bool) -> None:
        to, entry = pair
        before = len(self.leading[to])
        (self.leading[to].add if is_there else self.leading[to].discard)(entry)
        self.size += len(self.leading[to]) - before
        if not self.leading[to]:
            del self.leading[to]


class Pairs:
    """Read once for each repository, in any thread, and kept up to date by who changes it."""

    def __init__(self, read: Callable[[str], Iterable[Pair]]) -> None:
        self._read = read
        self._known: OrderedDict[str, _Known] = OrderedDict()
        #: What changed while a repository is read, and whether it is there now.
        self._changes: dict[str, list[tuple[Pair, bool]]] = {}
        self._guard = threading.Lock()
        self._reading = threading.Lock()

    async def load(self, name: str) -> None:
        """Read those of a repository outside the event loop, where they are not known."""
        with self._guard:
            if name in self._known:
                return
        await asyncio.to_thread(self._load, name)

    def _load(self, name: str) -> None:
        with self._reading:
            with self._guard:
                if name in self._known:
                    return
                self._changes[name] = []
            try:
                known = _Known(self._read(name))
                with self._guard:
                    for pair, is_there in self._changes[name]:
                        known.change(pair, is_there)
                    self._known[name] = known
                    while len(self._known) > 1 and self._is_too_much():
                        self._known.popitem(last=False)
            finally:
                with self._guard:
                    del self._changes[name]

    def _is_too_much(self) -> bool:
        return len(self._known) > _MOST_REPOSITORIES or sum(each.size for each in self._known.values()) > _MOST_PAIRS

    def to(self, name: str, digest: str) -> list[str]:
        """What leads to a digest, in any order; it is read on the spot where nobody loaded it."""
        while True:
            with self._guard:
                if (known := self._known.get(name)) is not None:
                    self._known.move_to_end(name)
                    return list(known.leading.get(digest, ()))
            self._load(name)

    def note(self, name: str, to: str, entry: str, is_there: bool) -> None:
        """Tell that something leads to a digest now, or no longer does."""
        with self._guard:
            if (known := self._known.get(name)) is not None:
                known.change((to, entry), is_there)
            if (changes := self._changes.get(name)) is not None:
                changes.append(((to, entry), is_there))
