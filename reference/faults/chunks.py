"""Faults of chunks and of the status of an upload: their order, their sizes, and what is told of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, both, drop_header, on, override, set_header, set_status, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_SESSIONS = ("upload.start", "upload.patch", "upload.get")
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")
#: The least size of a chunk that some of these announce, in bytes.
_LEAST = 5


def _coded(code: str) -> Apply:
    """A 416 with a JSON body."""
    body = f'{{"errors": [{{"code": "{code}", "message": "not the next chunk"}}]}}'.encode()

    def change(_request: Request, response: Response) -> None:
        response.body = body
        response.headers.set("Content-Type", "application/json")

    return answers("upload.patch", status=416, change=change)


def _is_malformed(request: Request) -> bool:
    match = _RANGE.fullmatch(request.headers.get("content-range").strip())
    return match is None or int(match[2]) < int(match[1])


def _malformed_400(request: Request, response: Response) -> None:
    if _is_malformed(request):
        response.status = 400


def _stream_range(request: Request, response: Response) -> None:
    if not request.headers.get("content-range"):
        end = int(response.headers.get("Range").rpartition("-")[2])
        response.headers.set("Range", f"0-{end + 1}")


def _first_anywhere(registry: Registry) -> None:
    check = registry.uploads.check_order

    def changed(upload: Upload, start: int | None) -> None:
        if upload.size:
            check(upload, start)

    override(registry.uploads, check_order=changed)


def before(operation: str, check: Callable[[Upload, Request], None]) -> Apply:
    """Look at a request of a session before it is answered."""

    def around(registry: Registry) -> Callable[[Handler], Handler]:
        def wrapped(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                check(registry.uploads.find(request), request)
                return await handler(request)

            return changed

        return wrapped

    return lambda registry: wrap(registry, [operation], around(registry))


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


def _sha512_not_of_chunks(upload: Upload, request: Request) -> None:
    digest = request.query.get("digest") or ""
    if upload.size and digest.startswith("sha512:"):
        raise errors.digest_invalid(digest)


def _small_refused(registry: Registry) -> None:
    def check(upload: Upload, request: Request) -> None:
        if request.headers.get("content-range") and (request.content_length or 0) < 1 << 16:
            raise registry.uploads.out_of_order(upload)

    before("upload.patch", check)(registry)


def _least_refused(upload: Upload, request: Request) -> None:
    if not upload.size and (request.content_length or 0) <= _LEAST:
        raise errors.size_invalid(_LEAST + 1, request.content_length or 0)


def _small_last_refused(upload: Upload, request: Request) -> None:
    if upload.size and 0 < (request.content_length or 0) < _LEAST:
        raise errors.size_invalid(_LEAST, request.content_length or 0)


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


def _fresh_without_range(_request: Request, response: Response) -> None:
    if response.headers.get("Range") == "0-0":
        response.headers.drop("Range")


def _newest_only(registry: Registry) -> None:
    """Each Location tells how much came; the status is told at the newest one only."""

    def mark(_request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location and response.status in (202, 204):
            end = response.headers.get("Range").rpartition("-")[2]
            response.headers.set("Location", f"{location}?_state={end}")

    get = registry.handlers["upload.get"]

    async def changed(request: Request) -> Response:
        state = request.query.get("_state")
        response = await get(request)
        if state is not None and state != response.headers.get("Range").rpartition("-")[2]:
            raise errors.upload_unknown(request.reference)
        return response

    registry.handlers["upload.get"] = changed
    on(*_SESSIONS, change=mark)(registry)


def _ended_by_status(registry: Registry) -> None:
    asked: set[str] = set()
    get = registry.handlers["upload.get"]

    async def remembered(request: Request) -> Response:
        response = await get(request)
        if response.headers.get("Range") != "0-0":
            asked.add(request.reference)
        return response

    def check(upload: Upload, _request: Request) -> None:
        if upload.identifier in asked:
            raise errors.size_invalid(0, upload.size)

    registry.handlers["upload.get"] = remembered
    before("upload.patch", check)(registry)


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
        apply=before("upload.put", _no_body_refused),
    ),
    Fault(
        name="chunks-not-verified",
        title="A PUT without body is believed, whatever its digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        apply=before("upload.put", _taken_as_said),
    ),
    Fault(
        name="chunk-first-anywhere",
        title="The first chunk may begin anywhere.",
        breaks=("PUSH-PATCH-FIRST-NOT-ZERO-416",),
        apply=_first_anywhere,
    ),
    Fault(
        name="chunk-416-code-of-uploads",
        title="A chunk out of order has the code BLOB_UPLOAD_INVALID.",
        breaks=("PUSH-PATCH-416-CODE-DOCKER",),
        apply=_coded("BLOB_UPLOAD_INVALID"),
    ),
    Fault(
        name="chunk-416-code-of-docker",
        title="A chunk out of order has Docker's code RANGE_INVALID.",
        breaks=("PUSH-PATCH-416-CODE-LISTED",),
        apply=_coded("RANGE_INVALID"),
    ),
    Fault(
        name="put-out-of-order-refused-400",
        title="A last chunk out of order is answered 400.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-416",),
        apply=answers("upload.put", status=416, change=set_status(400)),
    ),
    Fault(
        name="chunk-range-malformed-400",
        title="A chunk with a malformed Content-Range is answered 400.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=answers("upload.patch", status=416, change=_malformed_400),
    ),
    Fault(
        name="stream-range-off-by-one",
        title="The Range of a streamed PATCH ends at its length.",
        breaks=("PUSH-PATCH-STREAM-RANGE-VALUE",),
        apply=on("upload.patch", status=202, change=_stream_range),
    ),
    Fault(
        name="chunk-minimum-not-told",
        title="Chunks below 64 KiB are refused, which is not announced.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",),
        apply=_small_refused,
    ),
    Fault(
        name="chunk-minimum-off-by-one",
        title="A first chunk of exactly the announced minimum is refused.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-HONOURED",),
        apply=both(_announced, before("upload.patch", _least_refused)),
    ),
    Fault(
        name="chunk-minimum-of-the-last",
        title="The last chunk must have the announced minimum, too.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-LAST-ANY",),
        apply=both(_announced, before("upload.put", _small_last_refused)),
    ),
    Fault(
        name="sha512-of-whole-blobs-only",
        title="An upload in chunks cannot be closed with a sha512 digest.",
        breaks=("PUSH-START-DIGEST-ALGORITHM-PARAM",),
        apply=before("upload.put", _sha512_not_of_chunks),
    ),
    Fault(
        name="status-of-fresh-upload-without-range",
        title="The status of an upload without data has no Range.",
        breaks=("PUSH-STATUS-FRESH-RANGE",),
        apply=on("upload.get", status=204, change=_fresh_without_range),
    ),
    Fault(
        name="status-without-uuid",
        title="The status of an upload has no Docker-Upload-UUID.",
        breaks=("PUSH-STATUS-UPLOAD-UUID-HEADER",),
        apply=on("upload.get", status=204, change=drop_header("Docker-Upload-UUID")),
    ),
    Fault(
        name="status-at-the-newest-location-only",
        title="The status is told at the Location of the last answer, and nowhere else.",
        breaks=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_newest_only,
    ),
    Fault(
        name="status-ends-chunks",
        title="An upload whose status was asked takes no more chunks.",
        breaks=("PUSH-STATUS-RESUME",),
        apply=_ended_by_status,
    ),
    Fault(
        name="cancel-again-204",
        title="The DELETE of an upload that is gone is answered 204.",
        breaks=("PUSH-CANCEL-UNKNOWN-404",),
        apply=answers("upload.delete", status=404, change=lambda _request, _response: Response(204)),
    ),
)
