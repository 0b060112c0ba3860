"""Faults of events: what a notification says of what happened."""

from __future__ import annotations

import base64
from collections.abc import Callable

from reference.app import Registry
from reference.messages import Notice, Request, Response
from reference.modifications import Apply, Fault, override
from reference.notifications.events import Event

#: What is done to an event; nothing is told where it gives None.
Edit = Callable[[Event, Request, Notice], Event | None]
CONFIGURATION = "notifications"


def edited(edit: Edit) -> Apply:
    """Change the events before they are queued."""

    def apply(registry: Registry) -> None:
        notifications = registry.notifications
        if notifications is None:
            raise AttributeError("this registry sends no notifications")
        make = notifications.events.make

        def tell(request: Request, response: Response) -> None:
            for notice in notifications.notices(request, response):
                event = edit(make(request, notice), request, notice)
                if event is not None:
                    notifications.publish(event)

        override(notifications, tell=tell)

    return apply


def _fault(name: str, title: str, *breaks: str, edit: Edit, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, configuration=CONFIGURATION, apply=edited(edit))


def _without(action: str, kind: str) -> Edit:
    """Tell nothing of an action on a kind of content."""

    def edit(event: Event, _request: Request, notice: Notice) -> Event | None:
        return None if notice.action == action and notice.kind == kind else event

    return edit


def _member(name: str, value: object) -> Edit:
    """Give a member of the event another value, or None to leave it out."""

    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        rest = {key: old for key, old in event.items() if key != name}
        return rest if value is None else rest | {name: value}

    return edit


def _target(change: Callable[[Event, Notice], Event], *actions: str) -> Edit:
    """Change the target of the events of some actions."""

    def edit(event: Event, _request: Request, notice: Notice) -> Event:
        return event | {"target": change(event["target"], notice)} if notice.action in actions else event

    return edit


def _drop(*names: str) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: {key: value for key, value in target.items() if key not in names}


def _set(**members: object) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: target | members


def _bigger(*names: str) -> Callable[[Event, Notice], Event]:
    return lambda target, _notice: target | {name: target[name] + 1 for name in names if name in target}


def _words(event: Event, _request: Request, _notice: Notice) -> Event:
    """Actions in other words."""
    return event | {"action": {"push": "write", "pull": "read"}.get(event["action"], event["action"])}


def _swapped(event: Event, _request: Request, notice: Notice) -> Event:
    """A pull of a manifest is called a push."""
    return event | {"action": "push"} if (notice.action, notice.kind) == ("pull", "manifests") else event


def _tags_only(event: Event, _request: Request, notice: Notice) -> Event | None:
    """Nothing is told of a manifest that was pulled by its digest."""
    return None if (notice.action, notice.kind, notice.tag) == ("pull", "manifests", "") else event


def _parent(target: Event, _notice: Notice) -> Event:
    """The first component of the name alone."""
    return target | {"repository": target["repository"].partition("/")[0]}


def _other_digest(target: Event, _notice: Notice) -> Event:
    return target | {"digest": "sha256:" + "0" * 64} if "digest" in target else target


def _url_of_another(target: Event, notice: Notice) -> Event:
    return target | {"url": target["url"].replace(notice.digest, "sha256:" + "0" * 64)}


def _url_of_blobs(target: Event, _notice: Notice) -> Event:
    return target | {"url": target["url"].replace("/manifests/", "/blobs/")}


def _url_of_manifests(target: Event, _notice: Notice) -> Event:
    return target | {"url": target["url"].replace("/blobs/", "/manifests/")}


def _tag_of_digests(target: Event, notice: Notice) -> Event:
    return target if notice.tag or notice.kind != "manifests" else target | {"tag": "latest"}


def _stamped(stamp: Callable[[str], object]) -> Edit:
    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        return event | {"timestamp": stamp(event["timestamp"])}

    return edit


def _telling(event: Event, request: Request, _notice: Notice) -> Event:
    """The whole login is told."""
    login = base64.b64decode(request.headers.get("authorization").partition(" ")[2]).decode()
    return event | {"actor": {"name": login}}


