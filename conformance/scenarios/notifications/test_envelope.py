"""How notifications come: by POST, in an envelope, with the headers that were configured."""

from __future__ import annotations

from conformance.client.registry import Repository
from conformance.listener.mailbox import Reply
from conformance.scenarios.notifications.events import MEDIA_TYPE, OLD_MEDIA_TYPE, flaw, media_type
from conformance.scenarios.notifications.post import Post
from conformance.settings import Settings
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, clip, verifies
from spec.model import Withheld

DELIVERED = "NOTIF-DELIVERED-POST"
TYPE = "NOTIF-ENVELOPE-MEDIA-TYPE"
TYPE_V2 = "NOTIF-ENVELOPE-MEDIA-TYPE-V2"
ARRAY = "NOTIF-ENVELOPE-EVENTS-ARRAY"
HEADERS = "NOTIF-HEADERS-CONFIGURED"


@verifies(DELIVERED, TYPE, TYPE_V2, ARRAY)
def test_the_envelope(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """A push is told by POST, as an object of events with the media type of such."""
    post.of(repo)
    image = setup.image(repo)
    if not post.comes((image.digest,)) and not post.deliveries:
        expected = "a POST to the listener that mentions the manifest or its repository"
        if post.silent():
            judge(DELIVERED, False, expected, actual="nothing at all came")
        else:
            judge.inconclusive(DELIVERED, "notifications come, but none of this push came in time")
        judge.stop(DELIVERED)
    methods = {delivery.method for delivery in post.deliveries}
    empty = any(delivery.whole and not delivery.body for delivery in post.deliveries)
    judge.require(
        DELIVERED,
        methods == {"POST"} and not empty,
        "a POST with a body",
        *post.evidence(),
        actual=f"the listener got {', '.join(sorted(methods))}{' without a body' if empty else ''}",
    )
    everything = post.whole()
    other = [d for d in everything if media_type(d) not in {MEDIA_TYPE, OLD_MEDIA_TYPE}]
    came = f"the Content-Type was {clip(', '.join(other[0].header('Content-Type')) or 'absent')}" if other else ""
    judge(TYPE, not other, f"the media type {MEDIA_TYPE} (or v1)", *post.evidence(other), actual=came)
    old = [d for d in everything if media_type(d) == OLD_MEDIA_TYPE]
    if other:
        judge.inconclusive(TYPE_V2, f"blocked by {TYPE}")
    else:
        judge(TYPE_V2, not old, f"the media type {MEDIA_TYPE}", *post.evidence(old), actual=f"it was {OLD_MEDIA_TYPE}")
    wrong = [d for d in everything if d.whole and flaw(d)]
    actual = flaw(wrong[0]) if wrong else ""
    judge(ARRAY, not wrong, "an object with a non-empty array of events", *post.evidence(wrong), actual=actual)


@verifies(HEADERS)
def test_configured_headers(repo: Repository, setup: SetUp, judge: Judge, post: Post, settings: Settings) -> None:
    """Each POST has the headers that the target was told to send, one that is sent again too."""
    if not settings.notifications_headers:
        judge.not_tested(HEADERS, "no --notifications-header was given", Withheld.LISTENER)
        return
    post.of(repo)
    manifest = setup.unpushed_image([setup.blob(repo)])
    post.answer(manifest.digest, Reply(500))
    setup.manifest(repo, manifest)
    # The second time only where the target tries again, which is not the matter here.
    if not post.comes((manifest.digest,), 2) and not post.deliveries:
        judge.inconclusive(HEADERS, f"blocked by {DELIVERED}")
        return
    for name, value in settings.notifications_headers:
        lacking = [delivery for delivery in post.deliveries if value not in delivery.header(name)]
        actual = "a notification came without it" if lacking and not lacking[0].header(name) else "it had another value"
        judge(HEADERS, not lacking, f"the header {name} as configured", *post.evidence(lacking), actual=actual)
