"""Faults of content that was there before the run, seen by a suite that may not write."""

from __future__ import annotations

from dataclasses import replace

from reference.faults import referrers
from reference.modifications import Fault

_BREAKS = {"DISC-REFERRERS-ANNOTATIONS", "DISC-REFERRERS-ONLY-MATCHING-SUBJECT", "DISC-REFERRERS-COMPLETE"}


def _of_existing(fault: Fault) -> Fault:
    title = f"{fault.title[:-1]}, of what was there before."
    return replace(fault, name=f"{fault.name}-of-existing", title=title, configuration="read-only")


#: What was there before has no referrer of a referrer.
_WITHOUT = "referrers-transitive"
FAULTS = tuple(_of_existing(f) for f in referrers.FAULTS if _BREAKS.intersection(f.breaks) and f.name != _WITHOUT)
