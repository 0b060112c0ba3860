"""The words of the specification as types: levels, outcomes, verdicts, requirements.

One meaning each; ``docs/architecture.md`` has the glossary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How strongly a profile asks for something (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Outcome(StrEnum):
    """What was found out about a requirement: a fact, the same for every profile."""

    HELD = "held"
    BROKEN = "broken"
    UNSUPPORTED = "unsupported"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"
    ERROR = "error"


class Verdict(StrEnum):
    """An outcome weighed by a profile's level."""

    PASS = "PASS"  # noqa: S105  a verdict
    FAIL = "FAIL"
    WARNING = "WARNING"
    UNSUPPORTED = "UNSUPPORTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_TESTED = "NOT_TESTED"
    KNOWN_FAILURE = "KNOWN_FAILURE"
    ERROR = "ERROR"


class Withheld(StrEnum):
    """What the owner withheld from a run; requirements that need it are out of scope."""

    WRITING = "writing"
    CONTENT = "content"
    REPOSITORIES = "repositories"
    ACCOUNTS = "accounts"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a source: the id of the document and the section that says it."""

    document: str
    section: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document that requirements cite."""

    id: str
    title: str
    url: str
    version: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A published version of the specification that a target is judged by."""

    id: str
    title: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capability:
    """An optional part that a target may lack, and what shows that it is there."""

    id: str
    title: str
    probe: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The id of a requirement that is no more; no other may have it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative statement about a registry.

    ``levels`` has a member for each profile that speaks of it and none for the others.
    ``presumes`` names the requirements that must hold before this one can be decided: where one of
    them is broken, a breach of this one is its consequence and no finding of its own.
    ``statuses`` has, by operation, the statuses that it states for an answer of it.
    ``presumed_beyond`` has the profiles without a level of this requirement in which others may
    presume it all the same, each with the reason.
    ``unprovable`` says why no fault of the reference can show that a scenario convicts.
    """

    id: str
    category: str
    statement: str
    levels: dict[str, Level]
    sources: tuple[Citation, ...]
    operations: tuple[str, ...]
    needs: tuple[str, ...] = ()
    presumes: tuple[str, ...] = ()
    statuses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    presumed_beyond: Mapping[str, str] = field(default_factory=dict)
    decide: str = ""
    caution: str = ""
    implied: bool = False
    ambiguity: str = ""
    untestable: str = ""
    planned: str = ""
    unprovable: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


def weigh(outcome: Outcome, level: Level | None) -> Verdict | None:
    """Weigh an outcome by a level; ``None`` where the profile says nothing of the requirement.

    A broken MAY is an optional behaviour that is not offered, hence UNSUPPORTED.
    """
    if level is None:
        return None
    if outcome is Outcome.BROKEN:
        return {
            Level.MUST: Verdict.FAIL,
            Level.SHOULD: Verdict.WARNING,
            Level.MAY: Verdict.UNSUPPORTED,
        }[level]
    return {
        Outcome.HELD: Verdict.PASS,
        Outcome.UNSUPPORTED: Verdict.UNSUPPORTED,
        Outcome.INCONCLUSIVE: Verdict.INCONCLUSIVE,
        Outcome.NOT_TESTED: Verdict.NOT_TESTED,
        Outcome.ERROR: Verdict.ERROR,
    }[outcome]
