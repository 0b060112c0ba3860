"""What a difference between two specifications is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What changed; in the order in which it is shown."""

    RAISED = "raised"
    ADDED = "added"
    TIGHTENED = "tightened"
    STATUSES = "other statuses"
    NEEDS = "other capabilities"
    PRESUMES = "other presumptions"
    OPERATIONS = "other operations"
    BOOKED = "booked otherwise"
    REWORDED = "reworded"
    CHANGED = "changed"
    LOWERED = "lowered"
    LOOSENED = "loosened"
    WITHDRAWN = "withdrawn"
    SOURCES = "other sources"
    NOTES = "other notes"
    EXTENDED = "described"
    FORGOTTEN = "no longer described"


class Asks(StrEnum):
    """What a change asks of a registry, beside what was asked before; gravest first."""

    MORE = "more"
    OTHERWISE = "otherwise"
    LESS = "less"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of a requirement (its id is ``subject``), or of a place of the OpenAPI document.

    ``levels`` has (profile, level before, level now) where levels changed, "" for none. ``old`` and
    ``new`` are texts. ``places`` are the operations, or places in them, that share a change of the
    document, and ``requirements`` those to which a departure there is booked; ``why`` says what shows
    its direction.
    """

    kind: Kind
    asks: Asks
    subject: str
    old: str = ""
    new: str = ""
    statement: str = ""
    levels: tuple[tuple[str, str, str], ...] = ()
    places: tuple[str, ...] = ()
    why: str = ""
    document: bool = False
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes between two specifications, which ``names`` tells apart; gravest kinds first."""

    names: tuple[str, str]
    changes: tuple[Change, ...]
    profiles: tuple[str, ...]

    def of(self, kind: Kind) -> list[Change]:
        """Give the changes of one kind."""
        return [change for change in self.changes if change.kind is kind]

    def in_profile(self, profile: str) -> Iterator[tuple[Change, str, str]]:
        """Give the changes of levels in one profile, with the level before and now ("" for none)."""
        for change in self.changes:
            for name, before, after in change.levels:
                if name == profile:
                    yield change, before, after

    def asking(self, *asked: Asks) -> list[Change]:
        """Give the changes that ask something of a registry."""
        return [change for change in self.changes if change.asks in asked]
