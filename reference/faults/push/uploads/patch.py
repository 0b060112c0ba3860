"""Faults of PATCH of an upload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import with_body
from reference.faults.push.uploads.shared import (
    from_third_request,
    one_more,
    range_one_less,
    refused_close_stored,
    session_range,
)
from reference.faults.shared import before_session, busy
from reference.faults.upload_history import blobs_pushed, close_refused, lost, spoilt
from reference.messages import Handler, Request, Response
from reference.modifications import (
    Apply,
    Fault,
    answers,
    around,
    both,
    drop_header,
    on,
    override,
    set_header,
    set_status,
)
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

#: The least size of a chunk that some of these announce, in bytes.
_LEAST = 5
_announced = on("upload.start", status=202, change=set_header("OCI-Chunk-Min-Length", str(_LEAST)))


def _reversed(registry: Registry) -> None:
    """The digest is that of the chunks in order; they are stored in the opposite one."""
    sizes: dict[str, list[int]] = {}
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def remembered(request: Request) -> Response:
        upload = registry.uploads.find(request)
        before = upload.size
        response = await patch(request)
        sizes.setdefault(upload.identifier, []).append(upload.size - before)
        return response

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        chunks = sizes.get(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(chunks) > 1 and sum(chunks) == upload.size:
            parts, start = [], 0
            for size in chunks:
                parts.append(bytes(upload.data[start : start + size]))
                start += size
            upload.data[:] = b"".join(reversed(parts))
        commit(upload, digests)

    registry.handlers["upload.patch"] = remembered
    override(registry.storage, commit_upload=changed)


def _no_body_refused(upload: Upload, request: Request) -> None:
    if upload.size and not request.content_length:
        raise errors.size_invalid(1, 0)


def _taken_as_said(upload: Upload, request: Request) -> None:
    """Where nothing comes with the PUT, nothing is verified."""
    if not upload.size or request.content_length:
        return

    async def digest(_algorithm: str) -> str:
        return request.query.get("digest") or ""

    upload.digest = digest  # type: ignore[assignment, method-assign]  # of this session alone


def _stream_range(request: Request, response: Response) -> None:
    if not request.headers.get("content-range"):
        end = int(response.headers.get("Range").rpartition("-")[2])
        response.headers.set("Range", f"0-{end + 1}")


def _small_refused(registry: Registry) -> None:
    def check(upload: Upload, request: Request) -> None:
        if request.headers.get("content-range") and (request.content_length or 0) < 1 << 16:
            raise registry.uploads.out_of_order(upload)

    before_session("upload.patch", check)(registry)


def _least_refused(upload: Upload, request: Request) -> None:
    if not upload.size and (request.content_length or 0) <= _LEAST:
        raise errors.size_invalid(_LEAST + 1, request.content_length or 0)


def _small_last_refused(upload: Upload, request: Request) -> None:
    if upload.size and 0 < (request.content_length or 0) < _LEAST:
        raise errors.size_invalid(_LEAST, request.content_length or 0)


def _last_chunk_lost(registry: Registry) -> None:
    put = registry.handlers["upload.put"]

    async def nothing() -> AsyncIterator[bytes]:
        for piece in list[bytes]():
            yield piece

    async def changed(request: Request) -> Response:
        if registry.uploads.find(request).size:
            async for _ in request.pieces():
                pass
            request.headers.drop("content-range")
            override(request, pieces=nothing)
        return await put(request)

    registry.handlers["upload.put"] = changed


def _last_chunk_alone(registry: Registry) -> None:
    """Verify the digest of the last chunk where it is not that of the whole."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        if not upload.size or not request.content_length:
            return await close(request, upload, digests, length)
        await registry.uploads.receive(request, upload)
        whole = await upload.digest("sha256")
        if whole in digests:
            registry.storage.commit_upload(upload, digests)
        else:
            # The digest of the last chunk is not worth computing: any other is taken for it.
            registry.storage.commit_upload(upload, [whole, *digests])
        return registry.uploads.created(request.name, digests[0])

    override(registry.uploads, close=changed)


