"""Rows made one after the other, each around something that none before it brought together."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import combinations, product
from math import prod

from conformance.scenarios.conditions.rows.parts import Bits, Hiding, Mask, Parts, parts, shown, single

#: One value, by its id, of each dimension.
Row = Mapping[str, str]
#: Tells of a row, or of a part of one, whether it does not contradict itself.
Possible = Callable[[Row], bool]

#: Of so many rows that could come next, the one that brings most together is taken.
CANDIDATES = 5
#: How many parts that are missing a request outweighs.
WEIGHT = 0.05


class Cover:
    """Makes rows, each around something that none had before, until all that can come together has."""

    def __init__(
        self,
        values: dict[str, list[str]],
        costs: Mapping[tuple[str, str], float],
        together: int,
        possible: Possible,
        *,
        chooser: random.Random,
        hides: Mapping[tuple[str, str], Collection[str]],
    ) -> None:
        self._values = values
        self._together = together
        self._possible = possible
        self._chooser = chooser
        self._bits = Bits()
        #: Of each dimension its values, each with its bit and what it costs, in missing parts.
        self._offers = {
            name: [(value, self._bits.of((name, value)), WEIGHT * costs[name, value]) for value in each]
            for name, each in values.items()
        }
        self._hiding = Hiding(self._bits, hides)
        self._missing = Parts(together)

    def _asked_for(self, looks: frozenset[str]) -> list[tuple[Mask, dict[str, str]]]:
        """Return what has to come together."""
        asked = []
        for names in combinations(self._values, self._together):
            if len(looks & {*names}) > 1:
                continue
            for ids in product(*(self._values[name] for name in names)):
                part = dict(zip(names, ids, strict=True))
                if self._possible(part):
                    asked.append((self._bits.mask(part), part))
        return asked

    def rows(self, looks: frozenset[str]) -> Iterator[dict[str, str]]:
        """Give the rows; of the dimensions in ``looks`` no two have to come together."""
        order = self._asked_for(looks)
        self._missing = Parts(self._together, (mask for mask, _ in order))
        self._chooser.shuffle(order)
        # The dimensions with the most values need the most rows: what the others lack is brought along.
        order.sort(key=lambda wanted: -prod(len(self._values[name]) for name in wanted[1]))
        for mask, part in order:
            if mask not in self._missing:
                continue
            candidates = [row for _ in range(CANDIDATES) if (row := self._row({**part})) is not None]
            row = max(candidates, key=self._news, default=None)
            if row is None:
                # No whole row has it, though nothing in it contradicts itself.
                self._missing.discard(mask)
                continue
            whole = self._bits.mask(row)
            hidden = self._hiding.hidden(whole)
            for some in parts(0, single(whole), self._together + 1):
                if shown(some, hidden):
                    self._missing.discard(some)
            yield row

    def around(self, part: dict[str, str]) -> list[dict[str, str]]:
        """Return a row that has some values, none where no whole row has them."""
        row = self._row(part)
        return [] if row is None else [row]

    def _row(self, row: dict[str, str]) -> dict[str, str] | None:
        """Fill a row up with the values that bring most together that is missing; ``None`` where none fit.

        What it is made around stays to be seen.
        """
        mask = around = self._bits.mask(row)
        open_ = [name for name in self._values if name not in row]
        self._chooser.shuffle(open_)
        for name in open_:
            fitting: list[str] = []
            gains: dict[str, float] = {}
            for value, own, cost in self._offers[name]:
                row[name] = value
                hidden = self._hiding.hidden(mask | own)
                if self._possible(row) and shown(around, hidden):
                    fitting.append(value)
                    gains[value] = self._gain(own, mask, hidden) - cost
            if not fitting:
                return None
            self._chooser.shuffle(fitting)
            row[name] = max(fitting, key=gains.__getitem__)
            mask |= self._bits.of((name, row[name]))
        return {name: row[name] for name in self._values}

    def _gain(self, own: Mask, mask: Mask, hidden: Mapping[Mask, Mask]) -> int:
        """Return how much of what is missing a value brings together with others, less what it hides."""
        gain = self._missing.beside(own, mask & hidden[own] if own in hidden else mask)
        return gain - sum(self._missing.beside(each, mask ^ each) for each, by in hidden.items() if by == own)

    def _news(self, row: dict[str, str]) -> int:
        return self._missing.within(self._bits.mask(row))
