"""Requests whose connection breaks in the middle of their body."""

from __future__ import annotations

import time

import pytest

from conformance.client.http.exchange import Response
from conformance.client.http.transport import Payload
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.scenarios.shared.upload_steps import Upload, breaks_off, range_end, with_chunk
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST, Blob, Manifest, digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, told, verifies

RANGE = "PUSH-INTERRUPTED-RANGE"
RESUME = "PUSH-INTERRUPTED-RESUME"
AGAIN = "PUSH-INTERRUPTED-REPUSH"
PUT = "PUSH-PUT-TRUNCATED-NO-BLOB"
PUT_CHUNKED = "PUSH-PUT-TRUNCATED-CHUNKED-NO-BLOB"
SINGLE = "PUSH-SINGLE-TRUNCATED-NO-BLOB"
MANIFEST = "PUSH-MANIFEST-TRUNCATED-NOT-STORED"
_SIZE = 250_000
#: How often a place to go on is asked for: what still lay in the target's buffers may move it.
_ATTEMPTS = 4
#: How often, and with which pauses in seconds, a target is given a moment to see that a connection
#: broke.
_LOOKS, _MOMENT = 5, 0.02
#: Access control may hide a repository that nothing was pushed to.
_FRAMED = pytest.mark.parametrize("framed", [True, False], ids=["by-length", "by-chunks"])


def _length(content: bytes, framed: bool) -> tuple[tuple[str, str], ...]:
    """The Content-Length of a body, or none, so that it goes in the chunks of HTTP/1.1."""
    return (("Content-Length", str(len(content))),) if framed else ()


