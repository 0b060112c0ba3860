"""Fewer and cheaper rows that bring the same values together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from conformance.scenarios.conditions.rows.cover import Possible, Row
from conformance.scenarios.conditions.rows.parts import Bits, Hiding, Mask, Parts, parts, shown, single

#: How much a value matters, of a dimension by its id.
Weight = Callable[[tuple[str, str]], float]
#: What a row brings together that no other does, up to which it is tried to have the others bring it.
MOST_OWN = 14


class Fewer:
    """Rows that are changed as long as what they bring together stays the same.

    ``together`` is how many values come together; of the dimensions in ``looks``, no two do. ``values`` has each that
    a row may be given.
    """

    def __init__(
        self,
        rows: Sequence[dict[str, str]],
        together: int,
        looks: Collection[str],
        possible: Possible,
        *,
        hides: Mapping[tuple[str, str], Collection[str]],
        values: Iterable[tuple[str, str]],
    ) -> None:
        self.rows = list(rows)
        self._together = together
        self._possible = possible
        self._bits = Bits()
        for value in values:
            self._bits.of(value)
        self._hiding = Hiding(self._bits, hides)
        #: The bits of each row, by its ``id()``.
        self._masks = {id(row): self._bits.mask(row) for row in self.rows}
        self._looks = sum(self._bits.dimension(name) for name in looks)
        #: In how many rows values come together, and those that do in one alone.
        self._counts: Counter[Mask] = Counter()
        self._once = Parts(together)
        for mask in self._masks.values():
            self._count(self._parts(mask, mask), 1)

    def _parts(self, row: Mask, some: Mask) -> Iterator[Mask]:
        """Give what a row brings together with some of its values."""
        hidden = self._hiding.hidden(row)
        for own in single(row & some):
            row ^= own
            for part in parts(own, single(row), self._together):
                if (part & self._looks).bit_count() < 2 and shown(part, hidden):
                    yield part

    def _count(self, found: Iterable[Mask], more: int) -> None:
        """Count what a row brings together, or what one brings no more."""
        for part in found:
            count = self._counts[part] = self._counts[part] + more
            if count == 1:
                self._once.add(part)
            elif count == 1 + more or not count:
                self._once.discard(part)

    def _changes(self, row: Row, part: Mask) -> tuple[Mask, Mask, Mask]:
        """Return a row's bits, those that it would have with a part, and those of the dimensions that concerns."""
        mask = self._masks[id(row)]
        changed = mask & ~self._bits.dimensions(part) | part
        return mask, changed, self._hiding.touched(self._bits.dimensions(part & ~mask), mask, changed)

    def _put(self, row: dict[str, str], values: Row, changes: tuple[Mask, Mask, Mask]) -> None:
        """Give a row other values, and count what it brings together then."""
        mask, changed, concerned = changes
        self._count(self._parts(mask, concerned), -1)
        row.update(values)
        self._masks[id(row)] = changed
        self._count(self._parts(changed, concerned), 1)

    def _undo(self, rows: Sequence[dict[str, str]], before: Sequence[Row], counts: Counter[Mask], once: Parts) -> None:
        """Give rows back what they had."""
        for row, values in zip(rows, before, strict=True):
            row.update(values)
            self._masks[id(row)] = self._bits.mask(row)
        self._counts, self._once = counts, once

    def without_spare(self) -> None:
        """Leave out rows, the others brought to have what such a row alone has."""
        while self._one_less():
            pass

    def _one_less(self) -> bool:
        """Leave out one row, if possible, those tried first that have least of their own; return whether it was."""
        own = {id(row): self._once.within(self._masks[id(row)]) for row in self.rows}
        spare = sorted((row for row in self.rows if own[id(row)] <= MOST_OWN), key=lambda row: own[id(row)])
        return any(map(self._left_out, spare))

    def _left_out(self, row: dict[str, str]) -> bool:
        """Leave out a row; return whether the others could take what it alone has."""
        others = [other for other in self.rows if other is not row]
        before, counts, once = [dict(other) for other in others], self._counts.copy(), self._once.copy()
        mask = self._masks[id(row)]
        found = list(self._parts(mask, mask))
        self._count(found, -1)
        if all(self._counts[part] > 0 or self._taken(part, row, others) for part in found):
            self.rows = others
            return True
        self._undo(others, before, counts, once)
        return False

    def _taken(self, part: Mask, row: Row, rows: Sequence[dict[str, str]]) -> bool:
        """Bring together in one of some rows what a row left out had; return whether one could take it."""
        values = {name: value for name, value in row.items() if self._bits.of((name, value)) & part}
        dimensions = self._bits.dimensions(part)
        return any(
            shown(part, self._hiding.hidden(self._masks[id(other)] & ~dimensions | part))
            and self._changed(other, values, part)
            for other in rows
        )

    def _changed(self, row: dict[str, str], values: Row, part: Mask) -> bool:
        """Give a row other values, the bits of which are a part; return whether that loses nothing."""
        changes = mask, _, concerned = self._changes(row, part)
        if any(self._once.beside(own, mask ^ own) for own in single(mask & concerned)):
            return False
        if not self._possible({**row, **values}):
            return False
        self._put(row, values, changes)
        return True

    def among(self, name: str, value: str, others: Row) -> bool:
        """Put a value and some others into one row, and what that loses into other rows; return whether that could be.

        Of the rows those come first that have most of the others.
        """
        values = {**others, name: value}
        free = [row for row in self.rows if row[name] != value]
        fitting = sorted(free, key=lambda row: -sum(row[each] == of for each, of in others.items()))
        return any(self._taken_over(row, values) for row in fitting)

    def _taken_over(self, row: dict[str, str], values: Row) -> bool:
        """Give a row other values, the other rows brought to have what it alone had; return whether they could."""
        if not self._possible({**row, **values}):
            return False
        changes = mask, _, concerned = self._changes(row, self._bits.mask(values))
        lost = [part for part in self._parts(mask, concerned) if self._counts[part] == 1]
        before, counts, once = [dict(each) for each in self.rows], self._counts.copy(), self._once.copy()
        had = dict(row)
        self._put(row, values, changes)
        others = [other for other in self.rows if other is not row]
        if all(self._counts[part] > 0 or self._taken(part, had, others) for part in lost):
            return True
        self._undo(self.rows, before, counts, once)
        return False

    def place(self, name: str, value: str, most: int, weight: Weight) -> int:
        """Put a value into some rows, unlike each other; return into how many."""
        own = self._bits.of((name, value))
        return len(
            unlike(self.rows, most, weight, lambda row: row[name] != value and self._changed(row, {name: value}, own))
        )

    def add(self, rows: Sequence[dict[str, str]]) -> None:
        """Add rows."""
        self.rows += rows
        for row in rows:
            mask = self._masks[id(row)] = self._bits.mask(row)
            self._count(self._parts(mask, mask), 1)

    def cheaper(self, plain: Row, costs: Mapping[tuple[str, str], float]) -> None:
        """Put the plain value in the place of each that costs more and brings nothing of its own."""
        for row in sorted(self.rows, key=lambda row: -sum(costs[each] for each in row.items())):
            for name in sorted(plain.keys() & row.keys(), key=lambda name: -costs[name, row[name]]):
                if costs[name, row[name]] > max(costs[name, plain[name]], 0):
                    self._changed(row, {name: plain[name]}, self._bits.of((name, plain[name])))


def unlike(
    rows: Sequence[dict[str, str]], most: int, weight: Weight, fits: Callable[[dict[str, str]], bool] = lambda _: True
) -> list[dict[str, str]]:
    """Return some rows that fit, each with what weighs most beside those before it."""
    left, chosen = list(rows), list[dict[str, str]]()
    seen: set[tuple[str, str]] = set()
    while left and len(chosen) < most:
        row = max(left, key=lambda row: sum(map(weight, row.items() - seen)))
        left = [other for other in left if other is not row]
        if fits(row):
            chosen.append(row)
            seen.update(row.items())
    return chosen
