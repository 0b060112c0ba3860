"""Variants of the members of events."""

from __future__ import annotations

from reference.messages import Notice, Request
from reference.modifications import Variant
from reference.modifications.shared import edited_events
from reference.notifications.events import Event

_CONFIGURATION = "notifications"


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
    """Length, repository, url and tag stand beside the target, as in the document's table."""
    names = ("length", "repository", "fromRepository", "url", "tag")
    target = {k: v for k, v in event["target"].items() if k not in names}
    return event | {"target": target} | {k: event["target"][k] for k in names if k in event["target"]}


def _without_zero(event: Event, _request: Request, _notice: Notice) -> Event:
    """A size of nothing is left out, as by the original registry."""
    return event | {"target": {key: value for key, value in event["target"].items() if value != 0}}


VARIANTS = (
    Variant(
        name="events-without-size-of-nothing",
        title="An event of a blob of zero bytes has neither size nor length.",
        latitude=("NOTIFICATION-FIELDS",),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=edited_events(_without_zero),
    ),
    Variant(
        name="events-sparse",
        title="Events lack what the examples lack, and have members that nobody knows.",
        latitude=("NOTIFICATION-FIELDS",),
        profiles=("docker-v2",),
        warns=("NOTIF-TARGET-SIZE-BOTH", "NOTIF-TARGET-URL-PRESENT", "NOTIF-TARGET-TAG-PRESENT"),
        configuration=_CONFIGURATION,
        apply=edited_events(_sparse),
    ),
    Variant(
        name="events-beside-the-target",
        title="Length, repository, url and tag stand beside the target.",
        latitude=("NOTIFICATION-FIELDS",),
        profiles=("docker-v2",),
        configuration=_CONFIGURATION,
        apply=edited_events(_beside),
    ),
)
