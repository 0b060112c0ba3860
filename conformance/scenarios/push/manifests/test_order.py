"""Chunks that do not follow what was received."""

from __future__ import annotations

import re

from conformance.client.error_codes import CODES
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.upload_steps import Upload, closed, in_pieces, opened, range_end, with_chunk
from conformance.target.capabilities import Capabilities
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, codes_of, status_of, told, verifies

#: Two positions, of which the first has to be 0.
_BOUNDS = re.compile(r"(?:bytes=)?\d+-\d+")
GAP = "PUSH-PATCH-OUT-OF-ORDER-GAP-416"
UNCHANGED = "PUSH-PATCH-416-STATE-UNCHANGED"
MALFORMED = "PUSH-PATCH-CONTENT-RANGE-MALFORMED-416"
NO_EFFECT = "PUSH-PUT-OUT-OF-ORDER-NO-EFFECT"


@verifies(
    "PUSH-PATCH-OUT-OF-ORDER-GAP-416",
    "PUSH-PATCH-416-HEADERS",
    "PUSH-PATCH-416-RANGE-PRESENT",
    "PUSH-PATCH-416-RANGE-TRUE",
    "PUSH-PATCH-416-CODE-DOCKER",
    "PUSH-PATCH-416-CODE-LISTED",
    "PUSH-PATCH-416-STATE-UNCHANGED",
)
def test_patch_behind_a_gap(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """A chunk behind a gap is answered 416, adds nothing, and the upload can go on."""
    upload = with_chunk(setup, repo)
    data = setup.make.bytes(upload.size(30))
    answer = upload.patch(data, start=len(upload.content) + 50)
    judge.require_status(GAP, answer, 416, when="to a chunk behind a gap")
    _judge_416(judge, answer, upload)
    _judge_codes(judge, answer)
    location = upload_location(answer)
    if location is None and capabilities.has("upload-status"):
        location = upload_location(repo.get_upload(upload.location))
    upload.location = location or upload.location
    following = upload.patch(data)
    if not judge(UNCHANGED, following.status == 202, "status 202 to the right chunk after a 416", answer, following):
        return
    upload.moved(following)
    whole = upload.content + data
    put = repo.put_upload(upload.location, digest_of(whole))
    judge.status(UNCHANGED, put, 201, when="to the close of an upload that continued after a 416")


def _judge_416(judge: Judge, answer: Response, upload: Upload) -> None:
    judge.header("PUSH-PATCH-416-RANGE-PRESENT", answer, "Range")
    end = range_end(answer)
    if end is None and not _BOUNDS.fullmatch(answer.header("Range") or ""):
        judge.unsupported("PUSH-PATCH-416-RANGE-TRUE", "the 416 has no Range that can be read")
    else:
        expected = f"Range: 0-{upload.end}, the last valid range,"
        judge("PUSH-PATCH-416-RANGE-TRUE", end == upload.end, expected, answer, actual=told(answer, "Range"))
    wanted = [name for name in ("Location", "Docker-Upload-UUID") if name in upload.start.headers]
    lacking = [name for name in wanted if name not in answer.headers]
    expected = f"the headers {' and '.join(wanted)} on the 416"
    judge("PUSH-PATCH-416-HEADERS", not lacking, expected, answer, actual=f"{' and '.join(lacking)} lacked")


def _judge_codes(judge: Judge, answer: Response) -> None:
    # docker-v2 and OCI ask here for codes that exclude each other; the reader is told whose each
    # is.
    docker = "the error code RANGE_INVALID, which docker-v2 has for it and no version of OCI lists,"
    codes = answer.error_codes
    if codes is None:
        judge.code("PUSH-PATCH-416-CODE-DOCKER", answer, "RANGE_INVALID")
    else:
        judge("PUSH-PATCH-416-CODE-DOCKER", "RANGE_INVALID" in codes, docker, answer, actual=codes_of(answer))
    if codes is None:
        judge.unsupported("PUSH-PATCH-416-CODE-LISTED", "the error answer has no JSON body with a list of errors")
        return
    judge(
        "PUSH-PATCH-416-CODE-LISTED",
        set(codes) <= CODES,
        "codes of OCI's table only, which does not have Docker's RANGE_INVALID,",
        answer,
        actual=codes_of(answer),
    )


@verifies("PUSH-PATCH-FIRST-NOT-ZERO-416")
def test_patch_that_does_not_begin_at_zero(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A first chunk that does not begin at 0 is answered 416."""
    upload = opened(repo)
    answer = upload.patch(setup.make.bytes(upload.size(10)), start=10)
    judge.status("PUSH-PATCH-FIRST-NOT-ZERO-416", answer, 416, when="to a first chunk that begins at 10")


@verifies("PUSH-PATCH-OVERLAP-416")
def test_patch_that_overlaps(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A chunk that begins inside the data received is answered 416."""
    upload = with_chunk(setup, repo)
    answer = upload.patch(setup.make.bytes(upload.size(40)), start=upload.end - 9)
    judge.status("PUSH-PATCH-OVERLAP-416", answer, 416, when="to a chunk that overlaps the one before")


@verifies("PUSH-PATCH-REPEATED-416")
def test_patch_repeated(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A chunk that is sent again is answered 416 and not appended twice."""
    upload = with_chunk(setup, repo)
    answer = upload.patch(upload.content, start=0)
    if judge.status("PUSH-PATCH-REPEATED-416", answer, 416, when="to a chunk sent again"):
        expected = "a Range with the last valid range on the 416"
        judge.beside("PUSH-PATCH-416-RANGE-PRESENT", "Range" in answer.headers, expected, answer)
        upload.moved(answer)
        put = repo.put_upload(upload.location, digest_of(upload.content))
        if put.status != 201:
            raise Undecided(f"blocked by PUSH-PATCH-416-STATE-UNCHANGED: the close gave status {put.status}", put)


def _malformed(last: int) -> tuple[str, ...]:
    """Return malformed values of Content-Range that a lenient parser may accept."""
    return ("abc", f"{last}-0", "0-", f"-{last}", "0-abc", f"0-{last}-{2 * last}", f"+0-{last}")


@verifies(MALFORMED, UNCHANGED)
def test_patch_with_a_malformed_content_range(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Chunks whose Content-Range has no valid form are answered 416, and add nothing."""
    upload = opened(repo)
    data = setup.make.bytes(upload.size(10))
    refusals: list[Response] = []
    wrong: dict[str, Response] = {}
    for value in _malformed(len(data) - 1):
        answer = repo.patch_upload(upload.location, data, value)
        if answer.status == 416:
            refusals.append(answer)
            upload.moved(answer)
            continue
        wrong[value] = answer
        # What was taken, or refused by what ends an upload, says nothing of the next.
        upload, refusals = opened(repo), []
    came = "; ".join(f"{status_of(answer)} to {value}" for value, answer in wrong.items())
    judge(MALFORMED, not wrong, "status 416 to each Content-Range without a valid form", *wrong.values(), actual=came)
    if not refusals:
        judge.unsupported(UNCHANGED, "the last malformed Content-Range was not answered 416")
        return
    following = upload.patch(data)
    if following.status == 416 and opened(repo).patch(data).status == 416:
        raise Undecided(f"a first chunk of {len(data)} bytes is refused as well: a minimum may not be announced")
    if judge(UNCHANGED, following.status == 202, "status 202 to the right chunk after a 416", *refusals, following):
        upload.moved(following)
        put = repo.put_upload(upload.location, digest_of(data))
        judge.status(UNCHANGED, put, 201, when="to the close of an upload that continued after a 416")


@verifies("PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH")
def test_patch_unlike_its_content_range(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A chunk whose Content-Range names more bytes than it has, or fewer, is refused."""
    requirement = "PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH"
    for part in (2, 0.5):
        upload = opened(repo)
        data = setup.make.bytes(upload.size(50))
        place = f"0-{int(part * len(data)) - 1}"
        answer = repo.patch_upload(upload.location, data, place)
        judge.refused(requirement, answer, f"of {len(data)} bytes as Content-Range {place}")


@verifies("PUSH-PATCH-OUT-OF-ORDER-CHUNKED")
def test_patch_behind_a_gap_without_length(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A chunk behind a gap is refused in chunked transfer coding, too."""
    upload = with_chunk(setup, repo)
    data = setup.make.bytes(upload.size(30))
    place = upload.content_range(data, start=len(upload.content) + 50)
    answer = repo.patch_upload(upload.location, in_pieces(data), place)
    judge.refused("PUSH-PATCH-OUT-OF-ORDER-CHUNKED", answer, "of a chunk behind a gap, sent in chunked coding")


@verifies("PUSH-PUT-OUT-OF-ORDER-REJECTED", "PUSH-PUT-OUT-OF-ORDER-416", NO_EFFECT)
def test_put_behind_a_gap(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """A last chunk behind a gap does not complete the upload, is answered 416, and adds nothing."""
    upload = with_chunk(setup, repo)
    data = setup.make.bytes(30)
    gap = upload.content_range(data, start=len(upload.content) + 50)
    answer = repo.put_upload(upload.location, digest_of(upload.content + data), data, gap)
    judge.require("PUSH-PUT-OUT-OF-ORDER-REJECTED", not answer.ok, f"no 2xx to a last chunk at {gap}", answer)
    judge.status("PUSH-PUT-OUT-OF-ORDER-416", answer, 416, when="to a last chunk behind a gap")
    _judge_no_effect(judge, upload, answer, asks=capabilities.has("upload-status"))


def _judge_no_effect(judge: Judge, upload: Upload, refusal: Response, *, asks: bool) -> None:
    """Judge that an upload holds what it held before a last chunk was refused, or is no more."""
    upload.moved(refusal)
    if asks:
        status = upload.repo.get_upload(upload.location)
        if status.status == 204:
            upload.moved(status)
            expected = f"Range: 0-{upload.end} after a refused last chunk, as before it"
            held = range_end(status) == upload.end
            if not judge(NO_EFFECT, held, expected, refusal, status, actual=told(status, "Range")):
                return
    put = closed(upload)
    if put.status == 404:  # a refusal other than 416 may end an upload
        judge.unsupported(NO_EFFECT, "the refusal ended the upload")
    else:
        judge.granted(put)
        expected = "status 201 to the close without the last chunk that was refused"
        judge(NO_EFFECT, put.status == 201, expected, refusal, put)