def _record(**members: object) -> Edit:
    def edit(event: Event, _request: Request, _notice: Notice) -> Event:
        return event | {"request": event["request"] | members}

    return edit


def _where_from(event: Event, _request: Request, _notice: Notice) -> Event:
    return event | {"source": {"instanceID": event["source"]["instanceID"]}}


def _odd(event: Event, _request: Request, _notice: Notice) -> Event:
    """Members of types that nobody expects."""
    target = event["target"] | {"tag": ["latest"], "url": {"a": "http://[::1"}, "size": 10**30, "length": True}
    target |= {"mediaType": 1, "repository": [target["repository"]]}
    odd = {"request": [1], "actor": "somebody", "source": "a\ud800", "timestamp": [0], "id": {"$ref": "#"}}
    return event | odd | {"target": target}


_ID = "NOTIF-EVENT-ID-UNIQUE"
_TIME = "NOTIF-EVENT-TIMESTAMP"
_ACTION = "NOTIF-EVENT-ACTION"
_PUSH = "NOTIF-PUSH-MANIFEST"
_PUSH_BLOB = "NOTIF-PUSH-BLOB"
_PULL = "NOTIF-PULL-MANIFEST"
_PULL_BLOB = "NOTIF-PULL-BLOB"
_MOUNT = "NOTIF-MOUNT-FROM-REPOSITORY"
_DELETE = "NOTIF-DELETE-TARGET"
_SIZE = "NOTIF-TARGET-SIZE"
_TAG = "NOTIF-TARGET-TAG"
_URL = "NOTIF-TARGET-URL"
_REQUEST = "NOTIF-REQUEST-RECORD"
_ACTOR = "NOTIF-ACTOR"
_SOURCE = "NOTIF-SOURCE"
_BOTH = ("push", "pull")

