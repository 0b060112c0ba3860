"""Faults of chunks out of order."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, drop_header, override, set_header, set_status
from reference.storage import Upload

_RANGE = re.compile(r"([0-9]+)-([0-9]+)")


def _first_anywhere(registry: Registry) -> None:
    check = registry.uploads.check_order

    def changed(upload: Upload, start: int | None) -> None:
        if upload.size:
            check(upload, start)

    override(registry.uploads, check_order=changed)


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


@around("upload.put")
async def _out_of_order_put(_registry: Registry, request: Request, handler: Handler) -> Response:
    request.headers.drop("content-range")
    return await handler(request)


def _careless(form: str) -> Apply:
    """Read a Content-Range by a form that is too wide."""

    def apply(registry: Registry) -> None:
        strict, wide = registry.uploads.chunk, re.compile(form)

        def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
            match = wide.fullmatch(request.headers.get("content-range").strip())
            return (int(match[1]), None) if match else strict(request, upload)

        override(registry.uploads, chunk=changed)

    return apply


@around("upload.patch")
async def _kept_of_malformed(registry: Registry, request: Request, handler: Handler) -> Response:
    """Receive a chunk before its Content-Range is read."""
    upload = registry.uploads.find(request)
    try:
        return await handler(request)
    except errors.RegistryError as error:
        if error.status == 416 and not re.fullmatch("[0-9]+-[0-9]+", request.headers.get("content-range")):
            await registry.uploads.receive(request, upload)
        raise


@around("upload.put")
async def _kept_of_last(registry: Registry, request: Request, handler: Handler) -> Response:
    """Receive a last chunk before its place is looked at."""
    upload = registry.uploads.find(request)
    try:
        return await handler(request)
    except errors.RegistryError as error:
        if error.status == 416:
            await registry.uploads.receive(request, upload)
            error.headers = registry.uploads.progress(upload)
        raise


def _order_by_length(registry: Registry) -> None:
    """Look at the place of a chunk only where its length is announced."""
    chunk = registry.uploads.chunk

    def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
        known = request.content_length is not None or request.operation != "upload.patch"
        return chunk(request, upload) if known else (None, None)

    override(registry.uploads, chunk=changed)


def _shorter_range(registry: Registry) -> None:
    def changed(expected: int | None, received: int | None) -> None:
        if expected is not None and received is not None and expected > received:
            raise errors.size_invalid(expected, received)

    async def anyhow(_upload: Upload, _mark: object, _length: int | None) -> None:
        """Nothing is compared with what came."""

    override(registry.uploads, check_length=changed, check_received=anyhow)


def _order(accepts: Callable[[Upload, int], bool]) -> Apply:
    """Append chunks that are out of order."""

    def apply(registry: Registry) -> None:
        check = registry.uploads.check_order

        def changed(upload: Upload, start: int | None) -> None:
            if start is None or not accepts(upload, start):
                check(upload, start)

        override(registry.uploads, check_order=changed)

    return apply


def _gap_status(_request: Request, response: Response) -> Response:
    return Response(400, [("Location", response.headers.get("Location"))])


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


@around("upload.patch")
async def _appends_though_416(registry: Registry, request: Request, handler: Handler) -> Response:
    try:
        return await handler(request)
    except errors.RegistryError as error:
        if error.status == 416:
            await registry.uploads.receive(request, registry.uploads.find(request))
        raise


def _length_unchecked(registry: Registry) -> None:
    async def received(_upload: Upload, _mark: object, _length: int | None) -> None:
        return

    override(registry.uploads, check_length=lambda _expected, _received: None, check_received=received)


FAULTS = (
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
        title="A last chunk out of order gets 400.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-416",),
        apply=answers("upload.put", status=416, change=set_status(400)),
    ),
    Fault(
        name="chunk-range-malformed-400",
        title="A chunk with a malformed Content-Range returns 400.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=answers("upload.patch", status=416, change=_malformed_400),
    ),
    Fault(
        name="put-out-of-order-accepted",
        title="The Content-Range of the closing PUT is ignored.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-REJECTED",),
        # The status of the refusal is stated apart.
        also=("PUSH-PUT-OUT-OF-ORDER-416",),
        apply=_out_of_order_put,
    ),
    Fault(
        name="chunk-range-with-more-behind",
        title="A Content-Range is read up to its second number, whatever follows.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-\d+-.*"),
    ),
    Fault(
        name="chunk-range-without-end",
        title="A Content-Range needs no end.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-"),
    ),
    Fault(
        name="chunk-range-with-a-sign",
        title="The start of a Content-Range may have a plus sign.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"\+(\d+)-\d+"),
    ),
    Fault(
        name="chunk-range-with-letters",
        title="The end of a Content-Range may be any word.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-MALFORMED-416",),
        apply=_careless(r"(\d+)-[a-z]+"),
    ),
    Fault(
        name="chunk-of-malformed-range-kept",
        title="A chunk with a malformed Content-Range returns 416, and stays in the upload.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        apply=_kept_of_malformed,
    ),
    Fault(
        name="last-chunk-out-of-order-kept",
        title="A last chunk that a closing PUT was refused for stays in the upload.",
        breaks=("PUSH-PUT-OUT-OF-ORDER-NO-EFFECT",),
        apply=_kept_of_last,
    ),
    Fault(
        name="chunk-order-by-content-length",
        title="The place of a chunk in chunked coding is not looked at.",
        breaks=("PUSH-PATCH-OUT-OF-ORDER-CHUNKED",),
        apply=_order_by_length,
    ),
    Fault(
        name="chunk-longer-than-its-range",
        title="A chunk may be longer than its Content-Range says.",
        breaks=("PUSH-PATCH-CONTENT-RANGE-LENGTH-MISMATCH",),
        apply=_shorter_range,
    ),
    Fault(
        name="patch-416-without-range",
        title="416 to a chunk has no Range.",
        breaks=("PUSH-PATCH-416-RANGE-PRESENT",),
        apply=answers("upload.patch", status=416, change=drop_header("Range")),
    ),
    Fault(
        name="patch-416-range-of-refused",
        title="The Range of a 416 to a chunk counts what was refused.",
        breaks=("PUSH-PATCH-416-RANGE-TRUE",),
        apply=answers("upload.patch", status=416, change=set_header("Range", "0-119")),
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
        title="A chunk out of order returns 400.",
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
        title="A chunk out of order returns 416, and is appended.",
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
)
