"""Faults of uploads: streams, chunks in other forms, the close, and uploads beside each other."""

from __future__ import annotations

from collections import defaultdict

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import MIB, refused
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def _is_placed(request: Request) -> bool:
    return bool(request.headers.get("content-range").strip())


def _streamed(registry: Registry) -> set[str]:
    """The uploads to which something was streamed; they grow."""
    identifiers: set[str] = set()

    @around("upload.patch")
    async def noted(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if response.status == 202 and not _is_placed(request):
            identifiers.add(request.reference)
        return response

    noted(registry)
    return identifiers


def _streams_untold(registry: Registry) -> None:
    """How far an upload is, its chunks tell; a stream is written to none of them."""
    streamed = _streamed(registry)

    def untold(request: Request, response: Response) -> None:
        if request.reference in streamed:
            response.headers.set("Range", "0-0")

    on("upload.get", status=204, change=untold)(registry)


def _streams_go_on(registry: Registry) -> None:
    """A cancellation drops the list of chunks, and the file of a stream stays."""
    streamed = _streamed(registry)

    @around("upload.delete")
    async def cancelled(_registry: Registry, request: Request, handler: Handler) -> Response:
        if registry.uploads.find(request).identifier in streamed:
            return Response(204)
        return await handler(request)

    cancelled(registry)


def _end_before_the_refused(registry: Registry) -> None:
    """The 416 names the byte ahead of the refused chunk, as it does behind a gap that was never there."""
    check = registry.uploads.check_order

    def changed(upload: Upload, start: int | None) -> None:
        try:
            check(upload, start)
        except errors.RegistryError as error:
            if start is not None and start < upload.size:
                told = registry.uploads.range(start)
                error.headers = [(name, told if name == "Range" else value) for name, value in error.headers]
            raise

    override(registry.uploads, check_order=changed)


def _closes_untyped(request: Request) -> bool:
    empty = not request.content_length and not request.headers.get("transfer-encoding")
    return empty and not request.headers.get("content-type")


@around("upload.patch")
async def _expected_dropped(registry: Registry, request: Request, handler: Handler) -> Response:
    """What comes behind the interim answer is read by nobody."""
    if not request.headers.get("expect"):
        return await handler(request)
    upload = registry.uploads.find(request)
    async for _piece in request.pieces():
        pass
    return registry.uploads.accepted(upload)


def _same_is_a_retry(registry: Registry) -> None:
    """A chunk with the checksum of the last one is that chunk, sent again by a client that got no answer."""
    last: dict[str, bytes] = {}

    @around("upload.patch")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.uploads.find(request)
        mark = upload.mark()
        response = await handler(request)
        if _is_placed(request) and isinstance(upload, MemoryUpload):
            sent = bytes(upload.data[mark.size :])
            if sent and sent == last.get(upload.identifier):
                await upload.rollback(mark)
                return registry.uploads.accepted(upload)
            last[upload.identifier] = sent
        return response

    changed(registry)


@around("upload.patch")
async def _read_by_length(registry: Registry, request: Request, handler: Handler) -> Response:
    """As many bytes of a chunk are read as Content-Length says, and the place is believed."""
    if not _is_placed(request) or request.content_length is not None:
        return await handler(request)
    upload = registry.uploads.find(request)
    start, length = registry.uploads.chunk(request, upload)
    registry.uploads.check_order(upload, start)
    async for _piece in request.pieces():
        pass
    response = registry.uploads.accepted(upload)
    response.headers.set("Range", registry.uploads.range((start or 0) + (length or 0)))
    return response


@around("upload.patch")
async def _buffer_of_a_mebibyte(registry: Registry, request: Request, handler: Handler) -> Response:
    """A chunk is written through a buffer that is filled once; the file is made as long as the chunk is."""
    upload = registry.uploads.find(request)
    start = upload.size
    response = await handler(request)
    if _is_placed(request) and isinstance(upload, MemoryUpload) and len(upload.data) > start + MIB:
        upload.data[start + MIB :] = bytes(len(upload.data) - start - MIB)
    return response


def _one_hash_for_a_repository(registry: Registry) -> None:
    """The hash of what comes in is kept by repository: a second blob at the same time goes into that of the first."""
    busy: dict[str, list[str]] = defaultdict(list)

    @around("upload.put")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        digest = request.query.get("digest") or ""
        mixed = any(other != digest for other in busy[request.name])
        busy[request.name].append(digest)
        try:
            if mixed:
                upload = registry.uploads.find(request)
                async for _piece in request.pieces():
                    pass
                registry.storage.discard_upload(upload)
                raise errors.digest_invalid(digest)
            return await handler(request)
        finally:
            busy[request.name].remove(digest)

    changed(registry)


FAULTS = (
    Fault(
        name="status-silent-on-streams",
        title="The status of an upload says 0-0 where its data came as a stream, without Content-Range.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=("PUSH-STATUS-RESUME", "PUSH-INTERRUPTED-RANGE", "PUSH-SESSION-FRESH-RANGE-TRUE"),
        apply=_streams_untold,
    ),
    Fault(
        name="cancellation-leaves-streams",
        title="An upload to which data was streamed goes on after its cancellation, which is answered 204.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-CANCEL-NO-BLOB", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_streams_go_on,
    ),
    Fault(
        name="repeated-chunk-416-names-earlier-byte",
        title="The Range of a 416 to a chunk that is there already ends ahead of that chunk, not at the last byte.",
        breaks=("PUSH-PATCH-416-RANGE-TRUE",),
        also=("PUSH-PATCH-REPEATED-416", "PUSH-PATCH-OVERLAP-416"),
        apply=_end_before_the_refused,
    ),
    Fault(
        name="close-without-body-wants-a-type",
        title="A closing PUT that has no body, and so no Content-Type, is answered 415.",
        breaks=("PUSH-PUT-NO-BODY-CLOSES",),
        also=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-CATEGORY-COMPLETE"),
        apply=refused(
            "upload.put",
            when=_closes_untyped,
            error=lambda _request: errors.RegistryError(415, (errors.ErrorEntry("UNSUPPORTED"),)),
        ),
    ),
    Fault(
        name="expected-chunk-dropped",
        title="A chunk that is sent with Expect: 100-continue is answered 202 and not appended.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-NO-BODY-CLOSES", "PUSH-PATCH-STREAM-RANGE-VALUE"),
        apply=_expected_dropped,
    ),
    Fault(
        name="equal-chunk-taken-for-a-retry",
        title="A chunk that has the same bytes as the one before it is answered 202 and not appended.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-NO-BODY-CLOSES", "PUSH-PATCH-STATUS-202"),
        apply=_same_is_a_retry,
    ),
    Fault(
        name="placed-chunk-of-no-length-lost",
        title="A chunk with Content-Range in chunked transfer coding is answered 202, and its bytes are lost.",
        breaks=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-STATUS-202",
        ),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-STATUS-RANGE-VALUE",
        ),
        apply=_read_by_length,
    ),
    Fault(
        name="chunk-blank-behind-a-mebibyte",
        title="Of a chunk of more than a mebibyte what lies behind the first mebibyte is stored as zeros.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        apply=_buffer_of_a_mebibyte,
    ),
    Fault(
        name="blobs-at-once-mixed-in-their-hash",
        title="A blob that comes while another one is on its way to the same repository is refused for its digest.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        also=("PUSH-PUT-MONOLITHIC-201",),
        apply=_one_hash_for_a_repository,
    ),
)
