"""Faults of the members of events."""

from __future__ import annotations

import base64
from collections.abc import Callable

from reference.messages import Notice, Request
from reference.modifications import Fault
from reference.modifications.shared import EditEvent, edited_events
from reference.notifications.events import Event

_CONFIGURATION = "notifications"


def _member(name: str, value: object) -> EditEvent:
    """Give a member of the event another value, or None to leave it out."""

    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        rest = {key: old for key, old in event.items() if key != name}
        return rest if value is None else rest | {name: value}

    return edit


def _stamped(stamp: Callable[[str], object]) -> EditEvent:
    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        return event | {"timestamp": stamp(event["timestamp"])}

    return edit


def _record(**members: object) -> EditEvent:
    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        return event | {"request": event["request"] | members}

    return edit


def _telling(event: Event, request: Request, _notice: Notice) -> Event:
    """The whole login is told."""
    login = base64.b64decode(request.headers.get("authorization").partition(" ")[2]).decode()
    return event | {"actor": {"name": login}}


def _odd(event: Event, _request: Request, _notice: Notice) -> Event:
    """Members of types that nobody expects."""
    target = event["target"] | {"tag": ["latest"], "url": {"a": "http://[::1"}, "size": 10**30, "length": True}
    target |= {"mediaType": 1, "repository": [target["repository"]]}
    odd = {"request": [1], "actor": "somebody", "source": "a\ud800", "timestamp": [0], "id": {"$ref": "#"}}
    return event | odd | {"target": target}


def _where_from(event: Event, _request: Request, _notice: Notice) -> Event:
    return event | {"source": {"instanceID": event["source"]["instanceID"]}}


FAULTS = (
    Fault(
        name="event-id-constant",
        title="All events have the same id.",
        breaks=("NOTIF-EVENT-ID-UNIQUE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("id", "event")),
    ),
    Fault(
        name="event-id-empty",
        title="The id of events is empty.",
        breaks=("NOTIF-EVENT-ID-UNIQUE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("id", "")),
    ),
    Fault(
        name="event-id-number",
        title="The id of events is a number.",
        breaks=("NOTIF-EVENT-ID-UNIQUE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("id", 7)),
    ),
    Fault(
        name="event-time-of-unix",
        title="The timestamp is in seconds of the epoch.",
        breaks=("NOTIF-EVENT-TIMESTAMP",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("timestamp", 1.5e9)),
    ),
    Fault(
        name="event-time-without-zone",
        title="The timestamp has a blank, and no zone.",
        breaks=("NOTIF-EVENT-TIMESTAMP",),
        configuration=_CONFIGURATION,
        apply=edited_events(_stamped(lambda text: text[:19].replace("T", " "))),
    ),
    Fault(
        name="event-time-of-another-day",
        title="The timestamp is that of another day.",
        breaks=("NOTIF-EVENT-TIMESTAMP-CLOSE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_stamped(lambda text: "2001" + text[4:])),
    ),
    Fault(
        name="event-without-request",
        title="There is no request.",
        breaks=("NOTIF-REQUEST-RECORD",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("request", None)),
    ),
    Fault(
        name="event-request-without-agent",
        title="The request has no useragent.",
        breaks=("NOTIF-REQUEST-RECORD",),
        configuration=_CONFIGURATION,
        apply=edited_events(_record(useragent="")),
    ),
    Fault(
        name="event-request-of-get",
        title="The method of any request is GET.",
        breaks=("NOTIF-REQUEST-RECORD",),
        configuration=_CONFIGURATION,
        apply=edited_events(_record(method="GET")),
    ),
    Fault(
        name="event-without-actor",
        title="There is no actor.",
        breaks=("NOTIF-ACTOR",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("actor", None)),
    ),
    Fault(
        name="event-actor-with-password",
        title="The actor has the password.",
        breaks=("NOTIF-ACTOR",),
        configuration=_CONFIGURATION,
        apply=edited_events(_telling),
    ),
    Fault(
        name="event-of-odd-types",
        title="Members have types that nobody expects.",
        breaks=(
            "NOTIF-EVENT-ID-UNIQUE",
            "NOTIF-EVENT-TIMESTAMP",
            "NOTIF-PUSH-MANIFEST",
            "NOTIF-PUSH-BLOB",
            "NOTIF-MOUNT-FROM-REPOSITORY",
            "NOTIF-DELETE-TARGET",
            "NOTIF-REQUEST-RECORD",
            "NOTIF-ACTOR",
            "NOTIF-SOURCE",
        ),
        configuration=_CONFIGURATION,
        apply=edited_events(_odd),
    ),
    Fault(
        name="event-without-source",
        title="There is no source.",
        breaks=("NOTIF-SOURCE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_member("source", None)),
    ),
    Fault(
        name="event-source-without-addr",
        title="The source has no addr.",
        breaks=("NOTIF-SOURCE",),
        configuration=_CONFIGURATION,
        apply=edited_events(_where_from),
    ),
)
