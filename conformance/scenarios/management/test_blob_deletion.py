"""Deletion of blobs; none of them is part of a manifest, where a registry might protect it."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.scenarios.shared.deletion_steps import (
    ACCEPTED,
    CREATED,
    NOT_FOUND,
    blob_gone,
    deleted,
    judge_deletion,
    judge_disabled,
)
from conformance.scenarios.shared.partial_content import judge_digest
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, told, verifies

DELETED = "MGMT-BLOB-DELETE-202"
REFUSED = "MGMT-BLOB-DELETE-DISABLED-400-405"
REFUSED_405 = "MGMT-BLOB-DELETE-DISABLED-405"
REFUSED_CODE = "MGMT-BLOB-DELETE-DISABLED-CODE"
HEADERS = "MGMT-BLOB-DELETE-HEADERS"
NAMED = "MGMT-BLOB-DELETE-DCD-TRUE"
GONE = "MGMT-BLOB-DELETE-GET-404"
HEAD = "MGMT-BLOB-DELETE-HEAD-404"
TWICE = "MGMT-BLOB-DELETE-TWICE-404"
AGAIN = "MGMT-BLOB-DELETE-REUPLOAD"
UNKNOWN = "MGMT-BLOB-DELETE-UNKNOWN-404"
CODE = "MGMT-BLOB-DELETE-UNKNOWN-CODE"
MALFORMED = "MGMT-BLOB-DELETE-MALFORMED-REFUSED"
MALFORMED_400 = "MGMT-BLOB-DELETE-MALFORMED-400"


@verifies(DELETED, REFUSED, REFUSED_405, REFUSED_CODE, HEADERS, NAMED)
def test_delete_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """The deletion of a blob is answered 202, or 405 (400 in OCI) with UNSUPPORTED."""
    blob = setup.blob(repo)
    answer = repo.delete_blob(blob.digest)
    judge_deletion(judge, answer, "BLOB")
    if answer.status == ACCEPTED:
        held = not answer.body and answer.header("Content-Length") == "0" and DIGEST in answer.headers
        expected = f"the headers Content-Length: 0 and {DIGEST}: {blob.digest}"
        judge(HEADERS, held, expected, answer, actual=told(answer, "Content-Length", DIGEST))
        judge_digest(judge, NAMED, answer, answer.headers.all(DIGEST), blob.content)
    else:
        for requirement in (HEADERS, NAMED):
            judge.unsupported(requirement, f"the deletion is not accepted (status {answer.status})")
    judge_disabled(judge, answer, "BLOB")


@verifies(GONE, HEAD, TWICE, AGAIN)
def test_what_a_deleted_blob_leaves(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A deleted blob is gone; it comes back by an upload, also by one that was open when it was deleted."""
    blob = setup.blob(repo)
    begun = setup.upload(repo)
    deleted(repo.delete_blob(blob.digest), "BLOB")
    answer = blob_gone(settings, repo, blob.digest)
    judge.require_status(GONE, answer, NOT_FOUND, when="to the GET of a deleted blob")
    judge.status(HEAD, repo.head_blob(blob.digest), NOT_FOUND, when="to the HEAD of a deleted blob")
    judge.status(TWICE, repo.delete_blob(blob.digest), NOT_FOUND, when="to a second deletion")
    back = repo.put_upload(begun, blob.digest, blob.content)
    if back.status != CREATED:
        judge.inconclusive(AGAIN, f"blocked by PUSH-PUT-MONOLITHIC-201: the upload gave status {back.status}")
        return
    expected = "the blob, which was deleted while its upload was open, after the close of that"
    judge.gives(AGAIN, setup.read_blob(repo, blob.digest), blob.content, expected, back)


@verifies(UNKNOWN, CODE, MALFORMED, MALFORMED_400)
def test_delete_what_is_no_blob(repo: Repository, other_repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob that is not there cannot be deleted."""
    there = setup.blob(repo)
    answer = repo.delete_blob(setup.make.digest())
    if judge.status(UNKNOWN, answer, NOT_FOUND, when="to the deletion of an unknown digest"):
        judge.code(CODE, answer, "BLOB_UNKNOWN")
    else:
        judge.unsupported(CODE, "the answer is no 404")
    elsewhere = setup.blob(other_repo)
    if repo.name != other_repo.name and repo.head_blob(elsewhere.digest).status == NOT_FOUND:
        answer = repo.delete_blob(elsewhere.digest)
        judge.status(UNKNOWN, answer, NOT_FOUND, when="to the deletion of a blob that another repository has")
    # What is known as a manifest alone is no blob.
    manifest = setup.image(repo)
    if repo.head_blob(manifest.digest).status == NOT_FOUND:
        answer = repo.delete_blob(manifest.digest)
        expected = "a refusal of the deletion of a manifest's digest that is unknown among the blobs"
        judge(UNKNOWN, answer.refused, expected, answer)
    # One digit short of what is there: a registry that looks for a part of a digest deletes it.
    judge.refused(MALFORMED, repo.delete_blob(there.digest[:-1]), "of a digest that lacks a digit")
    answer = repo.delete_blob("sha256:" + "z" * 64)
    if judge.refused(MALFORMED, answer, "of a malformed digest"):
        judge.status(MALFORMED_400, answer, 400, when="to a malformed digest")
    else:
        judge.inconclusive(MALFORMED_400, f"blocked by {MALFORMED}")
