"""Faults of upload sessions: the start, chunks, the status and the cancelling."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, set_status
from reference.storage import Upload


def session_range(change: Callable[[Response], str], *operations: str) -> Apply:
    """Another Range where a session goes on."""

    def edit(_request: Request, response: Response) -> None:
        if response.status in (202, 204) and "Range" in response.headers:
            response.headers.set("Range", change(response))

    return on(*operations, change=edit)


def one_more(response: Response) -> str:
    """A Range that ends one byte too late."""
    return f"0-{int(response.headers.get('Range').rpartition('-')[2]) + 1}"


def _stuck(*operations: str) -> Apply:
    """The Range of the first chunk, for ever."""
    first: dict[str, str] = {}
    return session_range(
        lambda r: first.setdefault(r.headers.get("Docker-Upload-UUID"), r.headers.get("Range")), *operations
    )


def _order(accepts: Callable[[Upload, int], bool]) -> Apply:
    """Append chunks that are out of order."""

    def apply(registry: Registry) -> None:
        check = registry.uploads.check_order

        def changed(upload: Upload, start: int | None) -> None:
            if start is None or not accepts(upload, start):
                check(upload, start)

        override(registry.uploads, check_order=changed)

    return apply


def _repeats(registry: Registry) -> None:
    """Append the last chunk again, and only that."""
    last: dict[str, tuple[int | None, int]] = {}
    chunk, check = registry.uploads.chunk, registry.uploads.check_order

    def remember(request: Request, upload: Upload) -> tuple[int | None, int | None]:
        start, length = chunk(request, upload)
        if start is not None and start == upload.size:
            last[upload.identifier] = (start, upload.size)
        return start, length

    def changed(upload: Upload, start: int | None) -> None:
        if start is None or upload.size == start or last.get(upload.identifier, (None, 0))[0] != start:
            check(upload, start)

    override(registry.uploads, chunk=remember, check_order=changed)


def _appends_though_416(registry: Registry) -> None:
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        try:
            return await patch(request)
        except errors.RegistryError as error:
            if error.status == 416:
                await registry.uploads.receive(request, registry.uploads.find(request))
            raise

    registry.handlers["upload.patch"] = changed


def _gap_status(_request: Request, response: Response) -> Response:
    return Response(400, [("Location", response.headers.get("Location"))])


def _length_unchecked(registry: Registry) -> None:
    async def received(_upload: Upload, _mark: object, _length: int | None) -> None:
        return

    override(registry.uploads, check_length=lambda _expected, _received: None, check_received=received)


def _streams_refused(request: Request, response: Response) -> Response | None:
    return None if request.headers.get("content-range") else Response(400)


FAULTS = (
    Fault(
        name="upload-start-without-location",
        title="The 202 that opens a session has no Location.",
        breaks=("PUSH-START-LOCATION-PRESENT",),
        apply=on("upload.start", change=drop_header("Location")),
    ),
    Fault(
        name="upload-start-201",
        title="The start of a session is answered 201.",
        breaks=("PUSH-START-STATUS-202",),
        apply=on("upload.start", status=202, change=set_status(201)),
    ),
    Fault(
        name="upload-start-location-wrong",
        title="The Location of a session leads to another port.",
        breaks=("PUSH-START-LOCATION-RESOLVABLE",),
        apply=on("upload.start", status=202, change=set_header("Location", "http://127.0.0.1:1/v2/x/blobs/uploads/1")),
    ),
    Fault(
        name="upload-start-without-uuid",
        title="No answer has Docker-Upload-UUID.",
        breaks=("PUSH-START-UPLOAD-UUID-HEADER",),
        apply=answers(change=drop_header("Docker-Upload-UUID")),
    ),
    Fault(
        name="upload-start-without-range",
        title="The start of a session has no Range.",
        breaks=("PUSH-START-RANGE-HEADER",),
        apply=on("upload.start", change=drop_header("Range")),
    ),
    Fault(
        name="chunk-minimum-malformed",
        title="OCI-Chunk-Min-Length has a unit.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-SYNTAX",),
        apply=on("upload.start", status=202, change=set_header("OCI-Chunk-Min-Length", "1kB")),
    ),
    Fault(
        name="patch-201",
        title="A chunk is answered 201.",
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
        name="patch-gap-accepted",
        title="A chunk beyond the end of the data is appended.",
        breaks=("PUSH-PATCH-OUT-OF-ORDER-GAP-416",),
        # A last chunk and a first one may lie beyond the end as well.
        also=("PUSH-PUT-OUT-OF-ORDER-REJECTED", "PUSH-PATCH-FIRST-NOT-ZERO-416"),
        apply=_order(lambda upload, start: start > upload.size),
    ),
    Fault(
        name="patch-gap-400",
        title="A chunk out of order is answered 400.",
        breaks=("PUSH-PATCH-OUT-OF-ORDER-GAP-416",),
        apply=answers("upload.patch", status=416, change=_gap_status),
    ),
    Fault(
        name="patch-overlap-accepted",
        title="A chunk that begins within the data is appended.",
        breaks=("PUSH-PATCH-OVERLAP-416",),
        # A repeated chunk begins there too.
        also=("PUSH-PATCH-REPEATED-416",),
        apply=_order(lambda upload, start: start < upload.size),
    ),
    Fault(
        name="patch-repeated-appended",
        title="A chunk that is sent again is appended again.",
        breaks=("PUSH-PATCH-REPEATED-416",),
        apply=_repeats,
    ),
    Fault(
        name="patch-416-appends",
        title="A chunk out of order is answered 416, and appended.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        apply=_appends_though_416,
    ),
    Fault(
        name="patch-416-without-headers",
        title="416 has neither Location nor Docker-Upload-UUID.",
        breaks=("PUSH-PATCH-416-HEADERS",),
        apply=answers("upload.patch", status=416, change=drop_header("Location", "Docker-Upload-UUID")),
    ),
    Fault(
        name="patch-length-unchecked",
        title="A chunk is accepted whose length is not that of its range.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH",),
        apply=_length_unchecked,
    ),
    Fault(
        name="patch-stream-refused",
        title="A PATCH without Content-Range is answered 400.",
        breaks=("PUSH-PATCH-STREAM-202",),
        apply=on("upload.patch", status=202, change=_streams_refused),
    ),
)
