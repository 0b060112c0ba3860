"""Which outcome wins where several are found for one requirement."""

from __future__ import annotations

from spec.model import Outcome

#: The order in which outcomes win where several scenarios, or several judgements, speak of one
#: requirement.
RANK = (
    Outcome.ERROR,
    Outcome.BROKEN,
    Outcome.INCONCLUSIVE,
    Outcome.HELD,
    Outcome.UNSUPPORTED,
    Outcome.NOT_TESTED,
)


def weight(outcome: Outcome, root: str) -> tuple[int, bool]:
    """Return the rank of an outcome; a consequence of another breach comes after its cause."""
    return RANK.index(outcome), bool(root)
