"""What an answer says of whether something is there."""

from __future__ import annotations

import hashlib

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.verdict import presence
from conformance.verdict.judge import Judge
from spec.model import Outcome

CONTENT = b"some bytes"
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NOT_FOUND = b'{"errors": [{"code": "BLOB_UNKNOWN"}]}'
ID = "PUSH-CANCEL-NO-BLOB"


def answered(
    status: int, body: bytes = CONTENT, operation: str = "blob.get", method: str = "GET", reference: str = DIGEST
) -> Response:
    answer = Response(status, "", Headers(), body, len(body))
    request = Request(method, "http://r/v2/a/blobs/x", Headers())
    answer.trail = (Exchange(operation, {"name": "a", "reference": reference}, request, answer),)
    return answer


@pytest.mark.parametrize(("status", "there"), [(200, True), (203, True), (206, False), (404, False), (500, False)])
def test_what_gives_the_content_serves_it(status: int, there: bool) -> None:
    assert presence.served(answered(status), CONTENT) == there
    assert not presence.served(answered(status), CONTENT + b"more")


@pytest.mark.parametrize(
    ("operation", "method", "status", "reference", "requirement"),
    [
        ("blob.get", "GET", 203, DIGEST, "PULL-BLOB-GET-200"),
        ("blob.get", "GET", 206, DIGEST, ""),
        ("blob.get", "GET", 500, DIGEST, ""),
        ("manifest.get", "GET", 201, "latest", "PULL-MANIFEST-GET-TAG-200"),
        ("manifest.get", "GET", 201, DIGEST, "PULL-MANIFEST-GET-DIGEST-200"),
        ("manifest.delete", "DELETE", 200, "latest", "MGMT-TAG-DELETE-202"),
        ("manifest.delete", "DELETE", 200, DIGEST, "MGMT-MANIFEST-DELETE-202"),
        ("upload.mount", "POST", 202, "", ""),
        ("upload.mount", "POST", 204, "", "PUSH-MOUNT-STATUS"),
        ("base.get", "HEAD", 203, "", ""),
        ("", "GET", 203, "", ""),
    ],
)
def test_a_success_that_an_operation_does_not_have(
    operation: str, method: str, status: int, reference: str, requirement: str
) -> None:
    answer = answered(status, b"", operation, method, reference)
    assert presence.breach_of(answer) == requirement
    assert (presence.breach(answer.trail[-1]) or ("",))[0] == requirement


def test_of_what_has_other_successes_too_a_scenario_judges() -> None:
    answer = answered(203, b"", "upload.get")
    assert presence.breach_of(answer) == "PUSH-STATUS-204"
    assert presence.breach(answer.trail[-1]) is None


@pytest.mark.parametrize(
    ("answer", "outcome", "aside"),
    [
        (answered(404, NOT_FOUND), Outcome.HELD, ""),
        (answered(401, NOT_FOUND), Outcome.HELD, ""),
        (answered(200), Outcome.BROKEN, ""),
        (answered(203), Outcome.BROKEN, ""),
        (answered(200, b"", "blob.head", "HEAD"), Outcome.BROKEN, ""),
        # The bytes that were sent, under a digest that is not theirs.
        (answered(200, b"sent"), Outcome.BROKEN, ""),
        (answered(200, NOT_FOUND), Outcome.INCONCLUSIVE, "PULL-BLOB-GET-UNKNOWN-404"),
        (answered(203, NOT_FOUND), Outcome.INCONCLUSIVE, "PULL-BLOB-GET-UNKNOWN-404"),
        (answered(500, b""), Outcome.INCONCLUSIVE, "PULL-BLOB-GET-UNKNOWN-404"),
        (answered(503, b""), Outcome.INCONCLUSIVE, ""),
        (
            answered(200, NOT_FOUND, "manifest.get", reference="t"),
            Outcome.INCONCLUSIVE,
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
    ],
)
def test_what_must_not_be_there(answer: Response, outcome: Outcome, aside: str) -> None:
    judge = Judge([ID])
    judge.absent(ID, answer, "no blob", stored=b"sent")
    assert judge.judgements[ID].outcome is outcome
    assert [*judge.asides] == ([aside] if aside else [])


def test_a_consequence_of_a_wrong_success_gives_way_to_a_breach_of_its_own() -> None:
    judge = Judge([ID])
    judge(ID, False, "something", answered(203, NOT_FOUND))
    assert judge.judgements[ID].root == "PULL-BLOB-GET-200"
    judge(ID, False, "something else", answered(200, NOT_FOUND))
    assert (judge.judgements[ID].root, judge.judgements[ID].expected) == ("", "something else")
    judge(ID, False, "something", answered(203, NOT_FOUND))
    assert judge.judgements[ID].root == ""


def test_the_right_bytes_with_a_wrong_success_are_the_right_bytes() -> None:
    judge = Judge([ID])
    assert judge.gives(ID, answered(203), CONTENT, "the content")
    assert not judge.gives(ID, answered(203, b""), CONTENT, "the content")
    assert judge.judgements[ID].root == "PULL-BLOB-GET-200"
