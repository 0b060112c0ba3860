"""Faults of tag lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from reference.app import Registry
from reference.faults.discovery.shared import list_entries
from reference.faults.shared import busy, code_instead, no_content
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, on, override, set_header, set_status

_KEY = "tags"
_ROUTES = frozenset({"tags", "manifests", "blobs", "uploads", "referrers"})


def _body(change: Callable[[dict[str, Any]], None], *operations: str) -> Apply:
    """Change the JSON of a list."""

    def edit(_request: Request, response: Response) -> None:
        body = json.loads(response.body)
        change(body)
        response.body = json.dumps(body).encode()

    return on(*(operations or ("tags.list",)), status=200, change=edit)


def _without_name(body: dict[str, Any]) -> None:
    del body["name"]


def _short_name(body: dict[str, Any]) -> None:
    body["name"] = body["name"].rpartition("/")[2]


def _null(body: dict[str, Any]) -> None:
    body[_KEY] = body[_KEY] or None


def _twice(body: dict[str, Any]) -> None:
    body[_KEY] = [tag for tag in body[_KEY] for _ in range(2)]


def _never_the_last(registry: Registry) -> None:
    """The last of several tags is in no list."""
    order = registry.tags.order

    def changed(tags: Sequence[str]) -> Sequence[str]:
        ordered = order(tags)
        return ordered[:-1] if len(ordered) > 1 else ordered

    override(registry.tags, order=changed)


def _reversed(registry: Registry) -> None:
    """From the end to the beginning, with ``last`` in its place."""

    def order(tags: Sequence[str]) -> Sequence[str]:
        return sorted(tags, key=str.lower, reverse=True)

    def after(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return tags if last is None else [tag for tag in tags if tag.lower() < last.lower()]

    override(registry.tags, order=order, after=after)


def _unknown_is_empty(registry: Registry) -> None:
    override(registry.tags, exists=lambda _name: True)


def _neighbours_too(registry: Registry) -> None:
    tags = registry.storage.tags

    def changed(name: str) -> list[str]:
        below = [other for other in registry.storage.repositories() if other.startswith(f"{name}/")]
        return list(dict.fromkeys([*tags(name), *(tag for other in below for tag in tags(other))]))

    override(registry.storage, tags=changed)


def _empty_is_unknown(registry: Registry) -> None:
    override(registry.tags, exists=lambda name: bool(registry.storage.tags(name)))


def _route_words(registry: Registry) -> None:
    """The path of the list of x/tags is taken for another one."""
    exists = registry.tags.exists
    override(registry.tags, exists=lambda name: name.rpartition("/")[2] not in _ROUTES and exists(name))


@around("manifest.put")
async def _digest_is_tag(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if ":" in request.reference:
        registry.storage.set_tag(request.name, request.reference.replace(":", "-"), request.reference)
    return response


def _unordered_without_n(request: Request, response: Response) -> Response | None:
    if request.query.get("n") is not None or response.status != 200:
        return None
    document = json.loads(response.body)
    return Response.json({**document, "tags": document["tags"][::-1]})


FAULTS = (
    Fault(
        name="tags-without-name",
        title="The list of tags has no name.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_body(_without_name),
    ),
    Fault(
        name="tags-name-short",
        title="The name in the list of tags is its last component.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_body(_short_name),
    ),
    Fault(
        name="tags-null", title="An empty list of tags is null.", breaks=("DISC-TAGS-EMPTY-ARRAY",), apply=_body(_null)
    ),
    Fault(
        name="tags-twice",
        title="Each tag is listed twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        # A page holds more than was asked for, and a walk meets a tag again.
        also=("DISC-TAGS-N-AT-MOST", "DISC-TAGS-LINK-WALK-COMPLETE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_body(_twice),
    ),
    Fault(
        name="tags-last-missing",
        title="The last tag is in no list.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        # A walk does not meet it either.
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES", "MGMT-TAG-DELETE-OTHER-TAGS-KEPT"),
        apply=_never_the_last,
    ),
    Fault(
        name="tags-not-json",
        title="The list of tags is labelled text/plain.",
        breaks=("DISC-TAGS-CONTENT-TYPE-JSON",),
        apply=on("tags.list", status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="tags-reversed",
        title="Tags are listed in reverse order.",
        breaks=("DISC-TAGS-ORDER-LEXICAL",),
        # The order without regard to case is reversed as well.
        also=(
            "DISC-TAGS-ORDER-MIXED-CASE",
            "DISC-TAGS-LAST-NOT-A-TAG",
        ),
        apply=_reversed,
    ),
    Fault(
        name="tags-unknown-repository-200",
        title="An unknown repository has an empty list.",
        breaks=("DISC-TAGS-UNKNOWN-REPO-404",),
        apply=_unknown_is_empty,
    ),
    Fault(
        name="tags-of-repositories-below",
        title="The tags of repositories below are listed too.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        apply=_neighbours_too,
    ),
    Fault(
        name="tags-empty-repository-404",
        title="A repository without tags is unknown.",
        breaks=("DISC-TAGS-EMPTY-REPO-200",),
        apply=_empty_is_unknown,
    ),
    Fault(
        name="tags-status-203",
        title="The list of tags returns 203.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=on("tags.list", status=200, change=set_status(203)),
    ),
    Fault(
        name="tags-as-objects",
        title="The list of tags has an object for each tag.",
        breaks=("DISC-TAGS-BODY-ARRAY",),
        apply=list_entries("tags.list", "tags", lambda tag: {"name": tag}),
    ),
    Fault(
        name="tags-unknown-repository-code",
        title="The list of tags of an unknown repository has the code MANIFEST_UNKNOWN.",
        breaks=("DISC-TAGS-UNKNOWN-REPO-CODE",),
        apply=code_instead("tags.list", b"NAME_UNKNOWN", b"MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="tags-of-route-words-404",
        title="A repository whose name ends in a word of the API has no list of tags.",
        breaks=("DISC-TAGS-NAME-RESERVED-WORD",),
        apply=_route_words,
    ),
    Fault(
        name="manifest-digest-listed-as-tag",
        title="A push by digest makes a tag.",
        breaks=("DISC-TAGS-DIGEST-NOT-LISTED",),
        # The same is said of the push, and a repository without tags cannot come to be.
        also=("PUSH-MANIFEST-BY-DIGEST-NO-TAG", "DISC-TAGS-EMPTY-REPO-200"),
        apply=_digest_is_tag,
    ),
    Fault(
        name="tags-list-504",
        title="Lists of tags return 504.",
        breaks=("DISC-TAGS-STATUS-200",),
        also=("BASE-ERROR-STRANGE-INPUT",),
        apply=busy(504, "tags.list"),
    ),
    Fault(
        name="tags-answered-201",
        title="The list of tags returns 201.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=on("tags.list", status=200, change=set_status(201)),
    ),
    Fault(
        name="tags-answered-204",
        title="The list of tags returns 204.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=on("tags.list", status=200, change=no_content),
    ),
    Fault(
        name="tags-always-203",
        title="The list of tags returns 203, also where it is refused.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=answers("tags.list", change=set_status(203)),
    ),
    Fault(
        name="tags-reversed-without-n",
        title="The list of tags without n is in reverse order.",
        breaks=("DISC-TAGS-ORDER-WHOLE",),
        # What follows a position is listed without n, too.
        also=("DISC-TAGS-LAST-EXCLUSIVE",),
        apply=on("tags.list", change=_unordered_without_n),
    ),
)
