"""How the target of an event is judged: its size, its url and its tag."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from conformance.client.registry import Registry, Repository
from conformance.scenarios.notifications.events import Event
from conformance.scenarios.notifications.post import Post
from conformance.target.content import ANY_MANIFEST
from conformance.target.setup import OK
from conformance.verdict.judge import Judge, clip

SIZE = "NOTIF-TARGET-SIZE"
SIZE_BOTH = "NOTIF-TARGET-SIZE-BOTH"
URL = "NOTIF-TARGET-URL"
URL_THERE = "NOTIF-TARGET-URL-PRESENT"
TAG = "NOTIF-TARGET-TAG"
TAG_THERE = "NOTIF-TARGET-TAG-PRESENT"
_PRINTABLE = re.compile("[!-~]+")


def judge_size(judge: Judge, post: Post, events: Sequence[Event], size: int) -> None:
    """Judge size and length of events of one content."""
    for event in events:
        told: dict[str, Any] = {name: event.member(name) for name in ("size", "length")}
        there = {name: value for name, value in told.items() if value is not None}
        right = bool(there) and all(type(value) is int and value == size for value in there.values())
        actual = f"it had {clip(json.dumps(there))}" if there else "it had neither size nor length"
        evidence = post.evidence([event.delivery])
        if judge(SIZE, right, f"size and length {size}", *evidence, actual=actual):
            judge(SIZE_BOTH, len(there) == len(told), "both size and length", *evidence, actual=actual)
        else:
            judge.inconclusive(SIZE_BOTH, f"blocked by {SIZE}")


def judge_tag(judge: Judge, post: Post, events: Sequence[Event], tag: str | None) -> None:
    """Judge the tag of the events of content that a tag named, or its digest if ``None``."""
    named = [event for event in events if event.member("tag") is not None and event.member("tag") != ""]
    wrong = [event for event in named if event.member("tag") != tag]
    shown = f"it was {clip(json.dumps(wrong[0].member('tag')))}" if wrong else ""
    expected = f"the tag {tag}" if tag else "no tag, as the manifest was named by its digest"
    judge(TAG, not wrong, expected, *post.evidence([event.delivery for event in wrong]), actual=shown)
    if tag:
        evidence = post.evidence([event.delivery for event in events])
        judge(TAG_THERE, named, expected, *evidence, actual="the event had no tag")


def judge_url(judge: Judge, post: Post, registry: Registry, event: Event, place: tuple[Repository, str]) -> None:
    """Judge the url of an event; ``place`` is the path below the repository, ``blobs/sha256:...``.

    Only what is at the target itself is asked for; elsewhere the path has to do.
    """
    url = event.member("url")
    evidence = post.evidence([event.delivery])
    if not judge(URL_THERE, url not in (None, ""), "a url", *evidence, actual="the event had no url"):
        judge.unsupported(URL, "the event had no url")
        return
    repo, rest = place
    digest = rest.rpartition("/")[2]
    expected = f"a url of {digest} in {repo.name}"
    try:
        # What is no URL must not be asked for.
        parts = urlsplit(url if isinstance(url, str) and _PRINTABLE.fullmatch(url) else "")
        own = (parts.scheme, parts.netloc) == urlsplit(registry.url)[:2]
    except ValueError:
        judge(URL, False, expected, *evidence, actual=f"it was {clip(url)}")
        return
    if own:
        accept = ("Accept", ANY_MANIFEST)
        answer = registry.request("GET", str(url), parameters={"name": repo.name}, headers=(accept,))
        held = answer.status == OK and answer.content_digest() == digest
        judge(
            URL, held, expected, *evidence, answer, actual=f"{clip(url)} gave status {answer.status} or other content"
        )
        return
    actual = f"it was {clip(url)}"
    if unquote(parts.path).endswith(f"/v2/{repo.name}/{rest}"):
        judge(URL, True, "")
    elif parts.scheme not in {"http", "https"} or digest not in unquote(parts.path):
        judge(URL, False, expected, *evidence, actual=actual)
    else:
        judge.inconclusive(URL, "it leads to another host, by a path that is no registry's")
