"""Faults of the events of each action."""

from __future__ import annotations

from collections.abc import Callable

from reference.faults.notifications.shared import event_target, events_without
from reference.messages import Notice, Request
from reference.modifications import Fault
from reference.modifications.shared import edited_events
from reference.notifications.events import Event

_CONFIGURATION = "notifications"
_BOTH = ("push", "pull")


def _words(event: Event, _request: Request, _notice: Notice) -> Event:
    """Actions in other words."""
    return event | {"action": {"push": "write", "pull": "read"}.get(event["action"], event["action"])}


def _swapped(event: Event, _request: Request, notice: Notice) -> Event:
    """A pull of a manifest is called a push."""
    return event | {"action": "push"} if (notice.action, notice.kind) == ("pull", "manifests") else event


def _tags_only(event: Event, _request: Request, notice: Notice) -> Event | None:
    """Nothing is told of a manifest that was pulled by its digest."""
    return None if (notice.action, notice.kind, notice.tag) == ("pull", "manifests", "") else event


def _drop(*names: str) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: {key: value for key, value in target.items() if key not in names}


def _bigger(*names: str) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: target | {name: target[name] + 1 for name in names if name in target}


def _set(**members: object) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: target | members


def _url_of_another(target: Event, notice: Notice) -> Event:
    return target | {"url": target["url"].replace(notice.digest, "sha256:" + "0" * 64)}


def _url_of_blobs(target: Event, _notice: Notice) -> Event:
    return target | {"url": target["url"].replace("/manifests/", "/blobs/")}


def _url_of_manifests(target: Event, _notice: Notice) -> Event:
    return target | {"url": target["url"].replace("/blobs/", "/manifests/")}


def _tag_of_digests(target: Event, notice: Notice) -> Event:
    return target if notice.tag or notice.kind != "manifests" else target | {"tag": "latest"}


FAULTS = (
    Fault(
        name="event-actions-renamed",
        title="Events tell of writes and reads.",
        breaks=("NOTIF-EVENT-ACTION",),
        configuration=_CONFIGURATION,
        apply=edited_events(_words),
    ),
    Fault(
        name="event-pull-called-push",
        title="The pull of a manifest is called a push.",
        breaks=("NOTIF-EVENT-ACTION",),
        # Nor is there a pull to be found.
        also=("NOTIF-PULL-MANIFEST",),
        configuration=_CONFIGURATION,
        apply=edited_events(_swapped),
    ),
    Fault(
        name="event-blob-push-missing",
        title="Pushes of blobs give no event.",
        breaks=("NOTIF-PUSH-BLOB",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("push", "blobs")),
    ),
    Fault(
        name="event-manifest-pull-missing",
        title="Pulls of manifests give no event.",
        breaks=("NOTIF-PULL-MANIFEST",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("pull", "manifests")),
    ),
    Fault(
        name="event-pull-by-digest-missing",
        title="Pulls of manifests by digest give no event.",
        breaks=("NOTIF-PULL-MANIFEST",),
        configuration=_CONFIGURATION,
        apply=edited_events(_tags_only),
    ),
    Fault(
        name="event-blob-pull-missing",
        title="Pulls of blobs give no event.",
        breaks=("NOTIF-PULL-BLOB",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("pull", "blobs")),
    ),
    Fault(
        name="event-mount-missing",
        title="Mounts give no event.",
        breaks=("NOTIF-MOUNT-FROM-REPOSITORY",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("mount", "blobs")),
    ),
    Fault(
        name="event-mount-without-source",
        title="The event of a mount has no fromRepository.",
        breaks=("NOTIF-MOUNT-FROM-REPOSITORY",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("fromRepository"), "mount")),
    ),
    Fault(
        name="event-deletion-missing",
        title="Deletions give no event.",
        breaks=("NOTIF-DELETE-TARGET",),
        configuration=_CONFIGURATION,
        apply=edited_events(events_without("delete", "")),
    ),
    Fault(
        name="event-deletion-without-digest",
        title="The event of a deletion has no digest.",
        breaks=("NOTIF-DELETE-TARGET",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("digest"), "delete")),
    ),
    Fault(
        name="event-size-wrong",
        title="Size and length are one too many.",
        breaks=("NOTIF-TARGET-SIZE",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_bigger("size", "length"), *_BOTH)),
    ),
    Fault(
        name="event-length-wrong",
        title="The length is not the size.",
        breaks=("NOTIF-TARGET-SIZE",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_bigger("length"), *_BOTH)),
    ),
    Fault(
        name="event-size-as-text",
        title="The size is a string.",
        breaks=("NOTIF-TARGET-SIZE",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_set(size="64", length="64"), *_BOTH)),
    ),
    Fault(
        name="event-without-size",
        title="There is neither size nor length.",
        breaks=("NOTIF-TARGET-SIZE",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("size", "length"), *_BOTH)),
    ),
    Fault(
        name="event-without-length",
        title="There is no length.",
        breaks=("NOTIF-TARGET-SIZE-BOTH",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("length"), *_BOTH)),
    ),
    Fault(
        name="event-url-of-another",
        title="The url leads to another digest.",
        breaks=("NOTIF-TARGET-URL",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_url_of_another, *_BOTH)),
    ),
    Fault(
        name="event-url-of-blobs",
        title="The url of a manifest is that of a blob.",
        breaks=("NOTIF-TARGET-URL",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_url_of_blobs, *_BOTH)),
    ),
    Fault(
        name="event-url-of-a-pulled-blob",
        title="The url of a blob that was pulled is that of a manifest.",
        breaks=("NOTIF-TARGET-URL",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_url_of_manifests, "pull")),
    ),
    Fault(
        name="event-without-url",
        title="There is no url.",
        breaks=("NOTIF-TARGET-URL-PRESENT",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("url"), *_BOTH)),
    ),
    Fault(
        name="event-tag-latest",
        title="The tag is always latest.",
        breaks=("NOTIF-TARGET-TAG",),
        configuration=_CONFIGURATION,
        apply=edited_events(
            event_target(lambda target, _: target | ({"tag": "latest"} if "tag" in target else {}), *_BOTH)
        ),
    ),
    Fault(
        name="event-tag-of-digests",
        title="A manifest that is named by its digest has a tag.",
        breaks=("NOTIF-TARGET-TAG",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_tag_of_digests, *_BOTH)),
    ),
    Fault(
        name="event-without-tag",
        title="There is no tag.",
        breaks=("NOTIF-TARGET-TAG-PRESENT",),
        configuration=_CONFIGURATION,
        apply=edited_events(event_target(_drop("tag"), *_BOTH)),
    ),
)
