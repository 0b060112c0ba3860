"""What happens to one registry in one profile when the specification changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spec.model import Verdict


class Way(StrEnum):
    """How an effect is known."""

    #: The outcome of the run, with another level.
    WEIGHED = "weighed"
    #: The contract of the changed document over the recorded exchanges.
    REPLAYED = "replayed"
    #: The registry has to be run again.
    UNKNOWN = "unknown"


class Effect(StrEnum):
    """What becomes of a requirement; gravest first."""

    FAILS = "newly FAIL"
    WARNS = "newly WARNING"
    UNKNOWN = "unknown"
    UNDECIDED = "no longer decided"
    EASED = "FAIL no more, WARNING now"
    REPAIRED = "repaired"
    HOLDS = "newly PASS"
    UNASKED = "no longer asked"


@dataclass(frozen=True, slots=True)
class Outlook:
    """One effect: of which requirement, on which registry, in which profile, and how it is known."""

    requirement: str
    registry: str
    profile: str
    effect: Effect
    way: Way
    before: str
    after: str
    why: str = ""


_ACCUSED = frozenset({Verdict.FAIL, Verdict.WARNING})
_DECIDED = frozenset({*_ACCUSED, Verdict.PASS})


def effect(before: Verdict | None, after: Verdict | None) -> Effect | None:
    """Return what a change of a verdict is; ``None`` where it says nothing new of the registry."""
    if before is after:
        return None
    if after is Verdict.FAIL:
        return Effect.FAILS
    if after is Verdict.WARNING:
        return Effect.EASED if before is Verdict.FAIL else Effect.WARNS
    if after is None:
        return Effect.UNASKED if before in _DECIDED else None
    if before in _ACCUSED:
        return Effect.REPAIRED if after in {Verdict.PASS, Verdict.UNSUPPORTED} else Effect.UNDECIDED
    if after is Verdict.PASS:
        return Effect.HOLDS
    return Effect.UNDECIDED if before is Verdict.PASS else None
