"""The faults of the reference, by name: data about it, kept apart from the code that answers rightly."""

from __future__ import annotations

from reference.faults import (
    acceptance,
    base,
    blobs,
    closing,
    deletion,
    deletion_of_blobs,
    lists,
    manifests,
    mounts,
    negotiation,
    pushes,
    ranges,
    referrers,
    sessions,
    uploads,
)
from reference.modifications import Fault

_MODULES = (
    base,
    blobs,
    ranges,
    manifests,
    negotiation,
    pushes,
    acceptance,
    uploads,
    sessions,
    closing,
    mounts,
    lists,
    referrers,
    deletion,
    deletion_of_blobs,
)
ALL: dict[str, Fault] = {fault.name: fault for module in _MODULES for fault in module.FAULTS}


def listing() -> list[dict[str, object]]:
    """Every fault as data."""
    return [entry.as_json() for entry in ALL.values()]
