"""Faults of capabilities that the owner declares."""

from __future__ import annotations

from reference.app import Registry
from reference.modifications import Fault, override


def _never_mounted(registry: Registry) -> None:
    override(registry.uploads, mounted=lambda *_: False)


FAULTS = (
    Fault(
        name="mount-declared-and-absent",
        title="No blob is mounted, though the owner says that mounts are offered.",
        breaks=("BASE-CAPABILITY-DECLARED",),
        options=("--capability", "mount=yes"),
        apply=_never_mounted,
    ),
)
