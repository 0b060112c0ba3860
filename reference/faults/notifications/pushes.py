"""Faults of the events of pushes."""

from __future__ import annotations

from reference.faults.notifications.shared import event_target, events_without
from reference.messages import Notice
from reference.modifications import Fault
from reference.modifications.shared import edited_events
from reference.notifications.events import Event

_CONFIGURATION = "notifications"


def _parent(target: Event, _notice: Notice) -> Event:
    """The first component of the name alone."""
    return target | {"repository": target["repository"].partition("/")[0]}


def _other_digest(target: Event, _notice: Notice) -> Event:
    return target | {"digest": "sha256:" + "0" * 64} if "digest" in target else target


FAULTS = (
    Fault(
        name="event-manifest-push-missing",
        title="Pushes of manifests give no event.",
        breaks=("NOTIF-PUSH-MANIFEST",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("push", "manifests")),
    ),
    Fault(
        name="event-manifest-push-wrong-type",
        title="The media type of a manifest is a vague one.",
        breaks=("NOTIF-PUSH-MANIFEST",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(lambda target, _: target | {"mediaType": "application/json"}, "push")),
    ),
    Fault(
        name="event-repository-shortened",
        title="The repository is told by its first component.",
        breaks=("NOTIF-PUSH-MANIFEST", "NOTIF-PUSH-BLOB", "NOTIF-DELETE-TARGET", "NOTIF-MOUNT-FROM-REPOSITORY"),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_parent, "push", "pull", "mount", "delete")),
    ),
    Fault(
        name="event-digest-of-another",
        title="The digest of an event is that of other content.",
        breaks=("NOTIF-PUSH-MANIFEST", "NOTIF-PUSH-BLOB", "NOTIF-PULL-MANIFEST", "NOTIF-PULL-BLOB"),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_other_digest, "push", "pull")),
    ),
)
