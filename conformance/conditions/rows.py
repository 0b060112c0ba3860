"""Rows of conditions: each pair of values that can occur together occurs in one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod

from spec.conditions import Dimension, Value

#: One value, by its id, of each dimension.
Row = Mapping[str, str]
#: Tells of a row, or of a part of one, whether it does not contradict itself.
Possible = Callable[[Row], bool]
#: Values of different dimensions that come together.
Together = frozenset[tuple[str, str]]

#: The efforts, from the least on.
EFFORTS = ("quick", "default", "thorough")
#: How many values of different dimensions have to come together.
TOGETHER = {"quick": 1, "default": 2, "thorough": 3}
#: In how many rows a value occurs that takes much time or traffic.
DEAR = 2
#: Of so many rows that could come next, the one that brings most together is taken.
CANDIDATES = 3


def offered(dimension: Dimension, has: Callable[[str], bool], effort: str) -> tuple[Value, ...]:
    """Return the values of a dimension that a target with some capabilities can show at an effort."""
    enough = {"", *EFFORTS[: EFFORTS.index(effort) + 1]}
    return tuple(v for v in dimension.values if all(map(has, v.needs)) and v.effort in enough)


def rows(
    values: Mapping[str, Sequence[Value]], seed: str, effort: str, possible: Possible, spread: Sequence[str] = ()
) -> list[Row]:
    """Return rows that cover values of dimensions as the effort asks; the seed chooses among those that do.

    Where nothing is left to cover a row has plain values, but for the dimensions in ``spread``.
    """
    chooser = random.Random(seed)
    usual = {
        name: chooser.sample(ids, len(ids)) for name, of in values.items() if (ids := [v.id for v in of if not v.dear])
    }
    plain = frozenset((name, v.id) for name, of in values.items() for v in of if v.plain and name not in spread)
    found = list(_Cover(usual, plain, min(TOGETHER[effort], len(usual)), possible, chooser).rows())
    dear = [(name, value.id) for name, of in values.items() for value in of if value.dear]
    for name, value in dear:
        found += list(_with(found, name, value, possible, chooser))
    return list(found)


def pairs(row: Row) -> set[tuple[str, str]]:
    """Return the pairs of values that a row brings together, each value as ``dimension=value``."""
    return set(combinations(sorted(f"{name}={value}" for name, value in row.items()), 2))


def _with(
    found: Sequence[dict[str, str]], name: str, value: str, possible: Possible, chooser: random.Random
) -> Iterable[dict[str, str]]:
    """Return some rows with another value in place of their own."""
    changed = ({**row, name: value} for row in chooser.sample(found, len(found)))
    return [row for row in changed if possible(row)][:DEAR]


class _Cover:
    """Makes rows, each around something that none had before, until all that can come together has."""

    def __init__(
        self,
        values: dict[str, list[str]],
        plain: frozenset[tuple[str, str]],
        together: int,
        possible: Possible,
        chooser: random.Random,
    ) -> None:
        self._values = values
        self._plain = plain
        self._together = together
        self._possible = possible
        self._chooser = chooser
        self._missing: dict[Together, None] = {}
        for names in combinations(values, together):
            for ids in product(*(values[name] for name in names)):
                part = dict(zip(names, ids, strict=True))
                if possible(part):
                    self._missing[frozenset(part.items())] = None

    def rows(self) -> Iterator[dict[str, str]]:
        """Give the rows."""
        order = list(self._missing)
        self._chooser.shuffle(order)
        # The dimensions with the most values need the most rows: what the others lack is brought along.
        order.sort(key=lambda part: -prod(len(self._values[name]) for name, _ in part))
        for wanted in order:
            if wanted not in self._missing:
                continue
            candidates = [row for _ in range(CANDIDATES) if (row := self._row(dict(wanted))) is not None]
            row = max(candidates, key=self._news, default=None)
            if row is None:
                # No whole row has it, though nothing in it contradicts itself.
                del self._missing[wanted]
                continue
            for part in self._parts(row):
                self._missing.pop(part, None)
            yield row

    def _row(self, row: dict[str, str]) -> dict[str, str] | None:
        """Fill a row up with the values that bring most together that is missing; ``None`` where none fit."""
        open_ = [name for name in self._values if name not in row]
        self._chooser.shuffle(open_)
        for name in open_:
            fitting = [value for value in self._values[name] if self._possible({**row, name: value})]
            if not fitting:
                return None
            self._chooser.shuffle(fitting)
            # What brings nothing new is plain: fewer requests, and a shorter way to the condition that matters.
            fitting.sort(key=lambda value: (name, value) not in self._plain)
            gains = {value: self._gain(row, name, value) for value in fitting}
            row[name] = max(fitting, key=gains.__getitem__)
        return {name: row[name] for name in self._values}

    def _gain(self, row: dict[str, str], name: str, value: str) -> int:
        own = (name, value)
        if self._together == 1:
            return frozenset([own]) in self._missing
        others = combinations(row.items(), self._together - 1)
        return sum(frozenset((own, *other)) in self._missing for other in others)

    def _news(self, row: dict[str, str]) -> int:
        return sum(part in self._missing for part in self._parts(row))

    def _parts(self, row: dict[str, str]) -> Iterator[Together]:
        return map(frozenset, combinations(row.items(), self._together))
