"""Faults of uploads and mounts, after public reports."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.shared import content_of, failing_where, instead, served_instead
from reference.grammar import is_supported
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on
from reference.storage.memory import MemoryContent


@around("upload.patch")
async def _range_of_chunk(registry: Registry, request: Request, handler: Handler) -> Response:
    """Count from the beginning of the chunk, and no more from that of the blob."""
    before = registry.uploads.find(request).size
    response = await handler(request)
    if response.status == 202 and before:
        length = registry.uploads.find(request).size - before
        response.headers.set("Range", registry.uploads.range(length))
    return response


def _streams_without_range(request: Request, response: Response) -> None:
    if not request.headers.get("content-range"):
        response.headers.drop("Range")


def _overwritten(registry: Registry) -> None:
    """Each chunk lands at the beginning of the stored file; digests are made of what was received."""
    stored: dict[str, bytes | None] = {}
    last: dict[str, bytes] = {}
    patch, put = registry.handlers["upload.patch"], registry.handlers["upload.put"]

    async def chunk(request: Request) -> Response:
        before = registry.uploads.find(request).size
        response = await patch(request)
        content = content_of(registry.uploads.find(request))
        if before and isinstance(content, MemoryContent):
            last[request.reference] = content.data[before:]
        return response

    async def closed(request: Request) -> Response:
        length = registry.uploads.find(request).size
        response = await put(request)
        data = last.pop(request.reference, None)
        digest = response.headers.get("Docker-Content-Digest")
        if response.status == 201:
            content = registry.storage.open_blob(request.name, digest)
            whole = content is not None and content.size == length
            # What the closing request brings itself is kept.
            stored.pop(digest, None)
            if data is not None and whole:
                stored[digest] = data
        return response

    registry.handlers["upload.patch"], registry.handlers["upload.put"] = chunk, closed
    served_instead(registry, stored)


def _without_dash(request: Request) -> bool:
    header = request.headers.get("content-range").strip()
    return bool(header) and "-" not in header


@around("upload.put")
async def _mismatch_after_chunks(registry: Registry, request: Request, handler: Handler) -> Response:
    """The storage finds that the digest is wrong, and nobody expects that of it."""
    chunked = registry.uploads.find(request).size > 0
    try:
        return await handler(request)
    except errors.RegistryError as error:
        wrong = any(entry.code == "DIGEST_INVALID" for entry in error.entries)
        if chunked and wrong and all(is_supported(digest) for digest in request.query.all("digest")):
            raise errors.RegistryError(500) from None
        raise


@around("upload.patch")
async def _repeat_ends(registry: Registry, request: Request, handler: Handler) -> Response:
    """A chunk that was there before ends the session, as any failed chunk does."""
    try:
        return await handler(request)
    except errors.RegistryError as error:
        upload = registry.uploads.find(request)
        start = request.headers.get("content-range").partition("-")[0].strip()
        if error.status == 416 and start.isdecimal() and int(start) < upload.size:
            registry.storage.discard_upload(upload)
        raise


def _plain_source(request: Request) -> bool:
    source = request.query.get("from") or ""
    return bool(source) and "/" not in source


def _bad_source(request: Request) -> Response:
    raise errors.name_invalid(request.query.get("from") or "")


FAULTS = (
    # regclient/regclient issue 961: chunked upload to zot, Range much smaller than what was received.
    Fault(
        name="range-counts-the-chunk-alone",
        title="From the second chunk on, Range tells the length of the chunk in place of that of the upload.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        apply=_range_of_chunk,
    ),
    # go-gitea/gitea issue 34792, pull request 34795: Range is sent only where Content-Range came.
    Fault(
        name="streamed-chunk-without-range",
        title="A chunk that comes without Content-Range is taken and answered without Range.",
        breaks=("PUSH-PATCH-STREAM-202",),
        also=("PUSH-PATCH-RANGE-PRESENT", "PUSH-PATCH-STREAM-RANGE-VALUE"),
        apply=on("upload.patch", status=202, change=_streams_without_range),
    ),
    # wasmCloud/wasmCloud issue 3405: pushed to Artifactory in chunks, a layer is as long as its last chunk.
    Fault(
        name="chunks-overwrite-each-other",
        title="A blob of several chunks is its last chunk alone, though it was closed with the right digest.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=("PUSH-PUT-NO-BODY-CLOSES", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-PUT-LOCATION-PULLABLE"),
        apply=_overwritten,
    ),
    # project-zot/zot pull request 3983: index out of range for a Content-Range without its parts.
    Fault(
        name="content-range-without-dash-500",
        title="A chunk whose Content-Range has no dash gets 500.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        also=("BASE-ERROR-STRANGE-INPUT",),
        apply=failing_where(_without_dash, "upload.patch", "upload.put"),
    ),
    # cloudflare/serverless-registry pull request 138: the checksum error of the store comes out as 500.
    Fault(
        name="wrong-digest-of-chunks-500",
        title="Chunks that are closed with a wrong digest get 500, a blob in one PUT gets 400.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-400",),
        apply=_mismatch_after_chunks,
    ),
    # distribution/distribution pull request 3755, comment: a retried chunk cancels the upload.
    Fault(
        name="repeated-chunk-ends-the-upload",
        title="A chunk that is sent a second time gets 416, and the upload is gone.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        also=("PUSH-PATCH-416-RANGE-TRUE",),
        apply=_repeat_ends,
    ),
    # goharbor/harbor issue 22078: a mount from a repository without a project gets 400.
    Fault(
        name="mount-from-single-component-400",
        title="A mount from a repository whose name has one component gets 400.",
        breaks=("PUSH-MOUNT-STATUS",),
        apply=instead("upload.mount", when=_plain_source, answer=_bad_source),
    ),
)
