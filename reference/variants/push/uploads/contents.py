"""Variants of large and odd content of uploads."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Apply, Variant, around, override
from reference.variants.push.uploads.shared import refusing
from reference.variants.shared import denied

_BLOB = 1 << 20
_LARGEST = 8 << 20
_SESSION = ("upload.patch", "upload.put", "upload.get", "upload.delete")
_UPLOADS = ("upload.start", "upload.start-digest", "upload.mount", *_SESSION)


def _large(status: int, code: str) -> Apply:
    """No blob above a size."""

    @around("upload.patch", "upload.put", "upload.start-digest")
    async def apply(_registry: Registry, request: Request, handler: Handler) -> Response:
        if (request.content_length or 0) > _BLOB:
            raise denied("so large a blob is not taken", status, code)
        return await handler(request)

    return apply


@around(*_UPLOADS)
async def _limited(_registry: Registry, request: Request, handler: Handler) -> Response:
    if (request.content_length or 0) > _LARGEST:
        return Response(413, [("Connection", "close")])
    return await handler(request)


def _first_digest(registry: Registry) -> None:
    all_of = registry.uploads.digests
    override(registry.uploads, digests=lambda request: all_of(request)[:1])


VARIANTS = (
    Variant(
        name="first-digest-counts",
        title="Of several digest parameters the first is looked at, and no other.",
        latitude=("QUERY-UNKNOWN-PARAMETERS",),
        apply=_first_digest,
    ),
    Variant(
        name="blob-limit-413",
        title="Bodies of uploads above 1 MiB get 413.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_large(413, "SIZE_INVALID"),
    ),
    Variant(
        name="blob-limit-denied",
        title="Bodies of uploads above 1 MiB get 403.",
        latitude=("SIZE-OR-QUOTA-REFUSED",),
        apply=_large(403, "DENIED"),
    ),
    Variant(
        name="upload-body-limit",
        title="Bodies of uploads above 8 MiB get 413 before they are read.",
        latitude=("SIZE-OR-QUOTA-REFUSED", "ANSWER-BEFORE-BODY"),
        apply=_limited,
    ),
    Variant(
        name="upload-length-required",
        title="An upload with chunked transfer coding returns 411.",
        latitude=("REQUEST-LENGTH-REQUIRED",),
        profiles=OCI,
        warns=("PUSH-PATCH-STREAM-CHUNKED",),
        apply=refusing(*_UPLOADS, status=411, when="transfer-encoding"),
    ),
)
