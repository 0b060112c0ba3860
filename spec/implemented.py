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


@lru_cache(maxsize=4)
def outcomes(repository: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the outcome of each requirement by the name of the registry; nothing where no run is published."""
    found: dict[str, Mapping[str, str]] = {}
    for path in sorted((repository / FOLDER).glob("*.json.gz")):
        try:
            report = json.loads(gzip.decompress(path.read_bytes()))
            target = report["target"]
            name = " ".join(filter(None, (target["product"] or target["url"], target["version"])))
            found[name] = {entry["id"]: entry["outcome"] for entry in report["requirements"]}
        except (OSError, EOFError, ValueError, KeyError, TypeError):  # `spec impact` says what is wrong with it
            continue
    return MappingProxyType(found)


def by_outcome(repository: Path, requirement: str) -> dict[str, list[str]]:
    """Return the registries that were found to hold a requirement, and those that were found to break it."""
    found: dict[str, list[str]] = {Outcome.HELD.value: [], Outcome.BROKEN.value: []}
    for registry, told in outcomes(repository).items():
        if told.get(requirement) in found:
            found[told[requirement]].append(registry)
    return found
