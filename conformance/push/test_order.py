"""Chunks that do not follow what was received."""

from __future__ import annotations

import pytest

from conformance.client.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.codes import CODES
from conformance.content import digest_of
from conformance.given import Given
from conformance.judge import Judge, Undecided, codes_of, verifies
from conformance.push.steps import Upload, opened, range_end, with_chunk
from conformance.session import Capabilities

GAP = "PUSH-PATCH-OUT-OF-ORDER-GAP-416"


@verifies(
    "PUSH-PATCH-OUT-OF-ORDER-GAP-416",
    "PUSH-PATCH-416-HEADERS",
    "PUSH-PATCH-416-CODE-DOCKER",
    "PUSH-PATCH-416-CODE-LISTED",
    "PUSH-PATCH-416-STATE-UNCHANGED",
)
def test_patch_behind_a_gap(repo: Repository, given: Given, judge: Judge, capabilities: Capabilities) -> None:
    """A chunk behind a gap is answered 416, adds nothing, and the upload can go on."""
    upload = with_chunk(given, repo)
    data = given.make.bytes(upload.size(30))
    answer = upload.patch(data, start=len(upload.content) + 50)
    judge.require_status(GAP, answer, 416, when="to a chunk behind a gap")
    _judge_416(judge, answer, upload)
    _judge_codes(judge, answer)
    location = upload_location(answer)
    if location is None and capabilities.has("upload-status"):
        location = upload_location(repo.get_upload(upload.location))
    upload.location = location or upload.location
    following = upload.patch(data)
    unchanged = "PUSH-PATCH-416-STATE-UNCHANGED"
    if not judge(unchanged, following.status == 202, "status 202 to the right chunk after a 416", answer, following):
        return
    upload.moved(following)
    whole = upload.content + data
    put = repo.put_upload(upload.location, digest_of(whole))
    judge.status(unchanged, put, 201, when="to the close of an upload that went on after a 416")


def _judge_416(judge: Judge, answer: Response, upload: Upload) -> None:
    for name in ("Location", "Docker-Upload-UUID") if "Docker-Upload-UUID" in upload.start.headers else ("Location",):
        judge.header("PUSH-PATCH-416-HEADERS", answer, name)
    judge.header(
        "PUSH-PATCH-416-HEADERS",
        answer,
        "Range",
        lambda _: range_end(answer) == upload.end,
        f"Range: 0-{upload.end}, the last valid range,",
    )


def _judge_codes(judge: Judge, answer: Response) -> None:
    judge.code("PUSH-PATCH-416-CODE-DOCKER", answer, "RANGE_INVALID")
    codes = answer.error_codes
    if codes is None:
        judge.unsupported("PUSH-PATCH-416-CODE-LISTED", "the error answer has no JSON body with a list of errors")
        return
    judge(
        "PUSH-PATCH-416-CODE-LISTED",
        set(codes) <= CODES,
        "codes of the table of errors only",
        answer,
        actual=codes_of(answer),
    )


@verifies("PUSH-PATCH-FIRST-NOT-ZERO-416")
def test_patch_that_does_not_begin_at_zero(repo: Repository, given: Given, judge: Judge) -> None:
    """A first chunk that does not begin at 0 is answered 416."""
    upload = opened(repo)
    answer = upload.patch(given.make.bytes(upload.size(10)), start=10)
    judge.status("PUSH-PATCH-FIRST-NOT-ZERO-416", answer, 416, when="to a first chunk that begins at 10")


@verifies("PUSH-PATCH-OVERLAP-416")
def test_patch_that_overlaps(repo: Repository, given: Given, judge: Judge) -> None:
    """A chunk that begins inside the data received is answered 416."""
    upload = with_chunk(given, repo)
    answer = upload.patch(given.make.bytes(upload.size(40)), start=upload.end - 9)
    judge.status("PUSH-PATCH-OVERLAP-416", answer, 416, when="to a chunk that overlaps the one before")


@verifies("PUSH-PATCH-REPEATED-416")
def test_patch_repeated(repo: Repository, given: Given, judge: Judge) -> None:
    """A chunk that is sent again is answered 416 and not appended twice."""
    upload = with_chunk(given, repo)
    answer = upload.patch(upload.content, start=0)
    if judge.status("PUSH-PATCH-REPEATED-416", answer, 416, when="to a chunk sent again"):
        upload.moved(answer)
        put = repo.put_upload(upload.location, digest_of(upload.content))
        if put.status != 201:
            raise Undecided(f"blocked by PUSH-PATCH-416-STATE-UNCHANGED: the close gave status {put.status}")


@pytest.mark.parametrize("value", ["abc", "9-0"])
@verifies("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416")
def test_patch_with_a_malformed_content_range(repo: Repository, given: Given, judge: Judge, value: str) -> None:
    """A chunk whose Content-Range has no valid form is answered 416."""
    upload = opened(repo)
    answer = repo.patch_upload(upload.location, given.make.bytes(upload.size(10)), value)
    judge.status("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416", answer, 416, when=f"to Content-Range: {value}")


@verifies("PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH")
def test_patch_shorter_than_its_content_range(repo: Repository, given: Given, judge: Judge) -> None:
    """A chunk whose Content-Range names more bytes than it has is refused."""
    upload = opened(repo)
    data = given.make.bytes(upload.size(50))
    answer = repo.patch_upload(upload.location, data, f"0-{2 * len(data) - 1}")
    requirement = "PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH"
    judge.refused(requirement, answer, f"of {len(data)} bytes as Content-Range 0-{2 * len(data) - 1}")


@verifies("PUSH-PUT-OUT-OF-ORDER-REJECTED", "PUSH-PUT-OUT-OF-ORDER-416")
def test_put_behind_a_gap(repo: Repository, given: Given, judge: Judge) -> None:
    """A last chunk behind a gap in the closing PUT does not complete the upload, and is answered 416."""
    upload = with_chunk(given, repo)
    data = given.make.bytes(30)
    gap = upload.content_range(data, start=len(upload.content) + 50)
    answer = repo.put_upload(upload.location, digest_of(upload.content + data), data, gap)
    judge.require("PUSH-PUT-OUT-OF-ORDER-REJECTED", not answer.ok, f"no 2xx to a last chunk at {gap}", answer)
    judge.status("PUSH-PUT-OUT-OF-ORDER-416", answer, 416, when="to a last chunk behind a gap")