@_FRAMED
@verifies("PUSH-INTERRUPTED-RANGE", "PUSH-INTERRUPTED-RESUME")
def test_chunk_that_breaks_off(repo: Repository, setup: SetUp, judge: Judge, framed: bool) -> None:
    """After a broken chunk the status tells the bytes received, and the upload continues there."""
    upload = with_chunk(setup, repo)
    rest = setup.make.bytes(upload.size(_SIZE))
    half = rest[: len(rest) // 2]
    place = upload.content_range(rest)
    repo.patch_upload(upload.location, breaks_off(half), place, headers=_length(rest, framed))
    whole = upload.content + rest
    _noticed(upload)
    for _ in range(_ATTEMPTS):
        status = repo.get_upload(upload.location)
        if status.refused:
            for requirement in (RANGE, RESUME):
                judge.unsupported(requirement, f"the upload ended with its connection (status {status.status})")
            return
        if status.status != 204:
            raise Undecided(f"the status request was answered with status {status.status}")
        end = range_end(status)
        expected = f"a Range that ends between {upload.end} and {upload.end + len(half)}, as that much was sent,"
        held = end is not None and upload.end <= end <= upload.end + len(half)
        judge.require(RANGE, held, expected, status, actual=told(status, "Range"))
        upload.moved(status)
        answer = _finished(upload, whole, end or 0)
        if answer.status != 416:
            break
        upload.moved(answer)
    if answer.status == 404:
        judge.unsupported(RESUME, "the upload ended with its connection")
    elif judge.status(RESUME, answer, 201, when="to the close of an upload that continued after a broken connection"):
        expected = "the bytes from before and after the broken connection"
        judge.gives(RESUME, setup.read_blob(repo, digest_of(whole)), whole, expected, answer)


def _noticed(upload: Upload) -> None:
    """Wait until the target sees the broken connection: until the status changes."""
    for _ in range(_LOOKS):
        status = upload.repo.get_upload(upload.location)
        if status.status != 204 or range_end(status) != upload.end:
            return
        time.sleep(_MOMENT)


def _finished(upload: Upload, whole: bytes, end: int) -> Response:
    """Send what is missing behind a place, with the close where chunks have a minimum size."""
    repo, rest = upload.repo, whole[end + 1 :]
    place = f"{end + 1}-{len(whole) - 1}"
    if upload.minimum > 1:
        return repo.put_upload(upload.location, digest_of(whole), rest, place)
    answer = repo.patch_upload(upload.location, rest, place)
    if answer.status != 202:
        return answer
    upload.moved(answer)
    return repo.put_upload(upload.location, digest_of(whole))


@verifies("PUSH-PUT-TRUNCATED-NO-BLOB", "PUSH-PUT-TRUNCATED-CHUNKED-NO-BLOB", "PUSH-INTERRUPTED-REPUSH")
def test_put_that_breaks_off(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A PUT whose body breaks off makes no blob, and does not prevent the next push."""
    for requirement, framed in ((PUT, True), (PUT_CHUNKED, False)):
        blob = setup.make.blob(2048)
        location = setup.upload(repo)
        body, length = breaks_off(blob.content[:1024]), _length(blob.content, framed)
        repo.put_upload(location, blob.digest, body, headers=length)
        _judge_absent(judge, requirement, repo, blob, settings)
        again = repo.put_upload(setup.upload(repo), blob.digest, blob.content)
        _judge_again(setup, judge, repo, blob, again)


@verifies("PUSH-SINGLE-TRUNCATED-NO-BLOB", "PUSH-INTERRUPTED-REPUSH")
def test_post_that_breaks_off(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A POST whose body breaks off makes no blob, and does not prevent the next push."""
    for framed in (True, False):
        blob = setup.make.blob(2048)
        body, length = breaks_off(blob.content[:1024]), _length(blob.content, framed)
        repo.upload_single(blob.digest, body, headers=length)
        _judge_absent(judge, SINGLE, repo, blob, settings)
        again = repo.put_upload(setup.upload(repo), blob.digest, blob.content)
        _judge_again(setup, judge, repo, blob, again)


def _judge_absent(judge: Judge, requirement: str, repo: Repository, blob: Blob, settings: Settings) -> None:
    settings.wait(lambda: False)
    for name, digest in (("whole", blob.digest), ("half", digest_of(blob.content[:1024]))):
        got = repo.get_blob(digest)
        expected = f"no blob under the digest of the {name} body"
        judge.absent(requirement, got, expected, stored=blob.content)


def _judge_again(setup: SetUp, judge: Judge, repo: Repository, blob: Blob, again: Response) -> None:
    if judge.status(AGAIN, again, 201, when="to a blob whose push was broken off before"):
        expected = "the blob that was pushed again"
        judge.gives(AGAIN, setup.read_blob(repo, blob.digest), blob.content, expected, again)


@_FRAMED
@verifies("PUSH-MANIFEST-TRUNCATED-NOT-STORED")
def test_manifest_that_breaks_off(
    repo: Repository, setup: SetUp, judge: Judge, settings: Settings, framed: bool
) -> None:
    """A manifest whose body breaks off is not stored and moves no tag, even if it parses."""
    manifest = setup.image(repo)
    tag = str(manifest.tag)
    sent = Manifest.of(manifest.body + b"\n" * 1024, OCI_MANIFEST)
    headers = (("Content-Type", OCI_MANIFEST), *_length(sent.body + b"\n" * 1024, framed))
    _cut(repo, tag, breaks_off(sent.body), headers)
    settings.wait(lambda: False)
    for name, reference, wanted in (("tag", tag, manifest.body), ("digest", sent.digest, None)):
        got = repo.get_manifest(reference, ANY_MANIFEST)
        if got.excuse:
            raise Undecided("no answer after the broken connection")
        expected = "the tag where it was" if wanted else "no manifest under the digest of what came"
        held = got.body != sent.body and (got.status == 200) == (wanted is not None)
        judge(MANIFEST, held, expected, got, actual=f"by {name} {told(got, 'Content-Length')}")


def _cut(repo: Repository, tag: str, body: Payload, headers: tuple[tuple[str, str], ...]) -> None:
    path = f"/v2/{repo.name}/manifests/{tag}"
    parameters = {"name": repo.name, "reference": tag}
    repo.registry.request("PUT", path, operation="manifest.put", parameters=parameters, headers=headers, payload=body)
