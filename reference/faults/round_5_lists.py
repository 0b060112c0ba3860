"""Faults of the lists of tags and referrers that show under one condition: of a name, a number, a kind or the past."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Json, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, on, override, wrap
from reference.resources import paging
from reference.storage import Manifest

_FALLBACK = re.compile(r"sha(256-[0-9a-f]{64}|512-[0-9a-f]{128}|512-[0-9a-f]{64})")
_DEPTH = 8
_BATCH = 100


def _with_size_of_content(registry: Registry) -> None:
    """The size of an index is that of all that it lists."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor["size"] = sum(child["size"] for child in parse(manifest.content)["manifests"])
        return descriptor

    override(registry.referrers, describe=changed)


def _official(registry: Registry) -> None:
    """A name of one component is that of a library."""
    document = registry.tags.document

    def changed(name: str, tags: list[str]) -> dict[str, object]:
        return document(name if "/" in name else f"library/{name}", tags)

    override(registry.tags, document=changed)


def _no_route(request: Request, _response: Response) -> Response | None:
    """The pattern of the route has up to seven components."""
    if len(request.name.split("/")) < _DEPTH:
        return None
    error = errors.no_such_endpoint(request.path)
    return Response(404, [("Content-Type", "application/json")], error.body())


def _fallback_hidden(registry: Registry) -> None:
    """Tags in place of referrers are for the registry alone."""
    order = registry.tags.order

    def changed(tags: list[str]) -> list[str]:
        return order([tag for tag in tags if _FALLBACK.fullmatch(tag) is None])

    override(registry.tags, order=changed)


def _streamed_not_indexed(registry: Registry) -> None:
    """A body that was streamed is read once, and nothing is left to index."""
    streamed: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            key = request.name, response.headers.get("Docker-Content-Digest")
            (streamed.add if request.content_length is None else streamed.discard)(key)
            return response

        return changed

    def listed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in streamed]

    wrap(registry, ["manifest.put"], around)
    override(registry.referrers, collect=listed)


def _empty_kept(registry: Registry) -> None:
    """That there is nothing is remembered, and not forgotten at a push."""
    empty: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        found = [] if (name, subject) in empty else collect(name, subject)
        if not found:
            empty.add((name, subject))
        return found

    override(registry.referrers, collect=changed)


def _batches_overlap(registry: Registry) -> None:
    """Each batch from the database begins with the last of the one before."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        found, batches = collect(name, subject), []
        for start in range(0, len(found), _BATCH):
            batches += found[max(start - 1, 0) : start + _BATCH]
        return batches

    override(registry.referrers, collect=changed)


def _paged(change: Callable[[Request, Response, int, list[str]], None]) -> Apply:
    """Change first pages; with the number that was asked for and all the tags."""

    def apply(registry: Registry) -> None:
        def changed(request: Request, response: Response) -> None:
            size = paging.page_size(request)
            if size and request.query.get("last") is None:
                change(request, response, size, registry.tags.order(registry.storage.tags(request.name)))

        on("tags.list", status=200, change=changed)(registry)

    return apply


def _link_behind_all(request: Request, response: Response, size: int, tags: list[str]) -> None:
    """The position is taken from the row that was read ahead."""
    if size == len(tags) - 1:
        response.headers.set(*paging.link(request, size, tags[-1]))


def _begins_again(_request: Request, response: Response, size: int, tags: list[str]) -> None:
    """The buffer is a ring, and the reader is one ahead."""
    if tags and size > len(tags):
        document = json.loads(response.body)
        response.body = json.dumps({**document, "tags": [*document["tags"], document["tags"][0]]}).encode()


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


FAULTS = (
    _fault(
        "fifth-index-referrer-size",
        "An index is listed among the referrers with the size of all that it lists.",
        "DISC-REFERRERS-DESCRIPTOR-FIELDS",
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_with_size_of_content,
    ),
    _fault(
        "fifth-single-component-library",
        "The list of tags of a repository whose name has one component names it with library/ before.",
        "DISC-TAGS-BODY-NAME",
        also=("DISC-TAGS-ISOLATION-REPO",),
        apply=_official,
    ),
    _fault(
        "fifth-deep-name-without-referrers",
        "Referrers are answered 404 in a repository whose name has eight components or more.",
        "DISC-REFERRERS-STATUS-200",
        also=(
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
            "DISC-REFERRERS-INDEX-SHAPE",
            "DISC-REFERRERS-CONTENT-TYPE",
            "PUSH-MANIFEST-OCI-SUBJECT-ONLY-IF-REFERRERS",
            "DISC-REFERRERS-SUBJECT-DELETED",
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
        ),
        apply=on("referrers.list", change=_no_route),
    ),
    _fault(
        "fifth-digest-like-tag-hidden",
        "A tag that is a digest with a dash for its colon is not listed.",
        "DISC-TAGS-COMPLETE-AFTER-PUSH",
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=_fallback_hidden,
    ),
    _fault(
        "fifth-streamed-referrer-unlisted",
        "A referrer whose push did not announce its length is not listed.",
        "DISC-REFERRERS-COMPLETE",
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "PUSH-MANIFEST-STREAMED-WHOLE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_streamed_not_indexed,
    ),
    _fault(
        "fifth-empty-referrers-kept",
        "Referrers that were asked for when there were none stay empty.",
        "DISC-REFERRERS-COMPLETE",
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "DISC-REFERRERS-ISOLATION-REPO",
        ),
        apply=_empty_kept,
    ),
    _fault(
        "fifth-hundredth-referrer-twice",
        "Where there are more than a hundred referrers the hundredth is listed twice.",
        "DISC-REFERRERS-COMPLETE",
        also=(
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
        ),
        apply=_batches_overlap,
    ),
    _fault(
        "fifth-link-behind-all",
        "The Link of a page that has all tags but one leads behind the last tag.",
        "DISC-TAGS-LINK-WALK-COMPLETE",
        also=(
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-LAST-EXCLUSIVE",
        ),
        apply=_paged(_link_behind_all),
    ),
    _fault(
        "fifth-page-begins-again",
        "Where n is greater than the number of tags the first tag stands at the end again.",
        "DISC-TAGS-NO-DUPLICATES",
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-LARGE-200",
            "DISC-TAGS-N-FROM-START",
        ),
        apply=_paged(_begins_again),
    ),
)
