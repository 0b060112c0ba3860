"""Digests in URLs: malformed ones, unknown algorithms, upper case."""

from __future__ import annotations

from conformance.client.digests import malformed
from conformance.client.registry import Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, verifies


@verifies("BASE-DIGEST-MALFORMED", "BASE-DIGEST-UNKNOWN-ALGORITHM")
def test_digests_that_name_nothing(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A digest that is malformed, of a wrong length, or of an unknown algorithm is refused."""
    blob = setup.blob(repo)
    wrong = malformed(blob.digest)
    for digest in ("sha256:abc", "a" * 64, *wrong):
        judge.refused("BASE-DIGEST-MALFORMED", repo.get_blob(digest), when=f"to the digest {digest}")
    for digest in ("sha256:abc", wrong[-1]):
        judge.refused("BASE-DIGEST-MALFORMED", repo.head_blob(digest), when=f"to the digest {digest}")
    for digest in ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "made-up:" + "a" * 40):
        judge.refused("BASE-DIGEST-UNKNOWN-ALGORITHM", repo.get_blob(digest), when=f"to the digest {digest}")


@verifies("BASE-DIGEST-UPPERCASE-HEX")
def test_digest_in_upper_case(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A sha256 digest in upper-case digits names nothing."""
    blob = setup.blob(repo)
    answer = repo.get_blob("sha256:" + blob.digest.removeprefix("sha256:").upper())
    judge.refused("BASE-DIGEST-UPPERCASE-HEX", answer, when="to a digest in upper case")