FAULTS = (
    _fault("event-id-constant", "All events have the same id.", _ID, edit=_member("id", "event")),
    _fault("event-id-empty", "The id of events is empty.", _ID, edit=_member("id", "")),
    _fault("event-id-number", "The id of events is a number.", _ID, edit=_member("id", 7)),
    _fault("event-time-of-unix", "The timestamp is in seconds of the epoch.", _TIME, edit=_member("timestamp", 1.5e9)),
    _fault(
        "event-time-without-zone",
        "The timestamp has a blank, and no zone.",
        _TIME,
        edit=_stamped(lambda text: text[:19].replace("T", " ")),
    ),
    _fault(
        "event-time-of-another-day",
        "The timestamp is that of another day.",
        "NOTIF-EVENT-TIMESTAMP-CLOSE",
        edit=_stamped(lambda text: "2001" + text[4:]),
    ),
    _fault("event-actions-renamed", "Events tell of writes and reads.", _ACTION, edit=_words),
    _fault(
        "event-pull-called-push",
        "The pull of a manifest is called a push.",
        _ACTION,
        # Nor is there a pull to be found.
        also=(_PULL,),
        edit=_swapped,
    ),
    _fault(
        "event-manifest-push-untold", "Pushes of manifests are not told of.", _PUSH, edit=_without("push", "manifests")
    ),
    _fault(
        "event-manifest-push-untyped",
        "The media type of a manifest is a vague one.",
        _PUSH,
        edit=_target(lambda target, _: target | {"mediaType": "application/json"}, "push"),
    ),
    _fault(
        "event-repository-shortened",
        "The repository is told by its first component.",
        _PUSH,
        _PUSH_BLOB,
        _DELETE,
        _MOUNT,
        edit=_target(_parent, "push", "pull", "mount", "delete"),
    ),
    _fault(
        "event-digest-of-another",
        "The digest is another's.",
        _PUSH,
        _PUSH_BLOB,
        _PULL,
        _PULL_BLOB,
        edit=_target(_other_digest, "push", "pull"),
    ),
    _fault("event-blob-push-untold", "Pushes of blobs are not told of.", _PUSH_BLOB, edit=_without("push", "blobs")),
    _fault(
        "event-manifest-pull-untold", "Pulls of manifests are not told of.", _PULL, edit=_without("pull", "manifests")
    ),
    _fault("event-pull-by-digest-untold", "Pulls of manifests by digest are not told of.", _PULL, edit=_tags_only),
    _fault("event-blob-pull-untold", "Pulls of blobs are not told of.", _PULL_BLOB, edit=_without("pull", "blobs")),
    _fault("event-mount-untold", "Mounts are not told of.", _MOUNT, edit=_without("mount", "blobs")),
    _fault(
        "event-mount-without-source",
        "The event of a mount has no fromRepository.",
        _MOUNT,
        edit=_target(_drop("fromRepository"), "mount"),
    ),
    _fault("event-deletion-untold", "Deletions are not told of.", _DELETE, edit=_without("delete", "")),
    _fault(
        "event-deletion-without-digest",
        "The event of a deletion has no digest.",
        _DELETE,
        edit=_target(_drop("digest"), "delete"),
    ),
    _fault(
        "event-size-wrong", "Size and length are one too many.", _SIZE, edit=_target(_bigger("size", "length"), *_BOTH)
    ),
    _fault("event-length-wrong", "The length is not the size.", _SIZE, edit=_target(_bigger("length"), *_BOTH)),
    _fault("event-size-as-text", "The size is a string.", _SIZE, edit=_target(_set(size="64", length="64"), *_BOTH)),
    _fault(
        "event-without-size", "There is neither size nor length.", _SIZE, edit=_target(_drop("size", "length"), *_BOTH)
    ),
    _fault(
        "event-without-length",
        "There is no length.",
        "NOTIF-TARGET-SIZE-BOTH",
        edit=_target(_drop("length"), *_BOTH),
    ),
    _fault("event-url-of-another", "The url leads to another digest.", _URL, edit=_target(_url_of_another, *_BOTH)),
    _fault("event-url-of-blobs", "The url of a manifest is that of a blob.", _URL, edit=_target(_url_of_blobs, *_BOTH)),
    _fault(
        "event-url-of-a-pulled-blob",
        "The url of a blob that was pulled is that of a manifest.",
        _URL,
        edit=_target(_url_of_manifests, "pull"),
    ),
    _fault("event-without-url", "There is no url.", "NOTIF-TARGET-URL-PRESENT", edit=_target(_drop("url"), *_BOTH)),
    _fault(
        "event-tag-latest",
        "The tag is always latest.",
        _TAG,
        edit=_target(lambda target, _: target | ({"tag": "latest"} if "tag" in target else {}), *_BOTH),
    ),
    _fault(
        "event-tag-of-digests",
        "A manifest that is named by its digest has a tag.",
        _TAG,
        edit=_target(_tag_of_digests, *_BOTH),
    ),
    _fault("event-without-tag", "There is no tag.", "NOTIF-TARGET-TAG-PRESENT", edit=_target(_drop("tag"), *_BOTH)),
    _fault("event-without-request", "There is no request.", _REQUEST, edit=_member("request", None)),
    _fault("event-request-without-agent", "The request has no useragent.", _REQUEST, edit=_record(useragent="")),
    _fault("event-request-of-get", "The method of any request is GET.", _REQUEST, edit=_record(method="GET")),
    _fault("event-without-actor", "There is no actor.", _ACTOR, edit=_member("actor", None)),
    _fault("event-actor-with-password", "The actor has the password.", _ACTOR, edit=_telling),
    _fault(
        "event-of-odd-types",
        "Members have types that nobody expects.",
        _ID,
        _TIME,
        _PUSH,
        _PUSH_BLOB,
        _MOUNT,
        _DELETE,
        _REQUEST,
        _ACTOR,
        _SOURCE,
        edit=_odd,
    ),
    _fault("event-without-source", "There is no source.", _SOURCE, edit=_member("source", None)),
    _fault("event-source-without-addr", "The source has no addr.", _SOURCE, edit=_where_from),
)
