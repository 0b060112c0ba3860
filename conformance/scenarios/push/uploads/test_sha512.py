"""Blobs by their sha512 digest, and sessions for an algorithm."""

from __future__ import annotations

from conformance.client.registry import Repository, upload_location
from conformance.scenarios.shared.upload_steps import opened
from conformance.target.capabilities import Capabilities
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, verifies

SHA512 = "PUSH-BLOB-SHA512-ACCEPTED"
MISMATCH = "PUSH-BLOB-SHA512-MISMATCH-REJECTED"
SERVED = "BASE-DIGEST-SHA512"
KEPT = "PUSH-BLOB-KEPT"


@verifies(SHA512, MISMATCH, SERVED, KEPT)
def test_put_with_a_sha512_digest(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """A blob pushed by its sha512 digest is served under it; a wrong one is refused, however its upload was opened."""
    blob = setup.blob(repo)
    content = blob.content
    digest = digest_of(content, "sha512")
    answer = repo.put_upload(setup.upload(repo), digest, content)
    judge.require_status(SHA512, answer, 201, when="to an upload by its sha512 digest")
    got = setup.read_blob(repo, digest)
    for requirement in (SHA512, SERVED):
        judge.gives(requirement, got, content, "the blob under its sha512 digest", answer)
    judge.status(SERVED, repo.head_blob(digest), 200)
    expected = "the blob under its sha256 digest after it was pushed under another, too"
    judge.gives(KEPT, setup.read_blob(repo, blob.digest), content, expected, answer)
    starts = {"": setup.upload(repo)}
    # Announced is no more than how the registry may count; where that is refused or ignored, another scenario looks.
    if location := upload_location(repo.start_upload(query="?digest-algorithm=sha512")):
        starts[" of an upload that was opened for sha512"] = location
    for what, location in starts.items():
        wrong = repo.put_upload(location, digest_of(setup.make.bytes(), "sha512"), setup.make.bytes())
        judge(MISMATCH, not wrong.ok, f"no 2xx to a wrong sha512 digest{what}", wrong)
    if capabilities.has("chunked"):
        upload = opened(repo)
        for _ in range(2):
            data = setup.make.bytes(upload.size(40))
            answer = upload.patch(data)
            if answer.status != 202:
                # A minimum of chunks may not be announced.
                return
            upload.content += data
            upload.moved(answer)
        wrong = repo.put_upload(upload.location, digest_of(setup.make.bytes(), "sha512"))
        judge(MISMATCH, not wrong.ok, "no 2xx to a wrong sha512 digest of two chunks", wrong)


@verifies("PUSH-START-DIGEST-ALGORITHM-PARAM")
def test_session_for_sha512(repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities) -> None:
    """A session opened with digest-algorithm=sha512 can be asked for and completed with a sha512 digest."""
    requirement = "PUSH-START-DIGEST-ALGORITHM-PARAM"
    start = repo.start_upload(query="?digest-algorithm=sha512")
    judge.require_status(requirement, start, 202, when="to the start of an upload for sha512")
    upload = opened(repo)
    # A registry need not tell of uploads at all.
    told = capabilities.has("upload-status") and repo.get_upload(upload.location).ok
    upload.location = setup.location(start, "PUSH-START-LOCATION-PRESENT")
    data = setup.make.bytes(upload.size(40))
    patch = upload.patch(data)
    if patch.status != 202:
        raise Undecided(f"blocked by PUSH-PATCH-STATUS-202: a chunk was answered with status {patch.status}", patch)
    location = upload_location(patch) or upload.location
    if told:
        state = repo.get_upload(location)
        judge.status(requirement, state, 204, when="to the status of an upload for sha512")
        location = upload_location(state) or location
    put = repo.put_upload(location, digest_of(data, "sha512"))
    judge.status(requirement, put, 201, when="to the close with a sha512 digest")


@verifies("PUSH-START-DIGEST-ALGORITHM-UNSUPPORTED-400")
def test_session_for_an_unknown_algorithm(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A session for an algorithm that nobody knows is answered 400."""
    setup.upload(repo)
    answer = repo.start_upload(query="?digest-algorithm=test256")
    if answer.status == 202:
        raise Unsupported("the parameter digest-algorithm is ignored")
    judge.status("PUSH-START-DIGEST-ALGORITHM-UNSUPPORTED-400", answer, 400, when="to digest-algorithm=test256")
