"""Pulls of what another client is about to push, and pulls that are dropped."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.concurrent_clients import Meanwhile, judge_available
from conformance.scenarios.shared.upload_steps import opened
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, content_of, verifies

AVAILABLE = "BASE-CONCURRENT-NO-500"
PART = "PULL-CONCURRENT-UPLOAD-NO-PART"
DROPPED = "PULL-BLOB-DROPPED-DOWNLOAD"
_SIZE = 250_000


@verifies(PART, AVAILABLE)
def test_pull_during_the_upload(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob whose upload is under way is not there, or whole; never a part of it."""
    blob = setup.make.blob(_SIZE)

    def look() -> list[Response]:
        return [repo.get_blob(blob.digest, at_once=True), repo.head_blob(blob.digest, at_once=True)]

    upload = opened(repo)
    body = Meanwhile(blob.content, look, _SIZE // 2, upload.start)
    length = (("Content-Length", str(_SIZE)),)
    put = repo.put_upload(upload.location, blob.digest, body, headers=length)
    looks = body.answers
    judge_available(judge, AVAILABLE, put, *looks)
    if not looks or not body.between:
        raise Unsupported("no pull was answered while the upload was under way")
    for seen in looks:
        # A HEAD says that the blob is there, which it cannot be: half of it has not been sent.
        held = not seen.ok and not seen.failure
        judge(PART, held, "no blob before the whole of it was sent", seen, actual=content_of(seen))
    judge.granted(put)
    judge.gives(PART, setup.read_blob(repo, blob.digest), blob.content, "the whole blob after the upload", put)


@verifies(DROPPED)
def test_pull_after_a_dropped_download(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A download that the client drops in the middle does no harm to the next."""
    blob = setup.blob(repo, setup.make.bytes(4 * _SIZE))
    dropped = repo.get_blob(blob.digest, max_body=_SIZE // 4)
    # A read is repeated after a broken connection: what came in the end may be the second answer.
    if dropped.ok and dropped.body == blob.content:
        raise Unsupported("the download was over before it could be dropped")
    if dropped.ok:
        judge.gives(DROPPED, dropped, blob.content, "the whole blob after a dropped download")
        return
    judge.gives(DROPPED, setup.read_blob(repo, blob.digest), blob.content, "the whole blob after a dropped download")
