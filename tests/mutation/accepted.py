"""Mutants and weaker checks that may go unnoticed, each with its kind and its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("accepted.yaml")
#: Why something may go unnoticed: it does the same, nobody can see it, or it does what is allowed as well. What is
#: open could be seen, and no scenario looks: it counts against the suite.
KINDS = ("equivalent", "unobservable", "legal", "open")


@dataclass(frozen=True, slots=True)
class Entry:
    """A pattern of names, and why what has such a name may go unnoticed."""

    pattern: re.Pattern[str]
    kind: str
    why: str

    @property
    def told(self) -> str:
        """The kind and the reason."""
        return f"{self.kind}: {self.why}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The reasons, for mutants of the reference and for weaker checks of the suite."""

    mutants: Sequence[Entry]
    checks: Sequence[Entry]

    @classmethod
    def load(cls) -> Accepted:
        """Read the file beside this module.

        Raises:
            ValueError: an entry is of no kind that there is.
        """
        data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        found = []
        for part in ("mutants", "checks"):
            entries = [Entry(re.compile(e["match"]), e["kind"], e["why"]) for e in data[part]]
            if odd := [entry for entry in entries if entry.kind not in KINDS]:
                raise ValueError(f"{FILE}: there is no kind {odd[0].kind!r}; one of {', '.join(KINDS)}")
            found.append(entries)
        return cls(*found)

    def mutant(self, name: str) -> str:
        """Return why a mutant may survive; empty where there is no reason."""
        return _reason(self.mutants, name)

    def check(self, name: str) -> str:
        """Return why a weaker check may go unnoticed; empty where there is no reason."""
        return _reason(self.checks, name)

    def idle(self, names: Iterable[str]) -> list[str]:
        """Return the patterns that no name fits: their entries can go."""
        every = [*names]
        return [e.pattern.pattern for e in (*self.mutants, *self.checks) if not any(map(e.pattern.search, every))]


def _reason(entries: Sequence[Entry], name: str) -> str:
    return next((entry.told for entry in entries if entry.pattern.search(name)), "")
