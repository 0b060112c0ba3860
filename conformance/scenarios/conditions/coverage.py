"""How much of the conditions a run has tried, law by law."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from spec.conditions import load

Pair = frozenset[tuple[str, str]]


def laws_tried(tried: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each law in how many rows it was tried, and how many of the pairs of conditions came together there.

    ``tried`` has what campaigns left in the records of their scenarios: subject, and rows with the laws tried in each.
    """
    conditions = load()
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for one in tried:
        rows.setdefault(one["subject"], []).extend(one["rows"])
    return [
        {
            "law": law.id,
            "subject": law.subject,
            "statement": law.statement,
            "requirements": list(law.requirements),
            "rows": sum(law.id in row["laws"] for row in rows[law.subject]),
            "pairs": len(_pairs(row for row in rows[law.subject] if law.id in row["laws"])),
            "pairs_of_all": len(_pairs(rows[law.subject])),
        }
        for law in conditions.laws.values()
        if law.subject in rows
    ]


def _pairs(rows: Iterable[Mapping[str, Any]]) -> set[Pair]:
    return {frozenset(pair) for row in rows for pair in combinations(row["values"].items(), 2)}
