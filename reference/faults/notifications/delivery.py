"""Faults of the delivery of notifications."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from reference.app import Registry
from reference.faults.notifications.shared import each_sender
from reference.messages import Notice, Request, Response
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import notifications_of
from reference.notifications.events import Event
from reference.notifications.sender import Sender

_CONFIGURATION = "notifications"


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


def _of_refusals(*operations: str) -> Apply:
    """Tell of refused requests as of others."""
    actions = {"upload.put": ("push", "blobs"), "manifest.put": ("push", "manifests")}

    def apply(registry: Registry) -> None:
        notifications = notifications_of(registry)
        notices = notifications.notices

        def changed(request: Request, response: Response) -> list[Notice]:
            if request.operation in operations and response.status >= 400:
                action, kind = actions.get(request.operation, ("pull", "manifests"))
                digest = request.query.get("digest") or request.reference
                return [Notice(action, digest, kind)]
            return notices(request, response)

        override(notifications, notices=changed)

    return apply


def _side_by_side(sender: Sender) -> None:
    def changed(events: list[Event]) -> bool:
        # Each with a connection of its own: on one they would get lost.
        threading.Thread(target=Sender(sender.endpoint).deliver, args=(events,), daemon=True).start()
        return True

    override(sender, deliver=changed)


FAULTS = (
    Fault(
        name="notifications-sent-once",
        title="A notification that the endpoint refused is not sent again.",
        breaks=("NOTIF-RETRY-UNTIL-SUCCESS",),
        configuration=_CONFIGURATION,
        apply=each_sender(_once),
    ),
    Fault(
        name="notifications-silence-is-success",
        title="A notification that got no answer is not sent again.",
        breaks=("NOTIF-RETRY-UNTIL-SUCCESS",),
        configuration=_CONFIGURATION,
        apply=each_sender(_once_if_silent),
    ),
    Fault(
        name="notifications-new-ids",
        title="The events of a notification that is sent again have other ids.",
        breaks=("NOTIF-RETRY-SAME-IDS",),
        configuration=_CONFIGURATION,
        apply=each_sender(_new_ids),
    ),
    Fault(
        name="notifications-200-alone",
        title="Only 200 is success.",
        breaks=("NOTIF-SUCCESS-2XX-3XX",),
        configuration=_CONFIGURATION,
        apply=each_sender(_taken_by(200)),
    ),
    Fault(
        name="notifications-2xx-alone",
        title="Only 2xx is success.",
        breaks=("NOTIF-SUCCESS-2XX-3XX",),
        configuration=_CONFIGURATION,
        apply=each_sender(_taken_by(*range(200, 300))),
    ),
    Fault(
        name="notifications-of-refused-blobs",
        title="The refused push of a blob gives an event.",
        breaks=("NOTIF-FAILED-REQUEST-NO-EVENT",),
        configuration=_CONFIGURATION,
        apply=_of_refusals("upload.put"),
    ),
    Fault(
        name="notifications-of-refused-manifests",
        title="The refused push of a manifest gives an event.",
        breaks=("NOTIF-FAILED-REQUEST-NO-EVENT",),
        configuration=_CONFIGURATION,
        apply=_of_refusals("manifest.put"),
    ),
    Fault(
        name="notifications-of-failed-pulls",
        title="The pull of an unknown manifest gives an event.",
        breaks=("NOTIF-FAILED-REQUEST-NO-EVENT",),
        configuration=_CONFIGURATION,
        apply=_of_refusals("manifest.get"),
    ),
    Fault(
        name="notifications-side-by-side",
        title="Notifications are sent in parallel.",
        breaks=("NOTIF-ORDER-FREE-SERIAL",),
        configuration=_CONFIGURATION,
        # Only where much is notified do two of them meet.
        seldom=True,
        apply=each_sender(_side_by_side),
    ),
)
