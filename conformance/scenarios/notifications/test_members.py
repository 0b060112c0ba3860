"""What an event says beside its target: id, time, request, actor and source."""

from __future__ import annotations

import base64
import datetime
import email.utils
import json
from collections.abc import Iterable

from conformance.client.http.exchange import Response
from conformance.client.login.credentials import Credentials
from conformance.client.registry import Repository
from conformance.scenarios.notifications.events import Event, events_of
from conformance.scenarios.notifications.post import DELIVERED, Post
from conformance.settings import Settings
from conformance.target.setup import CREATED, SetUp
from conformance.verdict.judge import Blocked, Judge, clip, listing, verifies

ID = "NOTIF-EVENT-ID-UNIQUE"
TIME = "NOTIF-EVENT-TIMESTAMP"
CLOSE = "NOTIF-EVENT-TIMESTAMP-CLOSE"
REQUEST = "NOTIF-REQUEST-RECORD"
ACTOR = "NOTIF-ACTOR"
SOURCE = "NOTIF-SOURCE"
_LEEWAY = datetime.timedelta(minutes=5)
_RECORD = ("id", "addr", "host", "method", "useragent")


def _first(events: Iterable[Event], member: str) -> Event | None:
    return next((event for event in events if not event.fits(member)), None)


def _shown(event: Event | None, member: str) -> str:
    if event is None:
        return ""
    return f"it was {clip(json.dumps(event.value[member]))}" if member in event.value else "an event had none"


@verifies(ID, TIME, CLOSE, ACTOR, SOURCE)
def test_members(repo: Repository, setup: SetUp, judge: Judge, post: Post, settings: Settings) -> None:
    """Each event has an id of its own, a time, an actor and a source."""
    post.of(repo)
    image = setup.image(repo)
    pulled = setup.pulled_manifest(repo, image.digest)
    post.wait(lambda event: event.is_push(image.digest), lambda event: event.is_pull(image.digest))
    events = post.own
    if not events:
        for requirement in (ID, TIME, CLOSE, ACTOR, SOURCE):
            judge.inconclusive(requirement, f"blocked by {DELIVERED}")
        return
    _judge_ids(judge, post, events)
    off = _first(events, "timestamp")
    if judge(TIME, off is None, "a timestamp as of RFC 3339", *post.evidence(), actual=_shown(off, "timestamp")):
        _judge_closeness(judge, post, events, pulled)
    else:
        judge.inconclusive(CLOSE, f"blocked by {TIME}")
    _judge_actor(judge, post, events, settings)
    off = next((e for e in events if not (e.fits("source") and str(e.value["source"].get("addr", "")).strip())), None)
    expected = "an object source with the addr of the registry"
    judge(SOURCE, off is None, expected, *post.evidence(), actual=_shown(off, "source"))


def _judge_ids(judge: Judge, post: Post, events: list[Event]) -> None:
    off = _first(events, "id")
    if not judge(ID, off is None, "an id, a string that is not empty", *post.evidence(), actual=_shown(off, "id")):
        return
    known: dict[str, str] = {}
    for event in events_of(post.whole()):
        name = event.value.get("id")
        if not isinstance(name, str) or event.key() == known.setdefault(name, event.key()):
            continue  # a retry repeats the event with its id
        actual = f"two events had the id {clip(name)}"
        judge(ID, False, "different ids for different events", *post.evidence([event.delivery]), actual=actual)
        return


def _judge_closeness(judge: Judge, post: Post, events: list[Event], answer: Response) -> None:
    try:
        there = email.utils.parsedate_to_datetime(answer.header("Date") or "")
    except (ValueError, TypeError, OverflowError):
        judge.unsupported(CLOSE, "the target tells no time of its own (Date)")
        return
    there = there if there.tzinfo else there.replace(tzinfo=datetime.UTC)
    for event in events:
        time = _time(event.value["timestamp"])
        held = time is None or abs(time - there) <= _LEEWAY
        expected = f"a time about {answer.header('Date')}"
        actual = f"it was {event.value['timestamp']}"
        judge(CLOSE, held, expected, *post.evidence([event.delivery]), answer, actual=actual)


def _time(text: str) -> datetime.datetime | None:
    """Return an RFC 3339 time to the second; skip leap seconds and impossible days."""
    offset = "+00:00" if text[-1] in "Zz" else text[-6:]
    try:
        return datetime.datetime.fromisoformat(text[:19].upper() + offset)
    except (ValueError, OverflowError):
        return None


def _judge_actor(judge: Judge, post: Post, events: list[Event], settings: Settings) -> None:
    off = _first(events, "actor")
    expected = "an object actor without the secrets of the login"
    judge(ACTOR, off is None, expected, *post.evidence(), actual=_shown(off, "actor"))
    if settings.credentials is None:
        return
    for event in events:
        tells = any(_tells(text, settings.credentials) for text in _texts(event.value.get("actor")))
        judge(ACTOR, not tells, expected, *post.evidence([event.delivery]), actual="it had the password")


def _texts(value: object) -> list[str]:
    """Return the members of an object that are strings; nested values are read as JSON."""
    members = value.values() if isinstance(value, dict) else []
    return [member if isinstance(member, str) else json.dumps(member) for member in members]


def _tells(text: str, credentials: Credentials) -> bool:
    """Whether a text has a login in it; a password may be a usual word, and the user's name too."""
    login = f"{credentials.username}:{credentials.password}"
    alone = credentials.password if credentials.password != credentials.username else login
    return text == alone or login in text or base64.b64encode(login.encode()).decode() in text


@verifies(REQUEST)
def test_request_record(repo: Repository, setup: SetUp, judge: Judge, post: Post) -> None:
    """An event tells the request behind it: id, addr, host, method and useragent."""
    post.of(repo)
    blob = setup.blob(repo, setup.make.config())
    manifest = setup.unpushed_image([blob])
    agent = f"conformance-agent/{setup.make.tag()}"
    pushed = repo.put_manifest(manifest.digest, manifest.body, manifest.media_type, headers=(("User-Agent", agent),))
    if pushed.status != CREATED:
        raise Blocked("PUSH-MANIFEST-STATUS-201", "status 201 to the PUT of a manifest", pushed)
    if not post.wait(lambda event: event.about(manifest.digest)):
        judge.inconclusive(REQUEST, f"blocked by {DELIVERED}")
        return
    event = next(event for event in post.events if event.about(manifest.digest))
    record = event.value.get("request")
    record = record if isinstance(record, dict) else {}
    lacking = [name for name in _RECORD if not (isinstance(record.get(name), str) and record[name])]
    expected = f"a request with {listing(_RECORD)}"
    actual = f"it had no {', '.join(lacking)}"
    if not judge(REQUEST, not lacking, expected, *post.evidence([event.delivery]), actual=actual):
        return
    actual = f"it was {clip(record['method'])}"
    judge(REQUEST, record["method"] == "PUT", "the method PUT", *post.evidence([event.delivery]), actual=actual)
    if record["useragent"] != agent:
        judge.inconclusive(
            REQUEST, "the useragent differs from the one that was sent: a proxy or the target changed it"
        )
