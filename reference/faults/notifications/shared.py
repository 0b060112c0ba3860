"""Changes that several modules of faults of notifications have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.messages import Notice, Request
from reference.modifications import Apply
from reference.modifications.shared import EditEvent, notifications_of
from reference.notifications.events import Event
from reference.notifications.sender import Sender


def events_without(action: str, kind: str) -> EditEvent:
    """Tell nothing of an action on a kind of content."""

    def edit(event: Event, _request: Request, notice: Notice) -> Event | None:
        return None if notice.action == action and notice.kind == kind else event

    return edit


def event_target(change: Callable[[Event, Notice], Event], *actions: str) -> EditEvent:
    """Change the target of the events of some actions."""

    def edit(event: Event, _request: Request, notice: Notice) -> Event:
        return event | {"target": change(event["target"], notice)} if notice.action in actions else event

    return edit


def each_sender(change: Callable[[Sender], None]) -> Apply:
    """Change the sender of each endpoint."""

    def apply(registry: Registry) -> None:
        for sender in notifications_of(registry).senders:
            change(sender)

    return apply
