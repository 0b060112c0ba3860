"""Faults of the header Warning."""

from __future__ import annotations

from reference.modifications import Fault, answers, set_header

FAULTS = (
    Fault(
        name="warning-malformed",
        title="A Warning has another code and a date.",
        breaks=("BASE-WARNING-FORMAT",),
        apply=answers(change=set_header("Warning", '199 reference "old" "Mon, 23 Nov 2026 10:00:00 GMT"')),
    ),
    Fault(
        name="warning-too-long",
        title="Each answer has a Warning of five thousand bytes.",
        breaks=("BASE-WARNING-SIZE",),
        apply=answers(change=set_header("Warning", '299 - "' + "long " * 1000 + '"')),
    ),
)
