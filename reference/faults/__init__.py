"""The faults of the reference, by name: data about it, kept apart from the code that answers rightly."""

from __future__ import annotations

from reference.modifications import Fault

_EVERY: tuple[tuple[Fault, ...], ...] = ()
ALL: dict[str, Fault] = {entry.name: entry for entries in _EVERY for entry in entries}


def listing() -> list[dict[str, object]]:
    """Every fault as data."""
    return [entry.as_json() for entry in ALL.values()]
