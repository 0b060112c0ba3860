"""Faults of the envelope of notifications."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

from reference.app import Registry
from reference.faults.notifications.shared import each_sender
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import notifications_of
from reference.notifications.events import Event, envelope
from reference.notifications.sender import Sender

_CONFIGURATION = "notifications"


def _silent(registry: Registry) -> None:
    def nothing(_event: Event) -> None:
        return

    override(notifications_of(registry), publish=nothing)


def _by_put(sender: Sender) -> None:
    def changed(body: bytes) -> int:
        url = sender.endpoint.url
        headers = {name: values[0] for name, values in sender.endpoint.headers.items()}
        headers["Content-Type"] = "application/vnd.docker.distribution.events.v2+json"
        request = urllib.request.Request(url, body, headers, method="PUT")  # noqa: S310  the address of a test
        with urllib.request.urlopen(request, timeout=sender.endpoint.timeout) as answer:  # noqa: S310  as above
            return int(answer.status)

    override(sender, post=changed)


def _typed(media_type: str) -> Apply:
    """Send with another media type."""

    def change(sender: Sender) -> None:
        post = sender.post

        def changed(body: bytes) -> int:
            return post(body, media_type)

        override(sender, post=changed)

    return each_sender(change)


def _bodies(rewrite: Callable[[bytes], bytes]) -> Apply:
    """Send other bodies."""

    def change(sender: Sender) -> None:
        post = sender.post

        def changed(body: bytes) -> int:
            return post(rewrite(body))

        override(sender, post=changed)

    return each_sender(change)


def _bare(body: bytes) -> bytes:
    """The array alone."""
    return body.partition(b":")[2].rpartition(b"}")[0].strip()


def _single(body: bytes) -> bytes:
    """The event in place of the array."""
    return body.replace(b"[", b"", 1)[::-1].replace(b"]", b"", 1)[::-1]


def _empty_too(sender: Sender) -> None:
    post = sender.post

    def changed(body: bytes) -> int:
        post(envelope([]))
        return post(body)

    override(sender, post=changed)


def _without_headers(first_only: bool) -> Callable[[Sender], None]:
    """Forget the configured headers, of the first attempt or of each that follows a failure."""

    def change(sender: Sender) -> None:
        headers = sender.endpoint.headers
        kept, attempt = dict(headers), sender.attempt

        def changed(events: list[Event]) -> bool:
            headers.clear()
            headers.update(kept if first_only and not sender.failures else {})
            return attempt(events)

        override(sender, attempt=changed)

    return change


FAULTS = (
    Fault(
        name="notifications-none",
        title="No notification is sent.",
        breaks=("NOTIF-DELIVERED-POST",),
        configuration=_CONFIGURATION,
        apply=_silent,
    ),
    Fault(
        name="notifications-by-put",
        title="Notifications are sent by PUT.",
        breaks=("NOTIF-DELIVERED-POST",),
        configuration=_CONFIGURATION,
        apply=each_sender(_by_put),
    ),
    Fault(
        name="notifications-as-json",
        title="Notifications have the media type of any JSON.",
        breaks=("NOTIF-ENVELOPE-MEDIA-TYPE",),
        configuration=_CONFIGURATION,
        apply=_typed("application/json"),
    ),
    Fault(
        name="notifications-of-version-1",
        title="Notifications have the media type of version 1.",
        breaks=("NOTIF-ENVELOPE-MEDIA-TYPE-V2",),
        configuration=_CONFIGURATION,
        apply=_typed("application/vnd.docker.distribution.events.v1+json"),
    ),
    Fault(
        name="notifications-bare",
        title="The body is an array of events.",
        breaks=("NOTIF-ENVELOPE-EVENTS-ARRAY",),
        configuration=_CONFIGURATION,
        apply=_bodies(_bare),
    ),
    Fault(
        name="notifications-single",
        title="events is an event, and no array.",
        breaks=("NOTIF-ENVELOPE-EVENTS-ARRAY",),
        configuration=_CONFIGURATION,
        apply=_bodies(_single),
    ),
    Fault(
        name="notifications-empty-too",
        title="Envelopes without events are sent too.",
        breaks=("NOTIF-ENVELOPE-EVENTS-ARRAY",),
        configuration=_CONFIGURATION,
        apply=each_sender(_empty_too),
    ),
    Fault(
        name="notifications-broken-json",
        title="The body is cut short.",
        breaks=("NOTIF-ENVELOPE-EVENTS-ARRAY",),
        configuration=_CONFIGURATION,
        apply=_bodies(lambda body: body[:-3]),
    ),
    Fault(
        name="notifications-without-headers",
        title="The configured headers are not sent.",
        breaks=("NOTIF-HEADERS-CONFIGURED",),
        configuration=_CONFIGURATION,
        apply=each_sender(_without_headers(first_only=False)),
    ),
    Fault(
        name="notifications-headers-once",
        title="The configured headers are not sent with what is sent again.",
        breaks=("NOTIF-HEADERS-CONFIGURED",),
        configuration=_CONFIGURATION,
        apply=each_sender(_without_headers(first_only=True)),
    ),
)
