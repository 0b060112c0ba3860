"""Digests in URLs: malformed ones, unknown algorithms, upper case, sha512."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.content import digest_of
from conformance.digests import malformed
from conformance.given import Given
from conformance.judge import Judge, declined, verifies


@verifies("BASE-DIGEST-MALFORMED", "BASE-DIGEST-UNKNOWN-ALGORITHM")
def test_digests_that_name_nothing(repo: Repository, given: Given, judge: Judge) -> None:
    """A malformed digest, one of another length than a true one, or of an unknown algorithm, is refused."""
    blob = given.blob(repo)
    wrong = malformed(blob.digest)
    for digest in ("sha256:abc", "a" * 64, *wrong):
        judge.refused("BASE-DIGEST-MALFORMED", repo.get_blob(digest), when=f"to the digest {digest}")
    for digest in ("sha256:abc", wrong[-1]):
        judge.refused("BASE-DIGEST-MALFORMED", repo.head_blob(digest), when=f"to the digest {digest}")
    for digest in ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "made-up:" + "a" * 40):
        judge.refused("BASE-DIGEST-UNKNOWN-ALGORITHM", repo.get_blob(digest), when=f"to the digest {digest}")


@verifies("BASE-DIGEST-UPPERCASE-HEX")
def test_digest_in_upper_case(repo: Repository, given: Given, judge: Judge) -> None:
    """A sha256 digest in upper-case digits names nothing."""
    blob = given.blob(repo)
    answer = repo.get_blob("sha256:" + blob.digest.removeprefix("sha256:").upper())
    judge.refused("BASE-DIGEST-UPPERCASE-HEX", answer, when="to a digest in upper case")


@verifies("BASE-DIGEST-SHA512")
def test_blob_by_sha512(repo: Repository, given: Given, judge: Judge) -> None:
    """A blob that was accepted under a sha512 digest is served under it."""
    content = given.make.bytes()
    digest = digest_of(content, "sha512")
    closed = repo.put_upload(given.upload(repo), digest, content)
    if closed.status != 201:
        raise declined(closed, "the push under a sha512 digest was not accepted")
    answer = given.read_blob(repo, digest)
    judge.gives("BASE-DIGEST-SHA512", answer, content, "status 200 and the pushed bytes")
    judge.status("BASE-DIGEST-SHA512", repo.head_blob(digest), 200)
