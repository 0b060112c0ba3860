"""The variants of the reference, by name: oddities that are legal, kept apart from the usual answers."""

from __future__ import annotations

from reference.modifications import Variant
from reference.variants import (
    digests,
    hosts,
    lag,
    limits,
    lists,
    logins,
    names,
    notifications,
    policies,
    pulls,
    reads,
    refusals,
    sessions,
    stores,
    tokens,
    upkeep,
    uploads,
    wire,
)

_MODULES = (
    uploads,
    sessions,
    names,
    pulls,
    reads,
    lists,
    refusals,
    digests,
    limits,
    policies,
    upkeep,
    lag,
    wire,
    hosts,
    stores,
    logins,
    tokens,
    notifications,
)
ALL: dict[str, Variant] = {variant.name: variant for module in _MODULES for variant in module.VARIANTS}


def listing() -> list[dict[str, object]]:
    """Every variant as data."""
    return [entry.as_json() for entry in ALL.values()]
