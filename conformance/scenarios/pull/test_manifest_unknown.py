"""Manifests that are not there."""

from __future__ import annotations

from conformance.client.digests import malformed
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, verifies
from spec.model import Withheld

#: A registry may look at rights first; then nothing is said about what exists.
RIGHTS = frozenset({401, 403})


@verifies(
    "PULL-MANIFEST-GET-UNKNOWN-404",
    "PULL-MANIFEST-HEAD-UNKNOWN-404",
    "PULL-MANIFEST-GET-UNKNOWN-CODE",
)
def test_pull_of_an_unknown_manifest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A tag or digest that the repository does not hold is answered 404."""
    setup.image(repo)
    # Under such a tag clients look for signatures.
    for reference in (setup.make.tag(), setup.make.digest(), setup.make.digest().replace(":", "-")):
        answer = repo.get_manifest(reference, OCI_MANIFEST)
        if judge.status("PULL-MANIFEST-GET-UNKNOWN-404", answer, 404):
            judge.code("PULL-MANIFEST-GET-UNKNOWN-CODE", answer, "MANIFEST_UNKNOWN", "NAME_UNKNOWN")
        else:
            judge.inconclusive("PULL-MANIFEST-GET-UNKNOWN-CODE", "blocked by PULL-MANIFEST-GET-UNKNOWN-404")
        judge.status("PULL-MANIFEST-HEAD-UNKNOWN-404", repo.head_manifest(reference, OCI_MANIFEST), 404)


@verifies(
    "PULL-MANIFEST-GET-UNKNOWN-REPO-404",
    "PULL-BLOB-GET-UNKNOWN-REPO-404",
    "PULL-MANIFEST-GET-UNKNOWN-REPO-CODE",
)
def test_pull_from_an_unknown_repository(
    repo: Repository, unknown_repo: Repository, setup: SetUp, judge: Judge
) -> None:
    """Nothing is found in a repository that does not exist, be it below one that does."""
    setup.image(repo)
    below = Repository(repo.registry, f"{repo.name}/below")
    tag, digest = setup.make.tag(), setup.make.digest()
    pulls = [
        ("PULL-MANIFEST-GET-UNKNOWN-REPO-404", unknown_repo.get_manifest(tag, OCI_MANIFEST)),
        ("PULL-MANIFEST-GET-UNKNOWN-REPO-404", unknown_repo.head_manifest(digest, OCI_MANIFEST)),
        ("PULL-BLOB-GET-UNKNOWN-REPO-404", unknown_repo.get_blob(digest)),
        ("PULL-BLOB-GET-UNKNOWN-REPO-404", unknown_repo.head_blob(digest)),
    ]
    if not setup.shared and pulls[-1][1].status not in RIGHTS:
        answer = below.head_blob(digest)
        judge(
            "PULL-BLOB-GET-UNKNOWN-REPO-404", answer.status == 404, "status 404 below a known repository, too", answer
        )
    codes = ("NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN")
    for requirement, answer in pulls:
        if answer.status in RIGHTS:
            judge.unsupported(requirement, f"access control hides unknown repositories (status {answer.status})")
        elif judge.status(requirement, answer, 404) and answer.body:
            judge.code("PULL-MANIFEST-GET-UNKNOWN-REPO-CODE", answer, *codes)
    if "PULL-MANIFEST-GET-UNKNOWN-REPO-CODE" not in judge.judgements:
        judge.unsupported("PULL-MANIFEST-GET-UNKNOWN-REPO-CODE", "no 404 had a body")


@verifies("PULL-MANIFEST-GET-BAD-REFERENCE")
def test_pull_by_a_malformed_reference(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """What is neither a tag nor a digest names no manifest."""
    # The digests near a true one are of a manifest that is there.
    manifest = setup.image(repo)
    wrong = malformed(manifest.digest)[-3:]
    # The error says what is wrong, and is JSON all the same.
    for reference in (".bad", "sha256:xyz", "a:b", "a%22b", f"{manifest.tag or 'a'};v=1", *wrong):
        answer = repo.get_manifest(reference, OCI_MANIFEST)
        judge.refused("PULL-MANIFEST-GET-BAD-REFERENCE", answer, when=f"to the reference {reference}")
    for reference in ("-bad", wrong[-1]):
        answer = repo.head_manifest(reference, OCI_MANIFEST)
        judge.refused("PULL-MANIFEST-GET-BAD-REFERENCE", answer, when=f"to the reference {reference}")


@verifies("PULL-MANIFEST-NOT-A-BLOB")
def test_pull_of_a_blob_as_a_manifest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob of random bytes is no manifest."""
    blob = setup.blob(repo, setup.make.bytes())
    for answer in (repo.get_manifest(blob.digest, OCI_MANIFEST), repo.head_manifest(blob.digest, OCI_MANIFEST)):
        judge.refused("PULL-MANIFEST-NOT-A-BLOB", answer, "to a manifest by the digest of a blob, as there is none")


@verifies(
    "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
    "PULL-MANIFEST-OTHER-REPO-TAG",
    "PULL-BLOB-OTHER-REPO-404",
    "PULL-BLOB-HEAD-OTHER-REPO-404",
)
def test_pull_of_what_another_repository_holds(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge
) -> None:
    """What only another repository holds is not found here, nor do its tags lead elsewhere."""
    if repo.name == other_repo.name:
        raise NotTested("this takes two repositories", Withheld.REPOSITORIES)
    manifest = setup.image(repo)
    there = setup.image(other_repo)
    blob = manifest.blobs[0]
    if setup.read_only and other_repo.head_blob(blob.digest).ok:
        raise NotTested(f"the repositories {repo.name} and {other_repo.name} share content", Withheld.CONTENT)
    judge.status("PULL-BLOB-HEAD-OTHER-REPO-404", other_repo.head_blob(blob.digest), 404)
    judge.status("PULL-BLOB-OTHER-REPO-404", other_repo.get_blob(blob.digest), 404)
    judge.status("PULL-BLOB-HEAD-OTHER-REPO-404", other_repo.head_blob(blob.digest), 404)
    for answer in (
        other_repo.get_manifest(manifest.digest, manifest.media_type),
        other_repo.head_manifest(manifest.digest, manifest.media_type),
    ):
        judge.status("PULL-MANIFEST-OTHER-REPO-DIGEST-404", answer, 404)
    if setup.read_only:
        judge.not_tested("PULL-MANIFEST-OTHER-REPO-TAG", "the target is read-only", Withheld.WRITING)
        return
    tag = manifest.tag or ""
    answer = other_repo.get_manifest(tag, OCI_MANIFEST)
    judge.status("PULL-MANIFEST-OTHER-REPO-TAG", answer, 404, when="to a tag of another repository")
    setup.manifest(other_repo, there, tag)
    answer = setup.pulled_manifest(repo, tag, OCI_MANIFEST)
    judge(
        "PULL-MANIFEST-OTHER-REPO-TAG",
        answer.body == manifest.body,
        "the manifest that was pushed to this repository",
        answer,
        actual=f"a body of digest {answer.content_digest()}",
    )