@around("upload.patch")
async def _length_required(_registry: Registry, request: Request, handler: Handler) -> Response:
    if request.content_length is None:
        raise errors.RegistryError(411)
    return await handler(request)


def _later_chunk(request: Request) -> bool:
    return not request.headers.get("content-range").startswith("0-")


def _stuck(*operations: str) -> Apply:
    """The Range of the first chunk, for ever."""
    first: dict[str, str] = {}
    return session_range(
        lambda r: first.setdefault(r.headers.get("Docker-Upload-UUID"), r.headers.get("Range")), *operations
    )


def _streams_refused(request: Request, response: Response) -> Response | None:
    return None if request.headers.get("content-range") else Response(400)


FAULTS = (
    Fault(
        name="patch-without-uuid",
        title="The answer to a chunk has no Docker-Upload-UUID.",
        breaks=("PUSH-PATCH-UPLOAD-UUID-HEADER",),
        apply=on("upload.patch", status=202, change=drop_header("Docker-Upload-UUID")),
    ),
    Fault(
        name="chunks-stored-in-reverse",
        title="Chunks are verified in their order and stored in the opposite one.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        # A search of uploads in many chunks says so of the blob.
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",),
        apply=_reversed,
    ),
    Fault(
        name="put-without-body-refused",
        title="A PUT without body does not close an upload that has data.",
        breaks=("PUSH-PUT-NO-BODY-CLOSES",),
        apply=before_session("upload.put", _no_body_refused),
    ),
    Fault(
        name="chunks-not-verified",
        title="A PUT without body is believed, whatever its digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        apply=before_session("upload.put", _taken_as_said),
    ),
    Fault(
        name="stream-range-off-by-one",
        title="The Range of a streamed PATCH ends at its length.",
        breaks=("PUSH-PATCH-STREAM-RANGE-VALUE",),
        # The laws of blobs book it for every profile, under the condition that the blob was
        # streamed.
        also=("PUSH-PATCH-RANGE-VALUE",),
        apply=on("upload.patch", status=202, change=_stream_range),
    ),
    Fault(
        name="chunk-minimum-not-announced",
        title="Chunks below 64 KiB are refused, which is not announced.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",),
        apply=_small_refused,
    ),
    Fault(
        name="chunk-minimum-off-by-one",
        title="A first chunk of exactly the announced minimum is refused.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-HONOURED",),
        also=("PUSH-PATCH-STREAM-CHUNKED",),
        apply=both(_announced, before_session("upload.patch", _least_refused)),
    ),
    Fault(
        name="chunk-minimum-of-the-last",
        title="The last chunk must have the announced minimum, too.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-LAST-ANY",),
        apply=both(_announced, before_session("upload.put", _small_last_refused)),
    ),
    Fault(
        name="put-last-chunk-lost",
        title="The body of the PUT that closes a chunked upload is ignored.",
        breaks=("PUSH-PUT-FINAL-CHUNK-CLOSES",),
        apply=_last_chunk_lost,
    ),
    Fault(
        name="put-digest-of-last-chunk",
        title="The PUT that closes with a chunk does not verify the whole.",
        breaks=("PUSH-PUT-DIGEST-OF-WHOLE",),
        # A body under a digest that does not fit can then be pulled.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_last_chunk_alone,
    ),
    Fault(
        name="stream-not-closed",
        title="An upload to which data was streamed cannot be closed.",
        breaks=("PUSH-PATCH-STREAM-202",),
        apply=close_refused(lambda way: way.streams > 0),
    ),
    Fault(
        name="last-chunk-spoilt",
        title="A blob whose last chunk came with the closing PUT has another last byte.",
        breaks=("PUSH-PUT-FINAL-CHUNK-CLOSES", "PUSH-PATCH-CHUNKS-CONCATENATED"),
        also=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=blobs_pushed(lambda way: way.rest, spoilt),
    ),
    Fault(
        name="last-chunk-lost",
        title="A blob whose last chunk came with the closing PUT is unknown.",
        breaks=("PUSH-PUT-FINAL-CHUNK-CLOSES", "PUSH-PATCH-CHUNKS-CONCATENATED"),
        also=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=blobs_pushed(lambda way: way.rest, lost),
    ),
    Fault(
        name="patch-needs-content-length",
        title="A PATCH in chunked coding returns 411.",
        breaks=("PUSH-PATCH-STREAM-CHUNKED",),
        apply=_length_required,
    ),
    Fault(
        name="later-chunk-503",
        title="Each chunk but the first returns 503.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=busy(503, "upload.patch", when=_later_chunk),
    ),
    Fault(
        name="refused-chunks-stored",
        title="Chunks that are closed with a wrong digest are refused and stored under that digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        also=("PUSH-PUT-DIGEST-OF-WHOLE",),
        apply=refused_close_stored(chunked=True),
    ),
    Fault(
        name="refused-last-chunk-stored",
        title="A close with the digest of the last chunk alone is refused, and that chunk stored.",
        breaks=("PUSH-PUT-DIGEST-OF-WHOLE",),
        also=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        apply=refused_close_stored(last=True),
    ),
    Fault(
        name="chunk-answered-200",
        title="A chunk returns 200.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=on("upload.patch", status=202, change=set_status(200)),
    ),
    Fault(
        name="chunk-answered-203",
        title="A chunk returns 203.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=on("upload.patch", status=202, change=set_status(203)),
    ),
    Fault(
        name="chunk-always-203",
        title="A chunk returns 203, also where it is refused.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=answers("upload.patch", change=set_status(203)),
    ),
    Fault(
        name="range-short-of-later-chunks",
        title="The Range of the third chunk of an upload, and of each that follows, ends one byte early.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        seldom=True,
        apply=from_third_request("upload.patch", status=202, change=range_one_less),
    ),
    Fault(
        name="patch-with-body",
        title="The answer to a chunk has a body.",
        breaks=("PUSH-PATCH-BODY-EMPTY",),
        apply=on("upload.patch", status=202, change=with_body),
    ),
    Fault(
        name="patch-201",
        title="A chunk returns 201.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=on("upload.patch", status=202, change=set_status(201)),
    ),
    Fault(
        name="patch-without-location",
        title="The answer to a chunk has no Location.",
        breaks=("PUSH-PATCH-LOCATION-PRESENT",),
        apply=on("upload.patch", change=drop_header("Location")),
    ),
    Fault(
        name="patch-without-range",
        title="The answer to a chunk has no Range.",
        breaks=("PUSH-PATCH-RANGE-PRESENT",),
        apply=on("upload.patch", change=drop_header("Range")),
    ),
    Fault(
        name="patch-range-stuck",
        title="The Range of chunks stays at that of the first.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        apply=_stuck("upload.patch"),
    ),
    Fault(
        name="patch-range-off-by-one",
        title="The Range of chunks ends at their length.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        apply=session_range(one_more, "upload.patch"),
    ),
    Fault(
        name="patch-range-with-unit",
        title="The Range of chunks is bytes=0-N.",
        breaks=("PUSH-PATCH-RANGE-SYNTAX",),
        apply=session_range(lambda response: f"bytes={response.headers.get('Range')}", "upload.patch"),
    ),
    Fault(
        name="patch-range-malformed",
        title="The Range of chunks is a number.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        # A number has no end that could be true, and not the form either.
        also=("PUSH-PATCH-RANGE-SYNTAX",),
        apply=session_range(lambda response: response.headers.get("Range").rpartition("-")[2], "upload.patch"),
    ),
    Fault(
        name="patch-stream-refused",
        title="A PATCH without Content-Range returns 400.",
        breaks=("PUSH-PATCH-STREAM-202",),
        apply=on("upload.patch", status=202, change=_streams_refused),
    ),
)
