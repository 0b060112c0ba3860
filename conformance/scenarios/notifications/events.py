"""Notifications read: envelopes, and the events in them. Nothing that a target sends is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from conformance.listener.mailbox import Delivery
from spec.catalogue import ROOT

#: The media type of the document, and the one that released registries of the 2.x line send.
MEDIA_TYPE = "application/vnd.docker.distribution.events.v2+json"
OLD_MEDIA_TYPE = "application/vnd.docker.distribution.events.v1+json"
#: Answers of the listener with which a notification is not taken; 0 is none at all.
_NOT_TAKEN = (500, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came, and the delivery that it came in."""

    value: dict[str, Any]
    delivery: Delivery

    @property
    def target(self) -> dict[str, Any]:
        """Return the target, empty where there is none."""
        found = self.value.get("target")
        return found if isinstance(found, dict) else {}

    def member(self, name: str) -> Any:
        """Return a member of the target; the table of the document has some of them beside it."""
        return self.target[name] if name in self.target else self.value.get(name)

    def text(self, name: str) -> str:
        """Return such a member that is a string, empty where it is none."""
        found = self.member(name)
        return found if isinstance(found, str) else ""

    @property
    def action(self) -> str:
        """Return the action, empty where it is no string."""
        found = self.value.get("action")
        return found if isinstance(found, str) else ""

    @property
    def method(self) -> str:
        """Return the method of the request behind it, empty where it is not told."""
        request = self.value.get("request")
        found = request.get("method") if isinstance(request, dict) else None
        return found if isinstance(found, str) else ""

    def about(self, digest: str) -> bool:
        """Whether the target is the content of a digest."""
        return self.text("digest") == digest

    def is_push(self, digest: str) -> bool:
        """Whether it tells of a push of a digest."""
        return self.action == "push" and self.about(digest)

    def is_pull(self, digest: str) -> bool:
        """Whether it tells of a pull of a digest."""
        return self.action == "pull" and self.about(digest)

    def key(self) -> str:
        """Return what tells the event from others: what happened to what, by which request."""
        request = self.value.get("request")
        origin = request.get("id") if isinstance(request, dict) else None
        told = [self.action, *(self.text(name) for name in ("digest", "repository", "tag")), str(origin)]
        return json.dumps(told)

    def fits(self, name: str) -> bool:
        """Whether a member is as the schema has it."""
        if name not in self.value:
            return False
        try:
            return _validator(name).is_valid(self.value[name])
        except (ValueError, OverflowError, RecursionError):
            return False


@lru_cache(maxsize=16)
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / "notification.schema.json").read_text(encoding="utf-8"))
    member: dict[str, Any] = schema["properties"]["events"]["items"]["properties"][name]
    return jsonschema_rs.Draft202012Validator(member)


def media_type(delivery: Delivery) -> str:
    """Return the media type of a delivery without parameters, in lower case."""
    return ", ".join(delivery.header("Content-Type")).partition(";")[0].strip().lower()


def flaw(delivery: Delivery) -> str:
    """Return what is wrong with the envelope of a whole delivery, empty if nothing is."""
    try:
        value = json.loads(delivery.body)
    except (ValueError, RecursionError):
        return "the body was no JSON"
    if not isinstance(value, dict):
        return "the body was no JSON object"
    events = value.get("events")
    if not isinstance(events, list):
        return "it had no array of events"
    if not events:
        return "the array of events was empty"
    return "" if all(isinstance(event, dict) for event in events) else "an event was no object"


def events_of(deliveries: Iterable[Delivery]) -> list[Event]:
    """Return the events of some deliveries, those that were sent again as often as they came."""
    found: list[Event] = []
    for delivery in deliveries:
        try:
            value = json.loads(delivery.body)
        except (ValueError, RecursionError):
            continue
        listed = value.get("events") if isinstance(value, dict) else None
        found += [Event(e, delivery) for e in (listed if isinstance(listed, list) else []) if isinstance(e, dict)]
    return found


def ids_of(delivery: Delivery, digest: str) -> set[str]:
    """Return the ids of the events that a delivery has of a digest."""
    return {str(event.value.get("id")) for event in events_of([delivery]) if event.about(digest)}


def comes_as_before(came: Sequence[Delivery], digest: str) -> bool:
    """Whether the first event of each refused delivery is repeated; a push may give several."""
    first = ids_of(came[0], digest)
    told = [(delivery, ids_of(delivery, digest) & first) for delivery in came]
    return all(
        any(names & later for _, later in told[number:])
        for number, (delivery, names) in enumerate(told, 1)
        if names and delivery.reply.status in _NOT_TAKEN
    )
