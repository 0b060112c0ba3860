"""Rows of conditions: each pair of values that can occur together occurs in one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from conformance.scenarios.conditions.rows.cover import Cover, Possible, Row
from conformance.scenarios.conditions.rows.fewer import Fewer, unlike
from spec.conditions import Dimension, Value

__all__ = ["Possible", "Row", "offered", "pairs", "rows"]

#: The efforts, from the least on.
EFFORTS = ("quick", "default", "thorough")
#: How many values of different dimensions have to come together.
TOGETHER = {"quick": 1, "default": 2, "thorough": 3}
#: In how many rows a value occurs that takes much time or traffic.
DEAR = 2
#: Of so many sets of rows the one that costs least is taken, and about what a row costs beside its values.
TRIES = {"quick": 1, "default": 2, "thorough": 1}
EACH = 20


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
    made = [_rows(values, f"{seed}:{number}", effort, possible, spread) for number in range(TRIES[effort])]
    return min(made, key=lambda found: EACH * len(found) + sum(_costs_of(values, row) for row in found))


def _costs_of(values: Mapping[Dimension, Sequence[Value]], row: Row) -> int:
    return sum(of.value(row[of.id]).costs for of in values if of.id in row)


def _rows(
    values: Mapping[Dimension, Sequence[Value]], seed: str, effort: str, possible: Possible, spread: Sequence[str]
) -> list[Row]:
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
    together = min(TOGETHER[effort], len(usual))
    hides = {(of.id, v.id): v.hides for of, each in values.items() for v in each if v.hides}
    cover = Cover(usual, costs, together, possible, chooser=chooser, hides=hides)
    plain = {of.id: of.plain.id for of in values if of.id not in spread and of.plain.id in usual.get(of.id, ())}
    fewer = Fewer(list(cover.rows(looks)), together, looks, possible, hides=hides, values=costs)
    if effort == "default":
        fewer.without_spare()
    fewer.cheaper(plain, costs)

    def weight(each: tuple[str, str]) -> float:
        """Looks first, and of those the ones that do most."""
        return 1 + (1 + max(costs[each], 0)) * (each[0] in looks)

    for name, value in [(of.id, value.id) for of, each in values.items() for value in each if value.dear]:
        placed = 0
        for group in _among(values, name, value):
            placed += 1
            if not fewer.among(name, value, group):
                fewer.add(cover.around({**group, name: value}))
        missing = DEAR - placed - fewer.place(name, value, DEAR - placed, weight)
        others = [row for row in ({**row, name: value} for row in fewer.rows) if possible(row)]
        fewer.add(unlike(others, missing, weight) or (cover.around({name: value}) if missing == DEAR else []))
    return list(fewer.rows)


def _among(values: Mapping[Dimension, Sequence[Value]], name: str, value: str) -> list[dict[str, str]]:
    """Return the groups of values that a value has to come together with, without those that are not offered."""
    known = {f"{of.id}={each.id}": (of.id, each.id) for of, every in values.items() for each in every}
    dimension = next(of for of in values if of.id == name)
    return [dict(known[each] for each in group if each in known) for group in dimension.value(value).among]


def pairs(row: Row) -> set[tuple[str, str]]:
    """Return the pairs of values that a row brings together, each value as ``dimension=value``."""
    return set(combinations(sorted(f"{name}={value}" for name, value in row.items()), 2))
