"""Deletion of manifests by digest."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.scenarios.shared.deletion_steps import (
    NOT_FOUND,
    deleted,
    judge_deletion,
    judge_disabled,
    manifest_gone,
)
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.lists import settled_tags
from conformance.target.policy import is_immutable
from conformance.target.session import Repositories
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, Unsupported, listing, verifies
from spec.model import Withheld

CREATED = 201
DELETED = "MGMT-MANIFEST-DELETE-202"
REFUSED = "MGMT-MANIFEST-DELETE-DISABLED-400-405"
REFUSED_405 = "MGMT-MANIFEST-DELETE-DISABLED-405"
REFUSED_CODE = "MGMT-MANIFEST-DELETE-DISABLED-CODE"
GONE = "MGMT-MANIFEST-DELETE-GET-404"
HEAD = "MGMT-MANIFEST-DELETE-HEAD-404"
TAGS = "MGMT-MANIFEST-DELETE-TAGS-404"
UNLISTED = "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"
OTHERS = "MGMT-MANIFEST-DELETE-OTHERS-KEPT"
BLOBS = "MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT"
ELSEWHERE = "MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT"
TWICE = "MGMT-MANIFEST-DELETE-TWICE-404"
UNKNOWN = "MGMT-MANIFEST-DELETE-UNKNOWN-404"
CODE = "MGMT-MANIFEST-DELETE-UNKNOWN-CODE"
NO_REPO = "MGMT-MANIFEST-DELETE-REPO-UNKNOWN-404"
MALFORMED = "MGMT-MANIFEST-DELETE-MALFORMED-REFUSED"
MALFORMED_400 = "MGMT-MANIFEST-DELETE-MALFORMED-400"
AGAIN = "MGMT-MANIFEST-DELETE-REPUSH"
#: What is expected of a manifest that stays or comes back.
SAME = "status 200 and the manifest as it was pushed"


@verifies(DELETED, REFUSED, REFUSED_405, REFUSED_CODE)
def test_delete_manifest(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The deletion of a manifest is answered 202, or 405 (400 in OCI) with UNSUPPORTED; blobs of others stay."""
    manifest = setup.image(repo, None)
    # Its own bytes are a blob of another one, too, as in images of layouts.
    blobs = [*manifest.blobs, setup.blob(repo, manifest.body)]
    other = setup.unpushed_image(blobs)
    setup.manifest(repo, other)
    answer = repo.delete_manifest(manifest.digest)
    if answer.status == NOT_FOUND:
        # What cannot be pulled either was never there.
        setup.pulled_manifest(repo, manifest.digest)
    judge_deletion(judge, answer, "MANIFEST")
    judge_disabled(judge, answer, "MANIFEST")
    for blob in blobs:
        got = repo.get_blob(blob.digest)
        # The other one has no tag, either: it may be collected, with its blobs.
        if answer.ok and not got.ok and setup.read_manifest(repo, other.digest).ok:
            judge.beside(BLOBS, got.status != NOT_FOUND, "the blob that another manifest has, too", answer, got)


