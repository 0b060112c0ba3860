"""Values that come together, as numbers: many millions of them are looked at for the rows of one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
