"""Faults of content that was there before the run, seen by a suite that may not write."""

from __future__ import annotations

from reference.faults import referrers
from reference.modifications import Apply, Fault, on, set_status


def _as(name: str) -> Apply:
    """What a fault of pushed referrers does."""
    apply = next(fault.apply for fault in referrers.FAULTS if fault.name == name)
    assert apply is not None
    return apply


FAULTS = (
    Fault(
        name="manifest-get-206-of-existing",
        title="Manifests that were there before are answered 206.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        also=("PULL-MANIFEST-GET-DIGEST-200",),
        configuration="read-only",
        apply=on("manifest.get", status=200, change=set_status(206)),
    ),
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
