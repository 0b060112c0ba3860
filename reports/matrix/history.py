"""The history of a product: its reports one after the other, and what changed from each to the next."""

from __future__ import annotations

from dataclasses import dataclass

from reports.compare import Comparison, Kind, compare
from reports.matrix.columns import Column
from reports.matrix.table import Matrix


@dataclass(frozen=True, slots=True)
class Step:
    """A report of a product, and what changed since the one before it in the same variant."""

    column: Column
    before: Column | None
    changed: Comparison | None

    def count(self, kind: str) -> int:
        """Return how many requirements changed in a way."""
        return len(self.changed.of(Kind(kind))) if self.changed else 0


def of(matrix: Matrix, column: Column, profile: str) -> list[Step]:
    """Return the reports of the product of a column, the oldest run first."""
    alike = sorted((one for one in matrix.columns if one.product == column.product), key=lambda one: one.started)
    last: dict[str, Column] = {}
    steps = []
    for one in alike:
        before = last.get(one.variant)
        known = before is not None and profile in before.report["profiles"] and profile in one.report["profiles"]
        changed = compare(before.report, one.report, profile) if before is not None and known else None
        steps.append(Step(one, before, changed))
        last[one.variant] = one
    return steps
