"""Faults of content that was there before the run, seen by a suite that may not write."""

from __future__ import annotations

from reference.faults import referrers
from reference.modifications import Apply, Fault


def _as(name: str) -> Apply:
    """What a fault of pushed referrers does."""
    apply = next(fault.apply for fault in referrers.FAULTS if fault.name == name)
    assert apply is not None
    return apply


FAULTS = (
    Fault(
        name="referrers-without-annotations-of-existing",
        title="Referrers that were there before are listed without their annotations.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        configuration="read-only",
        apply=_as("referrers-without-annotations"),
    ),
    Fault(
        name="referrers-without-tagged-of-existing",
        title="A referrer that was there before under a tag is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        configuration="read-only",
        apply=_as("referrers-without-tagged"),
    ),
)
