"""Conditional pulls."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.settings import Settings
from conformance.target.policy import is_immutable
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Judge, NotTested, Unsupported, verifies
from spec.model import Withheld

NOT_MODIFIED = 304
FALSE = "PULL-CACHE-FALSE-304"
#: So many seconds after a push even a Date that is a second old, less another second, is none from before it.
LATER = 2.2


@verifies("PULL-CACHE-BLOB-304", FALSE)
def test_blob_on_condition(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A blob that the client has already is answered 304, one that it has not is given."""
    blob = setup.blob(repo)
    other = (("If-None-Match", f'"{setup.make.digest()}"'),)
    judge.status(FALSE, repo.get_blob(blob.digest, headers=other), 200, when="to the ETag of another")
    tag = setup.pulled_blob(repo, blob.digest).header("ETag")
    if tag is None:
        raise Unsupported("blobs have no ETag")
    headers = (("If-None-Match", tag),)
    for answer in (repo.get_blob(blob.digest, headers=headers), repo.head_blob(blob.digest, headers=headers)):
        judge.status("PULL-CACHE-BLOB-304", answer, NOT_MODIFIED)


@verifies("PULL-CACHE-MANIFEST-304", FALSE)
def test_manifest_on_condition(repo: Repository, setup: SetUp, judge: Judge, settings: Settings) -> None:
    """A manifest may be answered 304 while its tag stays, and never if the client has another or had it before."""
    old = setup.image(repo)
    tag = old.tag or old.digest
    other = (("If-None-Match", f'"{setup.make.digest()}"'),)
    judge.status(FALSE, repo.get_manifest(tag, old.media_type, headers=other), 200, when="to the ETag of another")
    mark, before = setup.pulled_manifest(repo, tag, old.media_type).header("ETag"), time.monotonic()
    # Many registries take the digest for the ETag, whether they say so or not.
    headers = (("If-None-Match", mark or f'"{old.digest}"'),)
    if mark is None:
        judge.unsupported("PULL-CACHE-MANIFEST-304", "manifests have no ETag")
    else:
        judge.status("PULL-CACHE-MANIFEST-304", repo.get_manifest(tag, old.media_type, headers=headers), NOT_MODIFIED)
    if setup.read_only:
        raise NotTested("the target is read-only", Withheld.WRITING)
    if settings.effort != "quick":
        # What comes now is to be of a later time.
        time.sleep(max(0.0, before + LATER - time.monotonic()))
    new = setup.another(repo, old)
    move = repo.put_manifest(tag, new.body, new.media_type)
    if is_immutable(move):
        raise Unsupported(f"the tag cannot be moved (status {move.status})")
    if move.status != 201:
        raise Blocked("PUSH-MANIFEST-RETAG-MOVES", "status 201 to a manifest pushed to the tag of another", move)
    answer = repo.get_manifest(tag, OCI_MANIFEST, headers=headers)
    judge.status(FALSE, answer, 200, when="to the former ETag of a tag that has moved")
    if settings.effort != "quick" and answer.body == new.body and (since := _before(answer)):
        for ask in (repo.get_manifest, repo.head_manifest):
            answer = ask(tag, OCI_MANIFEST, headers=(("If-Modified-Since", since),))
            judge.status(FALSE, answer, 200, when=f"to If-Modified-Since: {since} of a tag that has moved after that")


def _before(answer: Response) -> str:
    """Return a time at which what an answer gives was not there yet; empty where it tells none.

    A cache may take the Date for what Last-Modified does not tell (RFC 9111, 4.3.2).
    """
    try:
        at = parsedate_to_datetime(answer.header("Last-Modified") or answer.header("Date") or "")
        return format_datetime(at - timedelta(seconds=1), usegmt=True)
    except (ValueError, OverflowError):  # a time that is none, or not in GMT
        return ""


@verifies("PULL-CACHE-UNKNOWN-NOT-304")
def test_condition_on_unknown_content(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """What is not there stays a 404, whatever the client says to have."""
    setup.image(repo)
    digest = setup.make.digest()
    headers = (("If-None-Match", f'"{digest}"'),)
    for answer in (
        repo.get_manifest(digest, OCI_MANIFEST, headers=headers),
        repo.head_manifest(digest, OCI_MANIFEST, headers=headers),
        repo.get_blob(digest, headers=headers),
        repo.head_blob(digest, headers=headers),
    ):
        judge.status("PULL-CACHE-UNKNOWN-NOT-304", answer, 404)
