"""Values that come together, as numbers: many millions of them are looked at for the rows of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations

#: Values of different dimensions, each a bit of its own.
Mask = int


class Bits:
    """Gives each value of a dimension a bit."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, str], Mask] = {}

    def of(self, each: tuple[str, str]) -> Mask:
        """Return the bit of a value."""
        return self._bits.get(each) or self._bits.setdefault(each, 1 << len(self._bits))

    def mask(self, row: Mapping[str, str]) -> Mask:
        """Return the bits of a row, or of a part of one."""
        return sum(map(self.of, row.items()))


class Hiding:
    """Tells which parts of a row are of no use there, as another value of the row hides what they would show."""

    def __init__(self, bits: Bits, hides: Mapping[tuple[str, str], Collection[str]]) -> None:
        self._bits = bits
        self._hides = hides

    def hidden(self, row: Mapping[str, str]) -> dict[Mask, Mask]:
        """Return the values of a row that are hidden there, each with the values that hide it."""
        found: dict[Mask, Mask] = {}
        for each in row.items():
            for name in self._hides.get(each, ()):
                if name in row:
                    own = self._bits.of((name, row[name]))
                    found[own] = found.get(own, 0) | self._bits.of(each)
        return found

    def touched(self, names: Iterable[str], *rows: Mapping[str, str]) -> list[str]:
        """Return some dimensions, and those that are hidden by a value that rows have of them."""
        found = dict.fromkeys(names)
        for row in rows:
            for name in [*found]:
                found |= dict.fromkeys(self._hides.get((name, row[name]), ()))
        return [*found]


def shown(part: Mask, hidden: Mapping[Mask, Mask]) -> bool:
    """Tell whether nothing of a part is hidden by a value that is no part of it."""
    return all(not part & own or not hiding & ~part for own, hiding in hidden.items())


def single(mask: Mask) -> Iterator[Mask]:
    """Give each bit of a mask."""
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest


def parts(own: Mask, others: Iterable[Mask], together: int) -> Iterator[Mask]:
    """Give each part of so many values that has a value of its own and others beside it."""
    for chosen in combinations(others, together - 1):
        yield own + sum(chosen)


class Parts:
    """A set of parts of so many values each, which tells quickly how many of them a row has."""

    def __init__(self, together: int, masks: Iterable[Mask] = ()) -> None:
        self._together = together
        #: By all values of a part but one: the values that make it whole.
        self._rest: dict[Mask, Mask] = {}
        for mask in masks:
            self.add(mask)

    def __contains__(self, mask: Mask) -> bool:
        last = mask & -mask
        return bool(self._rest.get(mask ^ last, 0) & last)

    def copy(self) -> Parts:
        """Return a set of its own with the same parts."""
        made = Parts(self._together)
        made._rest = self._rest.copy()
        return made

    def add(self, mask: Mask) -> None:
        """Add a part."""
        for bit in single(mask):
            self._rest[mask ^ bit] = self._rest.get(mask ^ bit, 0) | bit

    def discard(self, mask: Mask) -> None:
        """Take a part out if it is there."""
        if mask in self:
            for bit in single(mask):
                self._rest[mask ^ bit] ^= bit

    def beside(self, value: Mask, row: Mask) -> int:
        """Return how many parts a value makes with the values of a row that does not have it."""
        if self._together == 1:
            return value in self
        if self._together == 2:
            return (self._rest.get(value, 0) & row).bit_count()
        others = parts(value, single(row), self._together - 1)
        found = sum((self._rest.get(some, 0) & row).bit_count() for some in others)
        return found // (self._together - 1)

    def within(self, row: Mask) -> int:
        """Return how many parts a row has."""
        return sum(self.beside(value, row ^ value) for value in single(row)) // self._together
