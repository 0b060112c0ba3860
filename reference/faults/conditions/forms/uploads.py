"""Faults of uploads and mounts."""

from __future__ import annotations

import hashlib

from reference.app import Registry
from reference.messages import Handler, Message, Request, Response
from reference.modifications import Fault, around
from reference.storage import Mark
from reference.storage.memory import MemoryUpload


@around("upload.patch")
async def _stream_from_zero(registry: Registry, request: Request, handler: Handler) -> Response:
    """Without a Content-Range the data are written from the beginning of the file on."""
    upload = registry.uploads.find(request)
    if request.headers.get("content-range") or not isinstance(upload, MemoryUpload) or not upload.size:
        return await handler(request)
    async with registry.uploads.turn(request, upload):
        before = bytes(upload.data)
        body = b"".join([piece async for piece in request.pieces()])
        await upload.rollback(Mark(0, "sha256", hashlib.sha256()))
        await upload.write(body + before[len(body) :])
        await upload.flush()
    return registry.uploads.accepted(upload)


@around("upload.start-digest")
async def _unsized_post_empty(registry: Registry, request: Request, handler: Handler) -> Response:
    """Keep as many bytes of a single POST as it announced, and of none announced no blob."""
    known = {digest for digest in request.query.all("digest") if registry.storage.has_blob(request.name, digest)}
    response = await handler(request)
    if response.status == 201 and request.content_length is None:
        for digest in set(request.query.all("digest")) - known:
            registry.storage.delete_blob(request.name, digest)
    return response


def _mount_lost(registry: Registry, request: Request, known: bool, response: Response) -> Response:
    """Write a link that leads nowhere; what was there before stays."""
    if response.status == 201 and not known:
        registry.storage.delete_blob(request.name, request.query.get("mount") or "")
    return response


@around("upload.mount")
async def _raw_source(registry: Registry, request: Request, handler: Handler) -> Response:
    """The source is split at the slashes of the query, before it is decoded."""
    source = next((part for part in request.query.raw.split("&") if part.startswith("from=")), "")
    known = registry.storage.has_blob(request.name, request.query.get("mount") or "")
    response = await handler(request)
    return _mount_lost(registry, request, known, response) if "/" in source else response


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@around("upload.put", "upload.patch", "upload.start-digest")
async def _not_continued(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A proxy answers the expectation itself, drops what comes then, and hands on a request without a body."""
    if request.headers.get("expect"):
        async for _ in request.pieces():
            pass
        request._receive = _nothing
    return await handler(request)


FAULTS = (
    Fault(
        name="second-stream-overwrites-the-first",
        title="A PATCH without Content-Range to an upload that has data overwrites them from the first byte on.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-STREAM-202",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
        ),
        apply=_stream_from_zero,
    ),
    Fault(
        name="single-post-of-unknown-length-lost",
        title="A blob of a single POST in chunked transfer coding gets 201 and is unknown.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        also=("PULL-BLOB-GET-200", "PUSH-BLOB-KEPT"),
        apply=_unsized_post_empty,
    ),
    Fault(
        name="mount-from-a-name-with-plain-slashes-lost",
        title="A mount whose parameter from has its slashes not percent-encoded gets 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_raw_source,
    ),
    Fault(
        name="body-behind-100-continue-lost",
        title="The body of an upload that is sent with Expect: 100-continue is dropped.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-SINGLE-STATUS-201-OR-202",
            "PUSH-PATCH-STATUS-202",
        ),
        apply=_not_continued,
    ),
)