@verifies(GONE, HEAD, TAGS, UNLISTED, OTHERS, BLOBS, TWICE)
def test_what_a_deleted_manifest_leaves(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A deleted manifest is gone with its tags; another one stays, with the blob that both have."""
    tag, moved = setup.make.tag(), setup.make.tag()
    manifest = setup.image(repo, tag, layers=2)
    setup.manifest(repo, manifest, moved)
    # Under a tag that the first one had before, where the target lets tags move.
    other = setup.another(repo, manifest)
    repo.put_manifest(moved, other.body, other.media_type)
    if setup.read_manifest(repo, moved, body=other.body).body != other.body:
        moved = other.digest
    deleted(repo.delete_manifest(manifest.digest), "MANIFEST")
    answer = manifest_gone(settings, repo, manifest.digest)
    judge.gives(OTHERS, setup.read_manifest(repo, moved), other.body, SAME)
    for shared in (manifest.blobs[0], manifest.blobs[-1]):
        judge.kept(BLOBS, repo.get_blob(shared.digest), shared.content, "the blob that another manifest has, too")
    judge.require_status(GONE, answer, NOT_FOUND, when="to the GET of a deleted manifest")
    head = repo.head_manifest(manifest.digest, ANY_MANIFEST)
    judge.status(HEAD, head, NOT_FOUND, when="to the HEAD of a deleted manifest")
    judge.status(TAGS, manifest_gone(settings, repo, tag), NOT_FOUND, when="to a tag of a deleted manifest")
    if moved == other.digest and repo.list_tags().status == NOT_FOUND:
        # Where tags do not move none is left, and a repository without tags may be unknown to the list.
        judge(UNLISTED, True, "no tag of the deleted manifest")
    else:
        listed = settled_tags(repo, settings, set(), {tag})
        actual = f"the list was {listing(listed)}"
        judge(UNLISTED, tag not in listed, "no tag of the deleted manifest", *listed.pages, actual=actual)
    judge.status(TWICE, repo.delete_manifest(manifest.digest), NOT_FOUND, when="to a second deletion")


@verifies(ELSEWHERE)
def test_delete_manifest_that_another_repository_has(
    repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """The same manifest in another repository stays, with its tag and its blobs."""
    tag = setup.make.tag()
    manifest = setup.image(repo, tag)
    for blob in manifest.blobs:
        # It comes there as clients bring it, if the target mounts.
        if other_repo.mount(blob.digest, repo.name).status != CREATED or not other_repo.head_blob(blob.digest).ok:
            setup.blob(other_repo, blob)
    setup.manifest(other_repo, manifest, tag)
    deleted(repo.delete_manifest(manifest.digest), "MANIFEST")
    manifest_gone(settings, repo, manifest.digest)
    for reference in (tag, manifest.digest):
        judge.gives(ELSEWHERE, setup.read_manifest(other_repo, reference), manifest.body, SAME)
    for blob in manifest.blobs:
        judge.kept(ELSEWHERE, other_repo.get_blob(blob.digest), blob.content, "the blob of the other manifest")


@verifies(UNKNOWN, CODE, NO_REPO, MALFORMED, MALFORMED_400)
def test_delete_what_is_no_manifest(repo: Repository, unknown_repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A manifest that is not there cannot be deleted."""
    there = setup.image(repo)
    answer = repo.delete_manifest(setup.make.digest())
    blob = repo.delete_manifest(there.blobs[0].digest)
    judge.beside(UNKNOWN, not blob.ok, "status 404 to the deletion of a manifest by the digest of a blob", blob)
    if judge.status(UNKNOWN, answer, NOT_FOUND, when="to the deletion of an unknown digest"):
        judge.code(CODE, answer, "MANIFEST_UNKNOWN")
    else:
        judge.unsupported(CODE, "the answer is no 404")
    answer = unknown_repo.delete_manifest(setup.make.digest())
    if answer.status in {401, 403}:
        judge.unsupported(NO_REPO, f"access control hides unknown repositories (status {answer.status})")
    else:
        judge.status(NO_REPO, answer, NOT_FOUND, when="to a deletion in an unknown repository")
    # One digit short of what is there: a registry that looks for a part of a digest deletes it.
    judge.refused(MALFORMED, repo.delete_manifest(there.digest[:-1]), "of a digest that lacks a digit")
    answer = repo.delete_manifest("sha256:" + "z" * 64)
    if judge.refused(MALFORMED, answer, "of a malformed digest"):
        judge.status(MALFORMED_400, answer, 400, when="to a malformed digest")
    else:
        judge.inconclusive(MALFORMED_400, f"blocked by {MALFORMED}")


@verifies(AGAIN, ELSEWHERE)
def test_push_a_deleted_manifest_again(
    repo: Repository, *, repository: Repositories, setup: SetUp, judge: Judge, settings: Settings
) -> None:
    """The only manifest of a repository takes nothing with it of those below, and can be pushed once more."""
    below = None if settings.repositories else repository.named(f"{repo.name}/below")
    kept = setup.image(below) if below is not None else None
    tag = setup.make.tag()
    manifest = setup.image(repo, tag)
    deleted(repo.delete_manifest(manifest.digest), "MANIFEST")
    if manifest_gone(settings, repo, manifest.digest).status != NOT_FOUND:
        raise Undecided(f"blocked by {GONE}")
    if below is None or kept is None:
        judge.not_tested(ELSEWHERE, "the owner fixed the repositories", Withheld.REPOSITORIES)
    else:
        judge.gives(ELSEWHERE, setup.read_manifest(below, kept.tag or ""), kept.body, SAME)
    for blob in manifest.blobs:
        if not repo.head_blob(blob.digest).ok:
            setup.blob(repo, blob)
    pushed = repo.put_manifest(tag, manifest.body, manifest.media_type)
    if is_immutable(pushed):
        raise Unsupported(f"the target does not take a deleted manifest again (status {pushed.status})")
    judge.require_status(AGAIN, pushed, 201, when="to the push of a manifest that was deleted")
    for reference in (tag, manifest.digest):
        judge.gives(AGAIN, setup.read_manifest(repo, reference), manifest.body, SAME)
    listed = settled_tags(repo, settings, {tag})
    judge(AGAIN, tag in listed, f"{tag} in the list", pushed, *listed.pages, actual=f"the list was {listing(listed)}")
