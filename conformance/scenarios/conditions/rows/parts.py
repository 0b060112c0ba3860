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
        #: The bits of all values of a dimension that have one, by its id.
        self._dimensions: dict[str, Mask] = {}
        self._names: dict[Mask, str] = {}

    def of(self, each: tuple[str, str]) -> Mask:
        """Return the bit of a value."""
        bit = self._bits.get(each)
        if bit is None:
            bit = self._bits[each] = 1 << len(self._bits)
            self._dimensions[each[0]] = self._dimensions.get(each[0], 0) | bit
            self._names[bit] = each[0]
        return bit

    def mask(self, row: Mapping[str, str]) -> Mask:
        """Return the bits of a row, or of a part of one."""
        return sum(map(self.of, row.items()))

    def dimension(self, name: str) -> Mask:
        """Return the bits that the values of a dimension have so far."""
        return self._dimensions.get(name, 0)

    def dimensions(self, row: Mask) -> Mask:
        """Return the bits of all values of the dimensions of which a row, or a part of one, has a value."""
        return sum(self._dimensions[self._names[each]] for each in single(row))


class Hiding:
    """Tells which parts of a row are of no use there, as another value of the row hides what they would show."""

    def __init__(self, bits: Bits, hides: Mapping[tuple[str, str], Collection[str]]) -> None:
        self._bits = bits
        self._hides = {bits.of(each): tuple(names) for each, names in hides.items()}
        self._hiding = sum(self._hides)

    def hidden(self, row: Mask) -> dict[Mask, Mask]:
        """Return the values of a row that are hidden there, each with the values that hide it."""
        found: dict[Mask, Mask] = {}
        for each in single(row & self._hiding):
            for name in self._hides[each]:
                if own := row & self._bits.dimension(name):
                    found[own] = found.get(own, 0) | each
        return found

    def touched(self, changed: Mask, *rows: Mask) -> Mask:
        """Return the bits of some dimensions, and of those that are hidden by a value that rows have of them."""
        found = changed
        for row in rows:
            for each in single(row & self._hiding & found):
                for name in self._hides[each]:
                    found |= self._bits.dimension(name)
        return found


def shown(part: Mask, hidden: Mapping[Mask, Mask]) -> bool:
    """Tell whether nothing of a part is hidden by a value that is no part of it."""
    return not hidden or all(not part & own or not hiding & ~part for own, hiding in hidden.items())


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
