"""Mutants and weaker checks that may survive, by name, with kind and reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("accepted.yaml")
#: Why something may go unnoticed: it does what is allowed as well, it does the same, or nobody can
#: see it. What is open could be seen, and no scenario looks: it counts against the suite.
KINDS = ("legal", "equivalent", "unobservable", "open")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The reasons by name, for mutants of the reference and for weaker checks of the suite."""

    mutants: Mapping[str, str]
    checks: Mapping[str, str]

    @classmethod
    def load(cls) -> Accepted:
        """Read the file beside this module.

        Raises:
            ValueError: an entry is of no kind that there is, or a name has two reasons.
        """
        data = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return cls(*(_reasons(data[part]) for part in ("mutants", "checks")))

    def mutant(self, name: str) -> str:
        """Return why a mutant may survive; empty where there is no reason."""
        return self.mutants.get(name, "")

    def check(self, name: str) -> str:
        """Return why a weaker check may go unnoticed; empty where there is no reason."""
        return self.checks.get(name, "")

    def idle(self, names: Iterable[str]) -> list[str]:
        """Return the names that nothing has: their entries can go."""
        return sorted({*self.mutants, *self.checks} - {*names})


def _reasons(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        if entry["kind"] not in KINDS:
            raise ValueError(f"{FILE}: there is no kind {entry['kind']!r}; one of {', '.join(KINDS)}")
        for name in entry["names"]:
            if name in found:
                raise ValueError(f"{FILE}: {name} has two reasons")
            found[name] = f"{entry['kind']}: {entry['why']}"
    return found
