"""Blobs that several clients push at the same time."""

from __future__ import annotations

from functools import partial

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.concurrent_clients import Meanwhile, at_once, clients, judge_available
from conformance.scenarios.shared.upload_steps import opened
from conformance.settings import Settings
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, content_of, verifies

AVAILABLE = "BASE-CONCURRENT-NO-500"
WHOLE = "PUSH-CONCURRENT-BLOB-WHOLE"
BOTH = "PUSH-BLOB-PARALLEL-SAME-DIGEST"
ISOLATED = "PUSH-SESSION-PARALLEL-ISOLATED"
ONE = "PUSH-CONCURRENT-CHUNKS-ONE"
UNMIXED = "PUSH-CONCURRENT-CHUNKS-NOT-MIXED"
MOUNTED = "PUSH-CONCURRENT-MOUNT-AVAILABLE"
#: A size that no other scenario is about.
_SIZE = 60_000


@verifies(WHOLE, BOTH, AVAILABLE)
def test_one_blob_by_many(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Many pushes of one blob at the same time all complete, and leave it whole."""
    blob = setup.make.blob(4096)
    locations = [setup.upload(repo) for _ in range(clients(settings))]
    puts = at_once(*(partial(repo.put_upload, at, blob.digest, blob.content) for at in locations))
    judge_available(judge, AVAILABLE, *puts)
    for put in puts:
        judge.status(BOTH, put, 201, when="to each of several pushes of one blob")
    created = [put for put in puts if put.status == 201]
    if not created:
        raise Undecided("none of several pushes of one blob was accepted", *puts)
    expected = "the blob that several clients pushed, whole"
    judge.gives(WHOLE, setup.read_blob(repo, blob.digest), blob.content, expected, created[0])


@verifies(ISOLATED, AVAILABLE)
def test_two_blobs_at_once(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Two blobs that are on their way to a repository at the same time both arrive whole."""
    uploads, blobs = [opened(repo) for _ in range(2)], [setup.make.blob(_SIZE) for _ in range(2)]
    (first, second), (one, other) = (uploads, blobs)
    body = Meanwhile(
        one.content,
        lambda: [repo.put_upload(second.location, other.digest, other.content)],
        _SIZE // 2,
        first.start,
    )
    length = (("Content-Length", str(_SIZE)),)
    puts = [repo.put_upload(first.location, one.digest, body, headers=length), *body.answers]
    judge_available(judge, AVAILABLE, *puts)
    for blob, put in zip(blobs, puts, strict=False):
        if judge.status(ISOLATED, put, 201, when="to each of two blobs that were sent at the same time"):
            expected = "a blob that was sent while another was, whole"
            judge.gives(ISOLATED, setup.read_blob(repo, blob.digest), blob.content, expected, put)


@verifies(ONE, UNMIXED, AVAILABLE)
def test_one_upload_by_two(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Of two chunks for the same place, sent at the same time, one is accepted; they never mix."""
    upload = opened(repo)
    size = upload.size(_SIZE)
    first, second = setup.make.bytes(size), setup.make.bytes(size)
    place = upload.content_range(first)
    body = Meanwhile(first, lambda: [repo.patch_upload(upload.location, second, place)], size // 2, upload.start)
    length = (("Content-Length", str(size)),)
    answers = [repo.patch_upload(upload.location, body, place, headers=length), *body.answers]
    judge_available(judge, AVAILABLE, *answers)
    taken = [answer for answer in answers if answer.status == 202]
    expected = "that one of two chunks for the same place is refused"
    judge(ONE, len(taken) < 2, expected, *answers, actual="both were answered 202")
    for content in (first, second):
        upload.moved(taken[-1] if taken else answers[0])
        answers.append(repo.put_upload(upload.location, digest_of(content)))
    _unmixed(judge, repo, answers, first, second)


@verifies(UNMIXED, AVAILABLE)
def test_one_upload_closed_by_two(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """An upload that two clients close at the same time makes one whole blob, or none."""
    upload, blob = opened(repo), setup.make.blob(_SIZE)
    location = upload.location
    body = Meanwhile(blob.content, lambda: [repo.put_upload(location, blob.digest, blob.content)], 0, upload.start)
    length = (("Content-Length", str(len(blob.content))),)
    answers = [repo.put_upload(location, blob.digest, body, headers=length), *body.answers]
    judge_available(judge, AVAILABLE, *answers)
    _unmixed(judge, repo, answers, blob.content)


def _unmixed(judge: Judge, repo: Repository, before: list[Response], *contents: bytes) -> None:
    """Judge that nothing but its own content is found under the digest of each."""
    for content in contents:
        got = repo.get_blob(digest_of(content))
        expected = "under each digest its own content, or nothing"
        held = not got.ok or got.body == content
        judge(UNMIXED, held, expected, *before, got, actual=f"under {digest_of(content)} came {content_of(got)}")


@verifies(MOUNTED, AVAILABLE)
def test_many_mounts(repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Of many mounts at the same time, each that is answered 201 makes its blob available."""
    if repo.name == other_repo.name:
        raise Undecided("a mount needs two repositories")
    blobs = [setup.blob(repo) for _ in range(clients(settings) // 2)]
    # Each twice: two mounts of one blob meet as well.
    mounts = at_once(*(partial(other_repo.mount, blob.digest, repo.name) for blob in blobs * 2))
    done = {blob: mount for blob, mount in zip(blobs * 2, mounts, strict=True) if mount.status == 201}
    if not done:
        raise Unsupported("no mount was answered 201")
    judge_available(judge, AVAILABLE, *mounts)
    for blob, mount in done.items():
        expected = "the blob where it was mounted among others"
        judge.gives(MOUNTED, setup.read_blob(other_repo, blob.digest), blob.content, expected, mount)
