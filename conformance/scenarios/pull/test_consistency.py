"""Consistency: content is there at once, tags move, pulls repeat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conformance.client.http.exchange import Response
from conformance.client.registry import OCI_MANIFEST, Repository
from conformance.scenarios.shared.pull_answers import DIGEST
from conformance.target.content import Blob, Manifest
from conformance.target.policy import is_immutable
from conformance.target.setup import SetUp
from conformance.verdict.judge import Blocked, Judge, Undecided, Unsupported, content_of, told, verifies
from conformance.verdict.presence import served

PART_OF = 206


@verifies("PULL-CONSIST-AT-ONCE")
def test_pull_right_after_the_push(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """What was answered 201 is there at the first attempt."""
    blob = setup.make.config()
    # Neither by the set-up of others nor with its patience, where the owner gives the target time
    # to settle.
    pushed = repo.put_upload(setup.upload(repo), blob.digest, blob.content)
    if pushed.status != 201:
        raise Blocked("PUSH-PUT-MONOLITHIC-201", "status 201 to the PUT of a whole blob", pushed)
    judge.status("PULL-CONSIST-AT-ONCE", repo.head_blob(blob.digest, at_once=True), 200, when="at the first attempt")
    judge.status("PULL-CONSIST-AT-ONCE", repo.get_blob(blob.digest, at_once=True), 200, when="at the first attempt")
    manifest = setup.unpushed_image([blob])
    tag = setup.make.tag()
    pushed = repo.put_manifest(tag, manifest.body)
    if pushed.status != 201:
        raise Blocked("PUSH-MANIFEST-STATUS-201", "status 201 to the PUT of a manifest", pushed)
    for answer in (
        repo.head_manifest(tag, OCI_MANIFEST, at_once=True),
        repo.get_manifest(tag, OCI_MANIFEST, at_once=True),
        repo.get_manifest(manifest.digest, OCI_MANIFEST, at_once=True),
    ):
        judge.status("PULL-CONSIST-AT-ONCE", answer, 200, when="at the first attempt")


@verifies("PULL-CONSIST-TAG-MOVE", "PULL-CONSIST-OLD-DIGEST")
def test_tag_that_moves(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A tag names its last push, also when it moves back; the earlier manifest keeps its digest."""
    old = setup.image(repo)
    new = setup.another(repo, old)
    tag = old.tag or old.digest
    for former, latter in ((old, new), (new, old)):
        moved = repo.put_manifest(tag, latter.body, latter.media_type)
        if is_immutable(moved):
            raise Unsupported(f"the tag cannot be moved (status {moved.status})")
        if moved.status != 201:
            raise Blocked("PUSH-MANIFEST-RETAG-MOVES", "status 201 to a manifest pushed to the tag of another", moved)
        answer = setup.read_manifest(repo, tag, OCI_MANIFEST, latter.body)
        judge(
            "PULL-CONSIST-TAG-MOVE",
            served(answer, latter.body),
            f"the manifest {latter.digest} that was pushed last",
            answer,
            actual=content_of(answer),
        )
        if latter is old:
            _move_on(judge, repo, setup, tag=tag, old=old, new=new)
            return
        anew = repo.get_manifest(tag, OCI_MANIFEST, headers=(("Cache-Control", "no-cache"), ("Pragma", "no-cache")))
        if anew.status == 200:
            expected = f"the manifest {latter.digest} for a client that wants nothing of a cache"
            judge("PULL-CONSIST-TAG-MOVE", anew.body == latter.body, expected, anew, actual=content_of(anew))
        head = repo.head_manifest(tag, OCI_MANIFEST)
        named = head.header(DIGEST)
        judge(
            "PULL-CONSIST-TAG-MOVE",
            head.status == 200 and named != former.digest,
            "the headers of the new manifest",
            head,
            actual=told(head, DIGEST),
        )
        judge.status("PULL-CONSIST-OLD-DIGEST", repo.get_manifest(former.digest, OCI_MANIFEST), 200)


def _move_on(judge: Judge, repo: Repository, setup: SetUp, *, tag: str, old: Manifest, new: Manifest) -> None:
    """Move a tag more often: it names its last push all the same, which the last two tell."""
    for count, latter in enumerate((new, old) * 2):
        if repo.put_manifest(tag, latter.body, latter.media_type).status != 201:
            return
        if count > 1:
            answer = setup.read_manifest(repo, tag, OCI_MANIFEST, latter.body)
            expected = f"the manifest {latter.digest}, which was pushed last"
            judge("PULL-CONSIST-TAG-MOVE", served(answer, latter.body), expected, answer, actual=content_of(answer))


@verifies("PULL-CONSIST-REPEATABLE", "PULL-BLOB-RANGE-TRUE")
def test_parallel_pulls(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Pulls of one digest at the same time, and many of them, give the same."""
    manifest = setup.image(repo)
    with ThreadPoolExecutor(4) as pool:
        pulls = [pool.submit(repo.get_manifest, manifest.digest, manifest.media_type) for _ in range(9)]
        _judge_same(judge, [pull.result() for pull in pulls])
        if manifest.blobs:
            blobs = [pool.submit(repo.get_blob, manifest.blobs[0].digest) for _ in range(2)]
            _judge_same(judge, [pull.result() for pull in blobs])
            _judge_parts(judge, repo, manifest.blobs[0], pool)


def _judge_parts(judge: Judge, repo: Repository, blob: Blob, pool: ThreadPoolExecutor) -> None:
    """Judge that ranges asked for at the same time are each the bytes that were asked for, where they come."""
    asked = [(start, start + 3) for start in range(0, len(blob.content) - 4, 4)][:4]
    pulls = [
        pool.submit(repo.get_blob, blob.digest, headers=(("Range", f"bytes={start}-{last}"),)) for start, last in asked
    ]
    for (start, last), answer in zip(asked, [pull.result() for pull in pulls], strict=True):
        if answer.status == PART_OF:
            held = answer.body == blob.content[start : last + 1]
            expected = f"bytes {start} to {last} while other ranges were asked for"
            judge("PULL-BLOB-RANGE-TRUE", held, expected, answer, actual=content_of(answer))
    if "PULL-BLOB-RANGE-TRUE" not in judge.judgements:
        judge.unsupported("PULL-BLOB-RANGE-TRUE", "ranges of blobs are not served")


def _judge_same(judge: Judge, answers: list[Response]) -> None:
    sound = [answer for answer in answers if not answer.excuse]
    if not sound:
        raise Undecided("the target was overloaded")
    seen = {(a.status, a.body, a.media_type, a.header(DIGEST)) for a in sound}
    judge(
        "PULL-CONSIST-REPEATABLE",
        len(seen) == 1,
        "the same status, bytes, type and digest each time",
        *sound,
        actual=f"{len(seen)} different answers to {len(sound)} pulls",
    )
