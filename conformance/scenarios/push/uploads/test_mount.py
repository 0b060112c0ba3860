"""Mounting a blob from another repository."""

from __future__ import annotations

from conformance.client.digests import is_digest_of
from conformance.client.http.exchange import Response
from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.partial_content import judge_digest
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.scenarios.shared.upload_steps import leads_to, not_granted
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, verifies

STATUS = "PUSH-MOUNT-STATUS"
AVAILABLE = "PUSH-MOUNT-BLOB-AVAILABLE"
KEPT = "PUSH-BLOB-KEPT"
OTHER_TAG = "PULL-MANIFEST-OTHER-REPO-TAG"
DIGEST_HEADER = ("PUSH-MOUNT-DIGEST-HEADER", "PUSH-MOUNT-DIGEST-HEADER-TRUE")
#: Where a mount was answered with an upload, there is no blob yet.
UNKNOWN = ("PULL-BLOB-HEAD-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-404")
#: What no grammar takes for a digest.
NO_DIGEST = "sha256:!!"
_NO_RIGHTS = "the login does not cover both repositories of a mount"


def _distinct(repo: Repository, other: Repository) -> None:
    if repo.name == other.name:
        raise Undecided("a mount needs two repositories")


@verifies(STATUS, AVAILABLE, "PUSH-MOUNT-LOCATION-PULLABLE", KEPT, OTHER_TAG, *DIGEST_HEADER)
def test_mount_of_an_existing_blob(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A mount from another repository makes the blob available (201), or opens an upload (202); nothing else comes."""
    _distinct(repo, other_repo)
    image = setup.image(repo)
    blob = setup.blob(repo)
    answer = other_repo.mount(blob.digest, repo.name)
    if not_granted(answer, settings):
        raise Unsupported(_NO_RIGHTS)
    if answer.status != 201:
        for requirement in (AVAILABLE, KEPT, OTHER_TAG):
            judge.unsupported(requirement, "the mount was not answered 201")
    judge.require_status(STATUS, answer, 201, 202, when="to the mount of a blob of another repository")
    rest = (AVAILABLE, "PUSH-MOUNT-LOCATION-PULLABLE", KEPT, OTHER_TAG, *DIGEST_HEADER)
    if answer.status == 202:
        for requirement in rest:
            judge.unsupported(requirement, "the mount was answered with an upload session")
        put = other_repo.put_upload(
            setup.location(answer, "PUSH-MOUNT-FALLBACK-SESSION-USABLE"), blob.digest, blob.content
        )
        expected = "an upload that takes the blob at the Location of a mount that was answered 202"
        judge.beside("PUSH-MOUNT-FALLBACK-SESSION-USABLE", put.status == 201, expected, answer, put)
        return
    expected = f"the blob in {repo.name}, which it was mounted from"
    judge.gives(KEPT, setup.read_blob(repo, blob.digest), blob.content, expected, answer)
    judge.header("PUSH-MOUNT-DIGEST-HEADER", answer, DIGEST)
    judge_digest(judge, "PUSH-MOUNT-DIGEST-HEADER-TRUE", answer, answer.headers.all(DIGEST), blob.content)
    expected = f"the blob in {other_repo.name} after it was mounted there"
    if not judge.gives(
        "PUSH-MOUNT-BLOB-AVAILABLE", setup.read_blob(other_repo, blob.digest), blob.content, expected, answer
    ):
        judge.stop("PUSH-MOUNT-BLOB-AVAILABLE")
    strayed = other_repo.get_manifest(image.tag or "", image.media_type)
    judge.status(OTHER_TAG, strayed, 404, when="to a tag of the repository that a blob was mounted from")
    leads_to(judge, "PUSH-MOUNT-LOCATION-PULLABLE", answer, blob, repo=other_repo)
    # What is no blob of the source cannot be there as one.
    claimed = other_repo.mount(image.digest, repo.name)
    if claimed.status == 201:
        _judge_claim(judge, other_repo, claimed, image.digest)
    own = repo.mount(blob.digest, repo.name)
    if own.status == 201:
        expected = f"the blob in {repo.name} after it was mounted from there to there"
        judge.gives(AVAILABLE, setup.read_blob(repo, blob.digest), blob.content, expected, own)


def _judge_claim(judge: Judge, repo: Repository, answer: Response, digest: str) -> None:
    """Judge that a blob is there where the answer to a mount says so."""
    if answer.status != 201:
        judge.unsupported(AVAILABLE, "the mount was not answered 201")
        return
    got = repo.get_blob(digest)
    held = got.ok and is_digest_of(digest, got.body) is not False
    judge(AVAILABLE, held, f"no 201 to a mount of {digest} unless the blob is there afterwards", answer, got)


@verifies("PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202", "PUSH-MOUNT-FALLBACK-SESSION-USABLE", AVAILABLE)
def test_mount_of_an_unknown_blob(
    repo: Repository,
    *,
    other_repo: Repository,
    unknown_repo: Repository,
    setup: SetUp,
    judge: Judge,
    settings: Settings,
) -> None:
    """A mount of an unknown blob, or from an unknown repository, falls back to an upload."""
    _distinct(repo, other_repo)
    setup.blob(repo)
    requirement = "PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202"
    nowhere = setup.make.digest()
    absent = other_repo.mount(nowhere, repo.name)
    if not_granted(absent, settings):
        raise Unsupported(_NO_RIGHTS)
    judge.status(requirement, absent, 202, when="to a mount of a blob that the source does not have")
    _judge_claim(judge, other_repo, absent, nowhere)
    if absent.status == 202:
        head = other_repo.head_blob(nowhere)
        judge.beside(UNKNOWN[0], not head.ok, "no blob where none was mounted", absent, head)
    blob = setup.make.blob()
    answer = other_repo.mount(blob.digest, unknown_repo.name)
    if not not_granted(answer, settings):
        judge.status(requirement, answer, 202, when="to a mount from a repository that does not exist")
        _judge_claim(judge, other_repo, answer, blob.digest)
        if answer.status == 202:
            got = other_repo.get_blob(blob.digest)
            judge.beside(UNKNOWN[1], not got.ok, "no blob where none was mounted", answer, got)
    usable = "PUSH-MOUNT-FALLBACK-SESSION-USABLE"
    sessions = [session for session in (answer, absent) if session.status == 202]
    if not sessions:
        judge.unsupported(usable, "no mount was answered with an upload session")
    # The second upload is of another blob than the mount named: nothing binds an upload to a
    # digest.
    for session, sent in zip(sessions, (blob, setup.make.blob()), strict=False):
        if judge.header(usable, session, "Location", expected="a Location of the upload session"):
            location = setup.location(session, "PUSH-START-LOCATION-PRESENT")
            content = sent.content
            if sent is not blob and other_repo.least_chunk(session) <= len(content):
                # Whatever else is refused of a chunk, its upload is there.
                chunk = other_repo.patch_upload(location, content, f"0-{len(content) - 1}")
                judge(usable, chunk.status != 404, "an upload that takes chunks, too", session, chunk)
                location, content = (upload_location(chunk) or location, b"") if chunk.ok else (location, content)
            put = other_repo.put_upload(location, sent.digest, content)
            if judge.status(usable, put, 201, when="to a PUT at the Location of a mount that was answered 202"):
                expected = f"the blob in {other_repo.name}, where it was to be mounted"
                judge.gives(usable, setup.read_blob(other_repo, sent.digest), sent.content, expected, put)


@verifies("PUSH-MOUNT-FROM-ABSENT", "PUSH-MOUNT-DIGEST-MALFORMED", AVAILABLE)
def test_mount_without_source_or_digest(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """A mount without from mounts or opens an upload; one of a malformed digest does not mount."""
    blob = setup.blob(repo)
    known = other_repo.mount(blob.digest, None)
    judge.status("PUSH-MOUNT-FROM-ABSENT", known, 201, 202, when="to a mount without from")
    _judge_claim(judge, other_repo, known, blob.digest)
    nowhere = setup.make.digest()
    unknown = other_repo.mount(nowhere, None)
    judge.status("PUSH-MOUNT-FROM-ABSENT", unknown, 202, when="to a mount of an unknown blob without from")
    _judge_claim(judge, other_repo, unknown, nowhere)
    malformed = other_repo.mount(NO_DIGEST, repo.name)
    _judge_claim(judge, other_repo, malformed, NO_DIGEST)
    if not_granted(malformed, settings):
        judge.unsupported("PUSH-MOUNT-DIGEST-MALFORMED", _NO_RIGHTS)
        return
    judge.status("PUSH-MOUNT-DIGEST-MALFORMED", malformed, 202, 400, when="to a mount of a malformed digest")
