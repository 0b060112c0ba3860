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
DEAR = 3
#: Of so many rows that could come next, the one that brings most together is taken.
CANDIDATES = 10
#: How many parts that are missing a request outweighs.
WEIGHT = 0.1


def offered(dimension: Dimension, has: Callable[[str], bool], effort: str) -> tuple[Value, ...]:
    """Return the values of a dimension that a target with some capabilities can show at an effort."""
    enough = {"", *EFFORTS[: EFFORTS.index(effort) + 1]}
    return tuple(v for v in dimension.values if all(map(has, v.needs)) and v.effort in enough)


def rows(
    values: Mapping[Dimension, Sequence[Value]], seed: str, effort: str, possible: Possible, spread: Sequence[str] = ()
) -> list[Row]:
    """Return rows that cover values of dimensions as the effort asks; the seed chooses among those that do.

    Looks are not combined with each other. Where nothing is left to cover a row has plain values, but for the
    dimensions in ``spread``.
    """
    chooser = random.Random(seed)
    usual: dict[str, list[str]] = {}
    for of, each in values.items():
        if ids := [value.id for value in each if not value.dear]:
            usual[of.id] = chooser.sample(ids, len(ids))
    # What is plain is liked best: fewer requests, and a shorter way to the condition that matters.
    costs = {
        (of.id, v.id): -1.0 if v.plain and of.id not in spread else float(v.costs)
        for of, each in values.items()
        for v in each
    }
    looks = frozenset(of.id for of in values if of.look)
    cover = _Cover(usual, costs, min(TOGETHER[effort], len(usual)), possible, chooser)
    found = list(cover.rows(looks))
    dear = [(of.id, value.id) for of, each in values.items() for value in each if value.dear]
    for name, value in dear:
        found += list(_with(found, name, value, possible, chooser)) or cover.around({name: value})
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
        costs: Mapping[tuple[str, str], float],
        together: int,
        possible: Possible,
        chooser: random.Random,
    ) -> None:
        self._values = values
        self._costs = costs
        self._together = together
        self._possible = possible
        self._chooser = chooser
        self._missing: dict[Together, None] = {}

    def _ask_for(self, looks: frozenset[str]) -> None:
        """Note what has to come together."""
        for names in combinations(self._values, self._together):
            if len(looks & {*names}) > 1:
                continue
            for ids in product(*(self._values[name] for name in names)):
                part = dict(zip(names, ids, strict=True))
                if self._possible(part):
                    self._missing[frozenset(part.items())] = None

    def rows(self, looks: frozenset[str]) -> Iterator[dict[str, str]]:
        """Give the rows; of the dimensions in ``looks`` no two have to come together."""
        self._ask_for(looks)
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

    def around(self, part: dict[str, str]) -> list[dict[str, str]]:
        """Return a row that has some values, none where no whole row has them."""
        row = self._row(part)
        return [] if row is None else [row]

    def _row(self, row: dict[str, str]) -> dict[str, str] | None:
        """Fill a row up with the values that bring most together that is missing; ``None`` where none fit."""
        open_ = [name for name in self._values if name not in row]
        self._chooser.shuffle(open_)
        for name in open_:
            fitting = [value for value in self._values[name] if self._possible({**row, name: value})]
            if not fitting:
                return None
            self._chooser.shuffle(fitting)
            gains = {v: self._gain(row, name, v) - WEIGHT * self._costs[name, v] for v in fitting}
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
