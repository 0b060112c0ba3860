"""Pushing a blob with a single POST."""

from __future__ import annotations

from conformance.client.digests import malformed
from conformance.client.registry import Repository
from conformance.scenarios.shared.upload_steps import leads_to
from conformance.target.capabilities import Capabilities
from conformance.target.content import digest_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, verifies

USABLE = "PUSH-SINGLE-FALLBACK-USABLE"
MISMATCH = "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED"


@verifies("PUSH-SINGLE-STATUS-201-OR-202", "PUSH-SINGLE-LOCATION-PULLABLE", "PUSH-SINGLE-FALLBACK-LOCATION", USABLE)
def test_post_with_the_whole_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A POST with the whole blob makes it (201), or opens an upload for it (202)."""
    blob = setup.make.blob()
    answer = repo.upload_single(blob.digest, blob.content)
    judge.require_status("PUSH-SINGLE-STATUS-201-OR-202", answer, 201, 202)
    if answer.status == 202:
        judge.unsupported("PUSH-SINGLE-LOCATION-PULLABLE", "the blob is not taken with the POST")
        if not judge.header("PUSH-SINGLE-FALLBACK-LOCATION", answer, "Location"):
            judge.stop("PUSH-SINGLE-FALLBACK-LOCATION")
        put = repo.put_upload(setup.location(answer, "PUSH-START-LOCATION-PRESENT"), blob.digest, blob.content)
        expected = "status 201 to a PUT of the whole blob at the Location of the 202"
        judge(USABLE, put.status == 201, expected, answer, put)
        again = repo.upload_single(digest_of(sent := setup.make.bytes()), sent)
        if again.status == 202 and repo.least_chunk(again) <= len(sent):
            location = setup.location(again, "PUSH-START-LOCATION-PRESENT")
            chunk = repo.patch_upload(location, sent, f"0-{len(sent) - 1}")
            # Whatever else is refused of a chunk, it begins where the upload does.
            expected = "an upload that takes a first chunk, too"
            judge(USABLE, chunk.status not in {404, 416}, expected, again, chunk)
        return
    for requirement in ("PUSH-SINGLE-FALLBACK-LOCATION", USABLE):
        judge.unsupported(requirement, "the blob is taken with the POST")
    requirement = "PUSH-SINGLE-LOCATION-PULLABLE"
    leads_to(judge, requirement, answer, blob, repo=repo)
    expected = "the uploaded bytes under the digest"
    judge.gives(requirement, setup.read_blob(repo, blob.digest), blob.content, expected, answer)


@verifies(MISMATCH, "PUSH-SINGLE-DIGEST-INVALID-400")
def test_post_with_the_digest_of_other_bytes(
    repo: Repository, setup: SetUp, judge: Judge, capabilities: Capabilities
) -> None:
    """A single POST whose digest is not that of its body makes no blob, and is answered 400."""
    claimed, sent = setup.make.digest(), setup.make.bytes()
    answer = repo.upload_single(claimed, sent)
    judge.require(MISMATCH, answer.status != 201, "no 201 to a POST with a wrong digest", answer)
    got = repo.get_blob(claimed)
    judge.absent(MISMATCH, got, "no blob under the wrong digest", answer, stored=sent)
    # Also where other routes refuse sha512.
    longer = digest_of(setup.make.bytes(), "sha512")
    other = repo.upload_single(longer, sent)
    judge.require(MISMATCH, other.status != 201, "no 201 to a POST with a wrong sha512 digest", other)
    if not capabilities.has("single-post"):
        judge.unsupported("PUSH-SINGLE-DIGEST-INVALID-400", "the target takes no blob with a single POST")
        return
    if answer.status == 202:
        raise Undecided("the POST with a wrong digest was taken as the start of an upload")
    judge.status("PUSH-SINGLE-DIGEST-INVALID-400", answer, 400)
    _malformed(repo, setup, judge)


def _malformed(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Push a blob under digests of the right algorithm and a wrong length."""
    blob = setup.make.blob()
    for digest in malformed(blob.digest)[-2:]:
        answer = repo.upload_single(digest, blob.content)
        judge.require(MISMATCH, answer.status != 201, f"no 201 to a POST with digest={digest}", answer)
        judge.status("PUSH-SINGLE-DIGEST-INVALID-400", answer, 400, when=f"to digest={digest}")
