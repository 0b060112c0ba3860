"""Digests by which a report, a page and a catalogue are known again."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from reports.model import Report
from spec.catalogue import Catalogue


def of_bytes(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def of_catalogue(catalogue: Catalogue) -> str:
    """Return the digest of what a catalogue demands: ids, categories, statements, levels and sources."""
    return _of(
        [[r.id, r.category, r.statement, r.levels, [[c.document, c.section] for c in r.sources]] for r in catalogue]
    )


def of_judged(report: Report) -> str:
    """Return the same digest of the catalogue that a report was made by; it has each requirement."""
    return _of(
        [
            [e["id"], e["category"], e["statement"], e["levels"], [[s["document"], s["section"]] for s in e["sources"]]]
            for e in report["requirements"]
        ]
    )


def _of(entries: list[list[Any]]) -> str:
    return of_bytes(json.dumps(sorted(entries, key=lambda e: str(e[0])), sort_keys=True, ensure_ascii=True).encode())
