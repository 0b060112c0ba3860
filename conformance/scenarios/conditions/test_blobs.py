"""Blobs: what holds for one holds for each, whatever it is, however it came, wherever it lies."""

from __future__ import annotations

import pytest

from conformance.scenarios.conditions.blobs.laws import attempt_blob
from conformance.scenarios.conditions.blobs.possible import alike, possible, possible_among_others
from conformance.scenarios.conditions.campaign import Campaign
from conformance.scenarios.conditions.rows.places import SHAPES
from conformance.target import names
from conformance.target.session import Session
from conformance.verdict.judge import Judge, verifies
from spec.conditions import load


def _campaign(session: Session, node: str) -> Campaign:
    can_be = possible_among_others if session.settings.repositories else possible
    return Campaign(session, node, load().subjects["blobs"], attempt_blob, can_be, alike=alike)


def prepare(session: Session) -> None:
    """Make the rows, which all processes of a run need, before they are forked."""
    _campaign(session, "").rows(SHAPES[0])


@pytest.mark.parametrize("shape", SHAPES)
@verifies(
    "BASE-NAME-LENGTH-MAX",
    "BASE-NAME-ACCEPTED-KEPT",
    "BASE-DIGEST-SHA512",
    "BASE-DIGEST-MALFORMED",
    "PULL-MANIFEST-NOT-A-BLOB",
    "PULL-BLOB-GET-200",
    "PULL-BLOB-GET-BODY-EXACT",
    "PULL-BLOB-GET-EMPTY",
    "PULL-BLOB-GET-DCD-TRUE",
    "PULL-BLOB-GET-NO-FALSE-CODING",
    "PULL-BLOB-GET-UNKNOWN-404",
    "PULL-BLOB-OTHER-REPO-404",
    "PULL-BLOB-HEAD-OTHER-REPO-404",
    "PULL-BLOB-HEAD-200",
    "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
    "PULL-BLOB-HEAD-DCD-TRUE",
    "PULL-BLOB-HEAD-UNKNOWN-404",
    "PULL-BLOB-RANGE-TRUE",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    "PULL-BLOB-RANGE-416",
    "PULL-BLOB-RANGE-UNSUPPORTED-200",
    "PULL-CACHE-BLOB-304",
    "PULL-CACHE-FALSE-304",
    "PULL-CONSIST-REPEATABLE",
    "PUSH-PUT-MONOLITHIC-201",
    "PUSH-PUT-LOCATION-PULLABLE",
    "PUSH-PUT-DIGEST-HEADER-VALUE",
    "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
    "PUSH-PUT-DIGEST-MISMATCH-400",
    "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
    "PUSH-BLOB-SHA512-ACCEPTED",
    "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
    "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
    "PUSH-BLOB-KEPT",
    "PUSH-SINGLE-STATUS-201-OR-202",
    "PUSH-SINGLE-FALLBACK-USABLE",
    "PUSH-SESSION-CLOSED-AFTER-201",
    "PUSH-SESSION-PARALLEL-ISOLATED",
    "PUSH-SINGLE-LOCATION-PULLABLE",
    "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
    "PUSH-PATCH-STATUS-202",
    "PUSH-PATCH-RANGE-VALUE",
    "PUSH-PATCH-CHUNKS-CONCATENATED",
    "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
    "PUSH-PATCH-OUT-OF-ORDER-GAP-416",
    "PUSH-PATCH-OVERLAP-416",
    "PUSH-PATCH-REPEATED-416",
    "PUSH-PATCH-416-STATE-UNCHANGED",
    "PUSH-PATCH-416-RANGE-TRUE",
    "PUSH-PATCH-STREAM-202",
    "PUSH-STATUS-204",
    "PUSH-STATUS-RANGE-VALUE",
    "PUSH-SESSION-FRESH-RANGE-TRUE",
    "PUSH-STATUS-RESUME",
    "PUSH-CANCEL-204",
    "PUSH-CANCEL-SESSION-GONE",
    "PUSH-MOUNT-STATUS",
    "PUSH-MOUNT-LOCATION-PULLABLE",
    "PUSH-MOUNT-BLOB-AVAILABLE",
    "PUSH-MOUNT-DIGEST-HEADER-TRUE",
    "MGMT-BLOB-DELETE-202",
    "MGMT-BLOB-DELETE-GET-404",
    "MGMT-BLOB-DELETE-HEAD-404",
    "MGMT-BLOB-DELETE-TWICE-404",
    "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
    "MGMT-BLOB-DELETE-REUPLOAD",
)
def test_laws_of_blobs(shape: str, session: Session, judge: Judge, request: pytest.FixtureRequest) -> None:
    """Every law of blobs holds in each row."""
    campaign = _campaign(session, names.of_item(request.node))
    campaign.run(shape)
    campaign.conclude(judge)
