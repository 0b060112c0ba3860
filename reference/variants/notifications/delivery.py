"""Variants of the delivery of notifications."""

from __future__ import annotations

import threading
import time

from reference.app import Registry
from reference.modifications import Variant, override
from reference.modifications.shared import notifications_of
from reference.notifications.events import Event
from reference.notifications.sender import Sender

_CONFIGURATION = "notifications"
#: Seconds for which events are collected before they are sent.
_COLLECTED = 0.4


def _collecting(sender: Sender) -> None:
    """Events of a period come in reverse order, in one envelope, one of them twice."""
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
    for sender in notifications_of(registry).senders:
        _collecting(sender)


def _nodes(registry: Registry) -> None:
    """A cluster of two nodes: each has a queue of its own, and they send at the same time."""
    notifications = notifications_of(registry)
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


VARIANTS = (
    Variant(
        name="notifications-collected",
        title="Notifications come late, in reverse order, many in one envelope, one of them twice.",
        latitude=("NOTIFICATION-DELIVERY",),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=_collected,
    ),
    Variant(
        name="notifications-of-nodes",
        title="Two nodes of a cluster send at the same time.",
        latitude=("NOTIFICATION-DELIVERY",),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=_nodes,
    ),
)
