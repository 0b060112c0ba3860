"""Deletion of tags."""

from __future__ import annotations

from functools import partial

from conformance.client.registry import Repository
from conformance.scenarios.shared.concurrent_clients import at_once, clients
from conformance.scenarios.shared.deletion_steps import ACCEPTED, NOT_FOUND, deleted, judge_deletion, manifest_gone
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST
from conformance.target.lists import member_of, settled_tags, tags_of
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Unsupported, listing, status_of, verifies

DELETED = "MGMT-TAG-DELETE-202"
REFUSED = "MGMT-TAG-DELETE-DISABLED-400-405"
GONE = "MGMT-TAG-DELETE-GET-404"
HEAD = "MGMT-TAG-DELETE-HEAD-404"
UNLISTED = "MGMT-TAG-DELETE-NOT-LISTED"
KEPT = "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"
MANIFEST_KEPT = "MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT"
UNKNOWN = "MGMT-TAG-DELETE-UNKNOWN-404"
EMPTY_ARRAY = "DISC-TAGS-EMPTY-ARRAY"
EMPTY_REPO = "DISC-TAGS-EMPTY-REPO-200"
POSITION = "DISC-TAGS-LAST-NOT-A-TAG"


@verifies(DELETED, REFUSED)
def test_delete_tag(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The deletion of a tag is accepted with 202, or refused with 400 or 405."""
    tag = setup.make.tag()
    setup.tags(repo, tag, setup.make.tag())
    answer = repo.delete_manifest(tag)
    if answer.status == NOT_FOUND:
        # What cannot be pulled either was never there.
        setup.pulled_manifest(repo, tag)
    judge_deletion(judge, answer, "TAG")


@verifies(GONE, HEAD, UNLISTED, KEPT, UNKNOWN)
def test_what_a_deleted_tag_leaves(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A deleted tag is neither found nor listed; other tags of the same manifest stay."""
    other, tag, third = (f"{place}-{setup.make.tag()}" for place in "abc")
    manifest = setup.tags(repo, tag, other, third)
    deleted(repo.delete_manifest(tag), "TAG")
    answer = manifest_gone(settings, repo, tag)
    kept = repo.get_manifest(other, ANY_MANIFEST)
    judge.gives(KEPT, kept, manifest.body, "the other tag as it was")
    judge.require_status(GONE, answer, NOT_FOUND, when="to the GET of a deleted tag")
    judge.status(HEAD, repo.head_manifest(tag, ANY_MANIFEST), NOT_FOUND, when="to the HEAD of a deleted tag")
    listed = settled_tags(repo, settings, {other, third}, {tag})
    shown = f"it was {listing(listed)}"
    judge(UNLISTED, tag not in listed, f"no {tag} in the list", *listed.pages, actual=shown)
    judge(KEPT, {other, third} <= set(listed), f"{other} and {third} in the list", *listed.pages, actual=shown)
    if listed[-2:] == [other, third]:
        behind = repo.list_tags(n=2, last=tag)
        page = tags_of(behind) if behind.ok else []
        shown = f"{status_of(behind)}, {listing(page)}"
        # A scenario of its own judges a refusal, or nothing, where no such tag is.
        judge.beside(POSITION, other not in page, f"{third} behind the deleted {tag}", behind, actual=shown)
    judge.status(UNKNOWN, repo.delete_manifest(tag), NOT_FOUND, when="to the deletion of a tag that is gone")
    judge.status(UNKNOWN, repo.delete_manifest(setup.make.tag()), NOT_FOUND, when="to that of one that never was")


@verifies(MANIFEST_KEPT)
def test_delete_the_only_tag(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The manifest is still there by its digest when its only tag is deleted, and the list of tags is empty."""
    manifest = setup.image(repo)
    deleted(repo.delete_manifest(manifest.tag or ""), "TAG")
    answer = repo.get_manifest(manifest.digest, ANY_MANIFEST)
    judge.gives(MANIFEST_KEPT, answer, manifest.body, "the manifest by its digest")
    listed = repo.list_tags()
    document = listed.json if isinstance(listed.json, dict) else {}
    if listed.ok and not document.get("tags"):
        empty = document.get("tags") == []
        judge.beside(EMPTY_ARRAY, empty, "an empty array", listed, actual=member_of(listed, "tags"))
    if answer.ok and listed.refused:
        judge.beside(EMPTY_REPO, False, "status 200 and an empty list where the last tag was deleted", answer, listed)


@verifies(GONE)
def test_delete_tags_at_once(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """Tags that are deleted at the same time are gone, each of them."""
    tags = [setup.make.tag() for _ in range(clients(settings) // 2)]
    setup.tags(repo, *tags, setup.make.tag())
    answers = at_once(*(partial(repo.delete_manifest, tag) for tag in tags))
    for tag, answer in zip(tags, answers, strict=True):
        if answer.status == ACCEPTED:
            gone = manifest_gone(settings, repo, tag)
            judge.status(GONE, gone, NOT_FOUND, when="to the GET of one of several tags that were deleted at once")
    if not any(answer.status == ACCEPTED for answer in answers):
        raise Unsupported("no deletion was accepted beside others")
