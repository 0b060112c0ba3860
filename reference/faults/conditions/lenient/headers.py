"""Faults that show with header fields of requests that clients or proxies add."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, answers, around, override
from reference.resources import ranges


def _translated(request: Request, response: Response) -> None:
    language = request.headers.get("accept-language").partition(",")[0].partition(";")[0].strip()
    if not language or response.status < 400 or not response.body.startswith(b'{"errors"'):
        return
    document = json.loads(response.body)
    for entry in document["errors"]:
        entry["message"] = {language: entry.get("message", "")}
    response.body = json.dumps(document).encode()
    response.headers.drop("Content-Length")


def _first_again(registry: Registry) -> None:
    first: dict[tuple[str, str], str] = {}
    set_tag = registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        first.setdefault((name, tag), digest)
        set_tag(name, tag, digest)

    @around("manifest.get", "manifest.head")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if "no-cache" in request.headers.get("cache-control"):
            request.reference = first.get((request.name, request.reference), request.reference)
        return await handler(request)

    override(registry.storage, set_tag=noting)
    changed(registry)


@around("blob.get", "blob.head")
async def _precondition(_registry: Registry, request: Request, handler: Handler) -> Response:
    # The quotation marks are left on one side of the comparison alone.
    condition = request.headers.get("if-match")
    if condition and condition != request.reference:
        raise errors.condition_failed()
    return await handler(request)


@around("manifest.get")
async def _part_as_whole(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    wanted = ranges.parse(request.headers.get("range"), len(response.body)) if "range" in request.headers else None
    if response.status == 200 and wanted:
        start, length = wanted[0]
        response.body = response.body[start : start + length]
    return response


FAULTS = (
    Fault(
        name="messages-by-language",
        title="The message of an error is an object by language for a client that sends Accept-Language.",
        breaks=("BASE-ERROR-MESSAGE",),
        apply=answers(change=_translated),
    ),
    Fault(
        name="tag-without-caches-as-first-pushed",
        title="The pull of a tag with Cache-Control: no-cache yields the manifest that it led to at first.",
        breaks=("PULL-CONSIST-TAG-MOVE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_first_again,
    ),
    Fault(
        name="blob-if-match-of-its-etag-412",
        title="The pull of a blob on the condition If-Match of its own ETag is answered 412.",
        breaks=(
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
            "PULL-CACHE-CONDITION-FORMS",
        ),
        apply=_precondition,
    ),
    Fault(
        name="manifest-range-as-whole",
        title="The pull of a manifest with a Range is answered 200 with that part alone.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY"),
        apply=_part_as_whole,
    ),
)
