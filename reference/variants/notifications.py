"""Variants of notifications: when, how often and in which company events come, and which members they have."""

from __future__ import annotations

import threading
import time
import uuid

from reference.app import Registry
from reference.faults.events import CONFIGURATION, edited
from reference.messages import Notice, Request, Response
from reference.modifications import Apply, Variant, override
from reference.notifications import Notifications
from reference.notifications.events import Event
from reference.notifications.sender import Sender

#: Seconds for which events are collected before they are sent.
_COLLECTED = 0.4
_STORED = "from"


def _of(registry: Registry) -> Notifications:
    if registry.notifications is None:
        raise AttributeError("this registry sends no notifications")
    return registry.notifications


def _collecting(sender: Sender) -> None:
    """What comes within a while is sent in reverse order, in one envelope, one event of it twice."""
    following = sender.next

    def changed() -> list[Event]:
        first = following()
        if not first:
            return []
        time.sleep(_COLLECTED)
        events = first
        while sender.waiting():
            events = [*following(), *events]
        return [*events, events[-1]]

    override(sender, next=changed)


def _collected(registry: Registry) -> None:
    for sender in _of(registry).senders:
        _collecting(sender)


def _sparse(event: Event, _request: Request, notice: Notice) -> Event:
    """The members that no example lacks are left, and others are there that nobody knows."""
    target = {k: v for k, v in event["target"].items() if k not in ("length", "url", "tag")}
    if notice.action == "delete":
        target = {k: target[k] for k in ("digest", "repository") if k in target}
    if notice.action == "push":
        target |= {"references": [], "annotations": {"a": "b"}}
    return {
        **{k: v for k, v in event.items() if k not in ("target", "actor", "source")},
        "timestamp": "2026-01-31t12:30:60.123456789+14:00" if notice.action == "delete" else event["timestamp"],
        "target": target,
        "actor": {},
        "source": {"addr": event["source"]["addr"]},
        "trace": {"id": 7},
    }


def _beside(event: Event, _request: Request, _notice: Notice) -> Event:
    """Length, repository, url and tag stand beside the target, where the document's table has them."""
    names = ("length", "repository", "fromRepository", "url", "tag")
    target = {k: v for k, v in event["target"].items() if k not in names}
    return event | {"target": target} | {k: event["target"][k] for k in names if k in event["target"]}


def _elsewhere(event: Event, _request: Request, notice: Notice) -> Event:
    """The registry is known to itself under another name; mounts and deletions are, as the document names neither."""
    event |= {"action": {"mount": "link", "delete": "purge"}.get(notice.action, event["action"])}
    target = event["target"]
    if "url" not in target:
        return event
    path = "/v2/" + target["url"].partition("/v2/")[2].replace(":", "%3A")
    record = event["request"] | {"host": "registry.internal.invalid", "addr": "10.0.0.7", "useragent": "a-proxy/1"}
    return event | {"target": target | {"url": "https://registry.internal.invalid" + path}, "request": record}


def _of_heads(registry: Registry) -> None:
    """HEAD is a pull too, and each push is told of twice: of the content, and of its replication."""
    notifications = _of(registry)
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
    notifications = _of(registry)
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


def _nodes(registry: Registry) -> None:
    """A cluster of two nodes: each has a queue of its own, and they send at the same time."""
    notifications = _of(registry)
    endpoints = [sender.endpoint for sender in notifications.senders]
    others = [Sender(endpoint) for endpoint in endpoints]
    start, close, publish = notifications.start, notifications.close, notifications.publish
    turn = threading.local()

    def started() -> None:
        start()
        for other in others:
            other.start()

    def closed() -> None:
        close()
        for other in others:
            other.close(0.5)

    def alternating(event: Event) -> None:
        turn.odd = not getattr(turn, "odd", False)
        if turn.odd:
            publish(event)
            return
        for other in others:
            other.put(event | {"source": {"addr": "other-node:5000", "instanceID": "other"}})

    override(notifications, start=started, close=closed, publish=alternating)


def _variant(name: str, title: str, *latitude: str, apply: Apply, warns: tuple[str, ...] = ()) -> Variant:
    return Variant(
        name=name,
        title=title,
        latitude=latitude,
        profiles=("docker-v2",),
        warns=warns,
        configuration=CONFIGURATION,
        apply=apply,
    )


_DELIVERY = "NOTIFICATION-DELIVERY"
_FIELDS = "NOTIFICATION-FIELDS"

VARIANTS = (
    _variant(
        "notifications-collected",
        "Notifications come late, in reverse order, many in one envelope, one of them twice.",
        _DELIVERY,
        apply=_collected,
    ),
    _variant(
        "notifications-of-heads",
        "HEAD is told of as a pull, and each push twice.",
        _DELIVERY,
        _FIELDS,
        apply=_of_heads,
    ),
    _variant("notifications-of-nodes", "Two nodes of a cluster send at the same time.", _DELIVERY, apply=_nodes),
    _variant(
        "notifications-not-of-redirected-blobs",
        "Blobs are redirected to a store, and their pulls are not told of.",
        _DELIVERY,
        "REDIRECT-BLOB",
        apply=_redirected,
    ),
    _variant(
        "events-sparse",
        "Events lack what the examples lack, and have members that nobody knows.",
        _FIELDS,
        warns=("NOTIF-TARGET-SIZE-BOTH", "NOTIF-TARGET-URL-PRESENT", "NOTIF-TARGET-TAG-PRESENT"),
        apply=edited(_sparse),
    ),
    _variant(
        "events-beside-the-target",
        "Length, repository, url and tag stand beside the target.",
        _FIELDS,
        apply=edited(_beside),
    ),
    _variant(
        "events-in-other-words",
        "Mounts and deletions have other actions; host, addr and agent are those of a proxy.",
        _FIELDS,
        apply=edited(_elsewhere),
    ),
)
