"""Variants of the events of each action."""

from __future__ import annotations

import uuid

from reference.app import Registry
from reference.messages import Notice, Request, Response
from reference.modifications import Variant, override
from reference.modifications.shared import edited_events, notifications_of
from reference.notifications.events import Event

_CONFIGURATION = "notifications"
_STORED = "from"


def _of_heads(registry: Registry) -> None:
    """HEAD counts as a pull, and each push is notified twice: the content, and its replication."""
    notifications = notifications_of(registry)
    publish = notifications.publish

    def notices(_request: Request, response: Response) -> list[Notice]:
        return [] if response.status >= 400 else response.notices

    def twice(event: Event) -> None:
        publish(event)
        if event["action"] == "push":
            publish(event | {"id": str(uuid.uuid4()), "action": "replicate"})

    override(notifications, notices=notices, publish=twice)


def _redirected(registry: Registry) -> None:
    """Blobs are redirected to a store, which tells nobody."""
    notifications = notifications_of(registry)
    get, notices = registry.handlers["blob.get"], notifications.notices

    async def redirect(request: Request) -> Response:
        response = await get(request)
        if request.query.get(_STORED) is not None or response.status >= 300:
            return response
        if response.content is not None:
            response.content.close()
        location = f"{request.path}?{_STORED}=store"
        return Response(307, [("Location", location), ("Docker-Content-Digest", request.reference)])

    def untold(request: Request, response: Response) -> list[Notice]:
        return [] if request.operation == "blob.get" else notices(request, response)

    registry.handlers["blob.get"] = redirect
    override(notifications, notices=untold)


def _elsewhere(event: Event, _request: Request, notice: Notice) -> Event:
    """The registry uses another name for itself, and notifies no mounts and deletions."""
    event |= {"action": {"mount": "link", "delete": "purge"}.get(notice.action, event["action"])}
    target = event["target"]
    if "url" not in target:
        return event
    path = "/v2/" + target["url"].partition("/v2/")[2].replace(":", "%3A")
    record = event["request"] | {"host": "registry.internal.invalid", "addr": "10.0.0.7", "useragent": "a-proxy/1"}
    return event | {"target": target | {"url": "https://registry.internal.invalid" + path}, "request": record}


VARIANTS = (
    Variant(
        name="notifications-of-heads",
        title="HEAD gives a pull event, and each push two events.",
        latitude=("NOTIFICATION-DELIVERY", "NOTIFICATION-FIELDS"),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=_of_heads,
    ),
    Variant(
        name="notifications-not-of-redirected-blobs",
        title="Pulls of blobs are redirected to a store and give no event.",
        latitude=("NOTIFICATION-DELIVERY", "REDIRECT-BLOB"),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=_redirected,
    ),
    Variant(
        name="events-with-other-actions",
        title="Mounts and deletions have other actions; host, addr and agent are those of a proxy.",
        latitude=("NOTIFICATION-FIELDS",),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=edited_events(_elsewhere),
    ),
)
