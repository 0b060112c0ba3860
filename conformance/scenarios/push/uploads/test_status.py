"""Asking how far an upload is."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.scenarios.shared.upload_steps import (
    FRESH,
    UUID,
    Upload,
    judge_fresh,
    judge_uuid,
    opened,
    range_end,
    with_chunk,
)
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, field_of, told, verifies


@verifies(
    "PUSH-STATUS-204", "PUSH-STATUS-LOCATION-PRESENT", "PUSH-STATUS-RANGE-VALUE", "PUSH-STATUS-UPLOAD-UUID-HEADER", UUID
)
def test_get_of_an_upload(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A GET of an upload is answered 204 with the next Location and the Range received so far."""
    upload = with_chunk(setup, repo)
    answer = repo.get_upload(upload.location)
    judge.unsupported(UUID, "the answers compared are those of an upload whose status is told")
    judge.require_status("PUSH-STATUS-204", answer, 204, when="to the GET of an active upload")
    judge.header(
        "PUSH-STATUS-RANGE-VALUE",
        answer,
        "Range",
        lambda _: range_end(answer) == upload.end,
        f"Range: 0-{upload.end} after {len(upload.content)} bytes",
    )
    judge_uuid(judge, "PUSH-STATUS-UPLOAD-UUID-HEADER", upload, answer)
    judge.header("PUSH-STATUS-LOCATION-PRESENT", answer, "Location")


@verifies("PUSH-STATUS-FRESH-RANGE", FRESH)
def test_get_of_an_upload_without_data(repo: Repository, judge: Judge) -> None:
    """The status of an upload without data has a Range header, too."""
    upload = opened(repo)
    answer = repo.get_upload(upload.location)
    judge.unsupported(FRESH, "no Range was told")
    if answer.status != 204:
        raise Undecided(f"the GET of an upload without data was answered with status {answer.status}")
    judge.header("PUSH-STATUS-FRESH-RANGE", answer, "Range")
    judge_fresh(judge, answer)


@verifies("PUSH-STATUS-NO-SIDE-EFFECT", "PUSH-STATUS-RESUME")
def test_upload_goes_on_from_its_status(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Two status requests between chunks change nothing, and tell where the upload continues."""
    upload = with_chunk(setup, repo)
    first = _asked(upload, setup)
    again = repo.get_upload(upload.location)
    second = range_end(again)
    judge.require(
        "PUSH-STATUS-NO-SIDE-EFFECT",
        again.status == 204 and first == second,
        f"status 204 and a Range that ends at {first}, as before, from a second status request",
        again,
        actual=told(again, "Range"),
    )
    upload.location = setup.location(again, "PUSH-STATUS-LOCATION-PRESENT")
    if first != upload.end or second != upload.end:
        raise Undecided("blocked by PUSH-STATUS-RANGE-VALUE")
    data = setup.make.bytes(upload.size(21))
    whole = upload.content + data
    answer = upload.patch(data, start=second + 1)
    expected = "status 202 to the chunk that follows the Range of the status"
    judge.require("PUSH-STATUS-RESUME", answer.status == 202, expected, answer)
    upload.moved(answer)
    put = repo.put_upload(upload.location, digest_of(whole))
    judge.require_status("PUSH-STATUS-RESUME", put, 201, when="to the close of an upload that was resumed")
    judge.gives("PUSH-STATUS-RESUME", setup.read_blob(repo, digest_of(whole)), whole, "the bytes of both chunks", put)


def _asked(upload: Upload, setup: SetUp) -> int | None:
    answer = upload.repo.get_upload(upload.location)
    if answer.status != 204:
        raise Undecided(f"blocked by PUSH-STATUS-204: the status request was answered with status {answer.status}")
    upload.location = setup.location(answer, "PUSH-STATUS-LOCATION-PRESENT")
    return range_end(answer)


@verifies("PUSH-STATUS-EARLIER-LOCATION")
def test_get_of_an_earlier_location(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The status can be asked at the Location of an earlier answer."""
    upload = opened(repo)
    earlier = upload.location
    data = setup.make.bytes(upload.size(11))
    patch = upload.patch(data)
    if patch.status != 202:
        raise Undecided(f"blocked by PUSH-PATCH-STATUS-202: a chunk was answered with status {patch.status}", patch)
    upload.moved(patch)
    newest = repo.get_upload(upload.location)
    if newest.status != 204:
        raise Undecided(f"blocked by PUSH-STATUS-204: the status request was answered with status {newest.status}")
    answer = repo.get_upload(earlier)
    requirement = "PUSH-STATUS-EARLIER-LOCATION"
    if judge.status(requirement, answer, 204, when="at the Location of the POST, after a chunk"):
        same = answer.header("Range") == newest.header("Range")
        judge(
            requirement,
            same,
            f"the same as at the newest Location ({field_of(newest, 'Range')})",
            newest,
            answer,
            actual=told(answer, "Range"),
        )
