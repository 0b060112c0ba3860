"""Lists: what is there is named, once, however much it is and whatever the size of the pages."""

from __future__ import annotations

import pytest

from conformance.scenarios.conditions.campaign import Campaign
from conformance.scenarios.conditions.lists.laws import attempt_list, possible, size_of
from conformance.target import names
from conformance.target.capabilities import UNKNOWN
from conformance.target.session import Session
from conformance.verdict.judge import Judge, NotTested, verifies
from spec.conditions import load
from spec.model import Withheld


def _campaign(session: Session, node: str) -> Campaign:
    return Campaign(session, node, load().subjects["lists"], attempt_list, possible, order=size_of)


def prepare(session: Session) -> None:
    """Make the rows, which all processes of a run need, before they are forked."""
    _campaign(session, "").rows("two")


@verifies(
    "PULL-MANIFEST-HEAD-200",
    "PUSH-MANIFEST-STATUS-201",
    "DISC-TAGS-STATUS-200",
    "DISC-TAGS-COMPLETE-AFTER-PUSH",
    "DISC-TAGS-DIGEST-NOT-LISTED",
    "DISC-TAGS-NO-DUPLICATES",
    "DISC-TAGS-ISOLATION-REPO",
    "DISC-TAGS-ORDER-LEXICAL",
    "DISC-TAGS-N-AT-MOST",
    "DISC-TAGS-LAST-EXCLUSIVE",
    "DISC-TAGS-LINK-WALK-COMPLETE",
    "DISC-TAGS-NO-N-PAGE-LIMIT",
    "DISC-REFERRERS-STATUS-200",
    "DISC-REFERRERS-INDEX-SHAPE",
    "DISC-REFERRERS-COMPLETE",
    "DISC-REFERRERS-FILTER-ONLY-MATCHING",
    "MGMT-TAG-DELETE-202",
    "MGMT-TAG-DELETE-NOT-LISTED",
    "MGMT-MANIFEST-DELETE-202",
    "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
    "MGMT-MANIFEST-DELETE-OTHERS-KEPT",
)
def test_laws_of_lists(session: Session, judge: Judge, request: pytest.FixtureRequest) -> None:
    """Every law of lists holds in each row."""
    if session.settings.repositories:
        raise NotTested(UNKNOWN[Withheld.REPOSITORIES], Withheld.REPOSITORIES)
    campaign = _campaign(session, names.of_item(request.node))
    campaign.run("two")
    campaign.conclude(judge)
