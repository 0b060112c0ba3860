"""Delivery of notifications: repeated until accepted, not after that, and one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise

from conformance.client.registry import Repository
from conformance.listener.mailbox import Delivery, Reply
from conformance.scenarios.notifications.events import comes_as_before, events_of, ids_of
from conformance.scenarios.notifications.post import DELIVERED, Post
from conformance.settings import Settings
from conformance.target.content import ANY_MANIFEST, Blob
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, Undecided, clip, listing, verifies

RETRY = "NOTIF-RETRY-UNTIL-SUCCESS"
SAME = "NOTIF-RETRY-SAME-IDS"
SUCCESS = "NOTIF-SUCCESS-2XX-3XX"
FAILED = "NOTIF-FAILED-REQUEST-NO-EVENT"
SERIAL = "NOTIF-ORDER-FREE-SERIAL"
#: Seconds that the listener keeps silent before it closes the connection, unless the target does so
#: before.
_SILENCE = 2.0
#: Seconds that each answer to a burst is held back, and how many pushes the burst has.
_HELD = 0.04
_BURST = 8
#: How often something has to come again before it is held against the target.
_TRIES = 3
#: Answers with which a notification is taken.
_TAKEN = (200, 202, 204, 304)


@verifies(RETRY, SAME)
def test_again_until_it_is_taken(repo: Repository, setup: SetUp, judge: Judge, post: Post, settings: Settings) -> None:
    """A delivery that got 500 or no answer is sent again with the same events until it gets 200."""
    post.of(repo)
    blob = setup.blob(repo)
    silence = min(_SILENCE, settings.timeout / 2)
    troubles = {
        "status 500": (Reply(500), Reply(500)),
        "no answer": (Reply(0, silence),),
    }
    for trouble, replies in troubles.items():
        manifest = setup.unpushed_image([blob], annotations={"trouble": trouble, "tag": setup.make.tag()})
        post.answer(manifest.digest, *replies)
        setup.manifest(repo, manifest)
        times = len(replies) + 1
        if post.comes((manifest.digest,), times):
            judge(RETRY, True, "")
            _judge_ids(judge, post, manifest.digest)
            continue
        came = len(post.mentions(manifest.digest))
        if not came:
            judge.inconclusive(RETRY, f"blocked by {DELIVERED}")
        elif post.follow():
            expected = f"the notification again after {trouble}"
            actual = f"it came {came} times, and a later event came"
            judge(RETRY, False, expected, *post.evidence(post.mentions(manifest.digest)), actual=actual)
        else:
            judge.inconclusive(RETRY, f"after {trouble} nothing came in time: the target may be backing off")
        judge.inconclusive(SAME, f"blocked by {RETRY}")


def _judge_ids(judge: Judge, post: Post, digest: str) -> None:
    """Judge that the event of a push that was not accepted came again under its id."""
    if not ids_of(post.mentions(digest)[0], digest):
        judge.inconclusive(SAME, "the event is not known by its digest")
        return
    if not comes_as_before(post.mentions(digest), digest) and not post.follow():
        judge.inconclusive(SAME, f"blocked by {DELIVERED}")
        return
    came = post.mentions(digest)
    ids = [name for delivery in came for name in sorted(ids_of(delivery, digest))]
    actual = f"the ids were {clip(listing(ids))}"
    judge(SAME, comes_as_before(came, digest), "the same id each time", *post.evidence(came), actual=actual)


@verifies(SUCCESS)
def test_taken_is_taken(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """What was answered with any 2xx, or with 304, is not sent again."""
    post.of(repo)
    blob = setup.blob(repo)
    suspects: dict[int, list[Delivery]] = {status: [] for status in _TAKEN}
    # An answer that was late once is no habit of the target.
    for _ in range(_TRIES):
        suspects = _sent_again(repo, setup, post, blob, suspects)
        if not suspects:
            judge(SUCCESS, True, "")
            return
    for status, came in suspects.items():
        actual = f"it came again, in each of {_TRIES} tries"
        judge(SUCCESS, False, f"one delivery that is answered {status}", *post.evidence(came), actual=actual)


def _sent_again(
    repo: Repository, setup: SetUp, post: Post, blob: Blob, statuses: Iterable[int]
) -> dict[int, list[Delivery]]:
    """Push once for each status, answer with it, and return the deliveries of the repetitions."""
    pushed: dict[int, str] = {}
    for status in statuses:
        manifest = setup.unpushed_image([blob], annotations={"status": str(status), "tag": setup.make.tag()})
        post.answer(manifest.digest, Reply(status))
        setup.manifest(repo, manifest)
        pushed[status] = manifest.digest
    if not all(post.comes((digest,)) for digest in pushed.values()) or not post.follow():
        raise Undecided(f"blocked by {DELIVERED}")
    again: dict[int, list[Delivery]] = {}
    for digest in pushed.values():
        came = [delivery for delivery in post.mentions(digest) if delivery.reply.status in _TAKEN]
        known = [event.value.get("id") for event in events_of(came[:1]) if event.about(digest)]
        if any(event.about(digest) and event.value.get("id") in known for event in events_of(came[1:])):
            # Where several come in one envelope, only one of them had its own answer.
            again[came[0].reply.status] = came
    return again


@verifies(FAILED)
def test_what_failed_is_not_told(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """A wrong digest, an invalid manifest and the pull of an unknown digest notify nothing."""
    post.of(repo)
    setup.blob(repo)
    digests = [setup.make.digest() for _ in range(3)]
    answers = [
        repo.put_upload(setup.upload(repo), digests[0], setup.make.bytes()),
        repo.put_manifest(digests[1], b"{"),
        repo.get_manifest(digests[2], ANY_MANIFEST),
    ]
    post.note(*digests)
    refused = {digest: answer for digest, answer in zip(digests, answers, strict=True) if answer.refused}
    # What came before the second of them has had its turn, in nearly any order.
    if not refused or not post.follow() or not post.follow():
        judge.inconclusive(FAILED, f"blocked by {DELIVERED}" if refused else "nothing was refused")
        return
    for digest, answer in refused.items():
        told = [event for event in post.events if event.about(digest)]
        actual = f"an event {clip(told[0].action)} came" if told else ""
        expected = f"no event of a request that was answered {answer.status}"
        judge(FAILED, not told, expected, *post.evidence([e.delivery for e in told]), answer, actual=actual)


def _told(delivery: Delivery, member: str) -> set[str]:
    """Return a member of all events of a delivery, in an order of its own."""
    return {json.dumps(event.value.get(member), sort_keys=True) for event in events_of([delivery])}


@verifies(SERIAL)
def test_one_after_the_other(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """While one notification waits for its answer, the next is not sent.

    Each node of a cluster has a queue of its own, and what took too long may be sent again before
    it is answered.
    """
    post.of(repo)
    post.answer(repo.name, *[Reply(200, _HELD)] * _BURST)
    blobs = [setup.blob(repo) for _ in range(_BURST)]
    post.note(*(blob.digest for blob in blobs))
    if not all(post.comes((blob.digest,)) for blob in blobs[-2:]):
        judge.inconclusive(SERIAL, f"blocked by {DELIVERED}")
        return
    held = sorted(post.settled(), key=lambda delivery: delivery.arrived)
    overlapping = [
        second
        for first, second in pairwise(held)
        if second.arrived < first.answered
        and _told(first, "source") & _told(second, "source")
        and not _told(first, "id") & _told(second, "id")
    ]
    expected = "each notification after the answer to the one before"
    actual = f"{len(overlapping)} came before that"
    judge(SERIAL, not overlapping, expected, *post.evidence(overlapping), actual=actual)
