"""The contract of two documents over the same recorded exchanges, by the same check as in a live run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.contract import Contract
from conformance.recording import entries


@dataclass(slots=True)
class Found:
    """What one document says of all exchanges: what was looked at, and the first breach of each requirement."""

    exercised: set[str] = field(default_factory=set)
    breaches: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """What the document before and the one now say of a recording."""

    before: Found
    after: Found
    exchanges: int

    @property
    def broken(self) -> Mapping[str, str]:
        """What only the document of now finds broken, with how."""
        return {name: text for name, text in self.after.breaches.items() if name not in self.before.breaches}

    @property
    def repaired(self) -> frozenset[str]:
        """What only the document before found broken."""
        return frozenset(self.before.breaches.keys() - self.after.breaches.keys())


def replay(recording: Path, before: Contract, after: Contract) -> Replay:
    """Check each exchange of a recording against two contracts.

    Raises:
        RecordingError: it cannot be read.
    """
    found = Replay(Found(), Found(), 0)
    count = 0
    for recorded in entries(recording):
        count += 1
        for contract, into in ((before, found.before), (after, found.after)):
            checked = contract.check(recorded.exchange)
            into.exercised |= checked.exercised
            for breach in checked.breaches:
                told = f"{breach.place}: expected {breach.expected}, but {breach.actual}"
                into.breaches.setdefault(breach.requirement, told)
    return Replay(found.before, found.after, count)


def contracts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Contract, Contract] | None:
    """Return the contracts of two documents; ``None`` where they say the same."""
    return None if old == new else (Contract(old), Contract(new))
