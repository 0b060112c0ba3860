"""Faults of delivery: how notifications are sent, and what of."""

from __future__ import annotations

import threading
import urllib.request
import uuid
from collections.abc import Callable

from reference.app import Registry
from reference.faults.events import CONFIGURATION
from reference.messages import Notice, Request, Response
from reference.modifications import Apply, Fault, override
from reference.notifications import Notifications
from reference.notifications.events import Event, envelope
from reference.notifications.sender import Sender


def _each(change: Callable[[Sender], None]) -> Apply:
    """Change the sender of each endpoint."""

    def apply(registry: Registry) -> None:
        for sender in _of(registry).senders:
            change(sender)

    return apply


def _of(registry: Registry) -> Notifications:
    if registry.notifications is None:
        raise AttributeError("this registry sends no notifications")
    return registry.notifications


def _typed(media_type: str) -> Apply:
    """Send with another media type."""

    def change(sender: Sender) -> None:
        post = sender.post

        def changed(body: bytes) -> int:
            return post(body, media_type)

        override(sender, post=changed)

    return _each(change)


def _silent(registry: Registry) -> None:
    def nothing(_event: Event) -> None:
        return

    override(_of(registry), publish=nothing)


def _by_put(sender: Sender) -> None:
    def changed(body: bytes) -> int:
        url = sender.endpoint.url
        headers = {name: values[0] for name, values in sender.endpoint.headers.items()}
        headers["Content-Type"] = "application/vnd.docker.distribution.events.v2+json"
        request = urllib.request.Request(url, body, headers, method="PUT")  # noqa: S310  the address of a test
        with urllib.request.urlopen(request, timeout=sender.endpoint.timeout) as answer:  # noqa: S310  as above
            return int(answer.status)

    override(sender, post=changed)


def _bodies(rewrite: Callable[[bytes], bytes]) -> Apply:
    """Send other bodies."""

    def change(sender: Sender) -> None:
        post = sender.post

        def changed(body: bytes) -> int:
            return post(rewrite(body))

        override(sender, post=changed)

    return _each(change)


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


def _once(sender: Sender) -> None:
    attempt = sender.attempt

    def changed(events: list[Event]) -> bool:
        attempt(events)
        return True

    override(sender, attempt=changed)


def _once_if_silent(sender: Sender) -> None:
    post = sender.post

    def changed(body: bytes) -> int:
        try:
            return post(body)
        except OSError:
            return 200

    override(sender, post=changed)


def _new_ids(sender: Sender) -> None:
    attempt = sender.attempt

    def changed(events: list[Event]) -> bool:
        return attempt([event | {"id": str(uuid.uuid4())} for event in events])

    override(sender, attempt=changed)


def _taken_by(*statuses: int) -> Callable[[Sender], None]:
    """Only some statuses count as success."""

    def change(sender: Sender) -> None:
        post = sender.post

        def changed(body: bytes) -> int:
            status = post(body)
            return status if status in statuses else 500

        override(sender, post=changed)

    return change


def _side_by_side(sender: Sender) -> None:
    def changed(events: list[Event]) -> bool:
        # Each with a connection of its own: on one they would get lost.
        threading.Thread(target=Sender(sender.endpoint).deliver, args=(events,), daemon=True).start()
        return True

    override(sender, deliver=changed)


def _of_refusals(*operations: str) -> Apply:
    """Tell of refused requests as of others."""
    actions = {"upload.put": ("push", "blobs"), "manifest.put": ("push", "manifests")}

    def apply(registry: Registry) -> None:
        notifications = _of(registry)
        notices = notifications.notices

        def changed(request: Request, response: Response) -> list[Notice]:
            if request.operation in operations and response.status >= 400:
                action, kind = actions.get(request.operation, ("pull", "manifests"))
                digest = request.query.get("digest") or request.reference
                return [Notice(action, digest, kind)]
            return notices(request, response)

        override(notifications, notices=changed)

    return apply


def _fault(
    name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = (), seldom: bool = False
) -> Fault:
    return Fault(
        name=name, title=title, breaks=breaks, also=also, configuration=CONFIGURATION, apply=apply, seldom=seldom
    )


_DELIVERED = "NOTIF-DELIVERED-POST"
_ARRAY = "NOTIF-ENVELOPE-EVENTS-ARRAY"
_HEADERS = "NOTIF-HEADERS-CONFIGURED"
_RETRY = "NOTIF-RETRY-UNTIL-SUCCESS"
_SUCCESS = "NOTIF-SUCCESS-2XX-3XX"
_FAILED = "NOTIF-FAILED-REQUEST-NO-EVENT"

FAULTS = (
    _fault("notifications-none", "No notification is sent.", _DELIVERED, apply=_silent),
    _fault("notifications-by-put", "Notifications are sent by PUT.", _DELIVERED, apply=_each(_by_put)),
    _fault(
        "notifications-as-json",
        "Notifications have the media type of any JSON.",
        "NOTIF-ENVELOPE-MEDIA-TYPE",
        apply=_typed("application/json"),
    ),
    _fault(
        "notifications-of-version-1",
        "Notifications have the media type of version 1.",
        "NOTIF-ENVELOPE-MEDIA-TYPE-V2",
        apply=_typed("application/vnd.docker.distribution.events.v1+json"),
    ),
    _fault("notifications-bare", "The body is an array of events.", _ARRAY, apply=_bodies(_bare)),
    _fault("notifications-single", "events is an event, and no array.", _ARRAY, apply=_bodies(_single)),
    _fault("notifications-empty-too", "Envelopes without events are sent too.", _ARRAY, apply=_each(_empty_too)),
    _fault("notifications-broken-json", "The body is cut short.", _ARRAY, apply=_bodies(lambda body: body[:-3])),
    _fault(
        "notifications-without-headers",
        "The configured headers are not sent.",
        _HEADERS,
        apply=_each(_without_headers(first_only=False)),
    ),
    _fault(
        "notifications-headers-once",
        "The configured headers are not sent with what is sent again.",
        _HEADERS,
        apply=_each(_without_headers(first_only=True)),
    ),
    _fault("notifications-sent-once", "What was not taken is not sent again.", _RETRY, apply=_each(_once)),
    _fault(
        "notifications-silence-is-success",
        "What was not answered is not sent again.",
        _RETRY,
        apply=_each(_once_if_silent),
    ),
    _fault(
        "notifications-new-ids",
        "What is sent again has other ids.",
        "NOTIF-RETRY-SAME-IDS",
        apply=_each(_new_ids),
    ),
    _fault("notifications-200-alone", "Only 200 is success.", _SUCCESS, apply=_each(_taken_by(200))),
    _fault("notifications-2xx-alone", "Only 2xx is success.", _SUCCESS, apply=_each(_taken_by(*range(200, 300)))),
    _fault(
        "notifications-of-refused-blobs",
        "A blob that was refused is told of.",
        _FAILED,
        apply=_of_refusals("upload.put"),
    ),
    _fault(
        "notifications-of-refused-manifests",
        "A manifest that was refused is told of.",
        _FAILED,
        apply=_of_refusals("manifest.put"),
    ),
    _fault(
        "notifications-of-failed-pulls",
        "The pull of an unknown manifest is told of.",
        _FAILED,
        apply=_of_refusals("manifest.get"),
    ),
    _fault(
        "notifications-side-by-side",
        "Notifications are sent in parallel.",
        "NOTIF-ORDER-FREE-SERIAL",
        apply=_each(_side_by_side),
        # Only where much is notified do two of them meet.
        seldom=True,
    ),
)
