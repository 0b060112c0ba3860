"""Faults of ETag, Cache-Control and 304."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.pull.shared import before_answer
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, answers, around, on

_BOTH = ("manifest.get", "manifest.head")


def _always_304(request: Request, response: Response) -> Response | None:
    if not request.headers.get("if-none-match"):
        return None
    if response.content is not None:
        response.content.close()
    return Response(304, [("ETag", response.headers.get("ETag"))])


def _unknown_304(request: Request, response: Response) -> Response | None:
    if response.status != 404 or not request.headers.get("if-none-match"):
        return None
    return Response(304, [("ETag", request.headers.get("if-none-match"))])


def _any_time(request: Request) -> Response | None:
    return Response(304) if request.headers.get("if-modified-since") else None


@around("manifest.get", "manifest.head")
async def _tag_etag(_registry: Registry, request: Request, handler: Handler) -> Response:
    """An ETag of the tag's name stays the same when the tag moves."""
    etag, condition = f'"{request.name}:{request.reference}"', request.headers.get("if-none-match")
    response = await handler(request)
    if ":" in request.reference or response.status != 200:
        return response
    if condition == etag:
        return Response(304, [("ETag", etag)])
    response.headers.set("ETag", etag)
    return response


def _manifest_always_304(request: Request, response: Response) -> Response | None:
    return Response(304, [("ETag", response.headers.get("ETag"))]) if request.headers.get("if-none-match") else None


@around(*_BOTH)
async def _without_conditions(_registry: Registry, request: Request, handler: Handler) -> Response:
    request.headers.drop("if-none-match")
    return await handler(request)


@around("blob.get", "blob.head")
async def _unconditional(_registry: Registry, request: Request, handler: Handler) -> Response:
    if not request.headers.get("range"):
        request.headers.drop("if-none-match")
    return await handler(request)


FAULTS = (
    Fault(
        name="blob-always-304",
        title="Any If-None-Match on a blob gets 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on("blob.get", status=200, change=_always_304),
    ),
    Fault(
        name="blob-unknown-304",
        title="An unknown blob with If-None-Match gets 304.",
        breaks=("PULL-CACHE-UNKNOWN-NOT-304",),
        apply=answers("blob.get", "blob.head", change=_unknown_304),
    ),
    Fault(
        name="blob-304-to-any-time",
        title="A blob gets 304 whenever a time is named.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=before_answer(_any_time, "blob.get"),
    ),
    Fault(
        name="manifest-head-304-to-any-time",
        title="The HEAD of a manifest returns 304 whenever a time is named.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=before_answer(_any_time, "manifest.head"),
    ),
    Fault(
        name="manifest-304-after-move",
        title="The ETag of a tag stays when the tag moves, and yields 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        # Nor does a push on the condition of the ETag that was given go through.
        also=("PUSH-MANIFEST-IF-MATCH",),
        apply=_tag_etag,
    ),
    Fault(
        name="manifest-always-304",
        title="Any If-None-Match on a manifest gets 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on(*_BOTH, status=200, change=_manifest_always_304),
    ),
    Fault(
        name="manifest-condition-ignored",
        title="A manifest has an ETag, and no condition on it is looked at.",
        breaks=("PULL-CACHE-MANIFEST-304",),
        apply=_without_conditions,
    ),
    Fault(
        name="blob-never-304",
        title="The ETag of a blob is not looked at in If-None-Match.",
        breaks=("PULL-CACHE-BLOB-304",),
        apply=_unconditional,
    ),
)
