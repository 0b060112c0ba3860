"""Who is known to do what a requirement asks: the outcomes of published runs.

The reports are read as plain data: what a report is, `reports` says, which nothing here may import.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from spec.model import Outcome

FOLDER = Path("reports") / "published"
_RANK = {Outcome.BROKEN.value: 2, Outcome.HELD.value: 1}


@lru_cache(maxsize=4)
def outcomes(repository: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the outcome of each requirement by the name of the registry; nothing where no run is published.

    Of several runs of a registry, which it was set up for otherwise, the one counts that decides: it breaks what it
    breaks in any, and holds what it holds in one and breaks in none.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted((repository / FOLDER).glob("*.json.gz")):
        try:
            report = json.loads(gzip.decompress(path.read_bytes()))
            target = report["target"]
            name = " ".join(filter(None, (target["product"] or target["url"], target["version"])))
            told = {str(entry["id"]): str(entry["outcome"]) for entry in report["requirements"]}
        except (OSError, EOFError, ValueError, KeyError, TypeError):  # `spec impact` says what is wrong with it
            continue
        known = found.setdefault(name, {})
        for requirement, outcome in told.items():
            if _RANK.get(outcome, 0) >= _RANK.get(known.get(requirement, ""), 0):
                known[requirement] = outcome
    return MappingProxyType(found)


def by_outcome(repository: Path, requirement: str) -> dict[str, list[str]]:
    """Return the registries that were found to hold a requirement, and those that were found to break it."""
    found: dict[str, list[str]] = {Outcome.HELD.value: [], Outcome.BROKEN.value: []}
    for registry, told in outcomes(repository).items():
        if told.get(requirement) in found:
            found[told[requirement]].append(registry)
    return found
