"""Faults of uploads that show under one condition: a deep name, many chunks, another connection, a cancelled upload."""

from __future__ import annotations

from collections import Counter

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload

#: How deep sessions are looked for, and how many parts of an upload are hashed.
_DEPTH = 8
_PARTS = 7


def _status_not_so_deep(registry: Registry) -> None:
    """Sessions are looked for down to a depth only."""
    status = registry.handlers["upload.get"]

    async def changed(request: Request) -> Response:
        if len(request.name.split("/")) >= _DEPTH:
            raise errors.upload_unknown(request.reference)
        return await status(request)

    registry.handlers["upload.get"] = changed


def _many_parts_trusted(registry: Registry) -> None:
    """The hash of an upload is lost with its seventh part, and whatever closes it is believed."""
    parts: Counter[str] = Counter()
    claims: dict[str, list[str]] = {}
    close, receive = registry.uploads.close, registry.uploads.receive

    async def closing(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        claims[upload.identifier] = digests
        return await close(request, upload, digests, length)

    async def received(request: Request, upload: Upload) -> None:
        before = upload.size
        await receive(request, upload)
        parts[upload.identifier] += upload.size > before
        if parts[upload.identifier] >= _PARTS:
            override(upload, digest=believing(upload))

    def believing(upload: Upload) -> object:
        async def digest(algorithm: str) -> str:
            return next(claim for claim in claims[upload.identifier] if claim.startswith(f"{algorithm}:"))

        return digest

    override(registry.uploads, close=closing, receive=received)


def _progress_of_a_connection(registry: Registry) -> None:
    """The progress of an upload is known to the connection that its last chunk came by."""
    places: dict[str, str] = {}

    def noted(request: Request, _response: Response) -> None:
        places[request.reference] = request.address

    def changed(request: Request, response: Response) -> None:
        if places.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    on("upload.patch", status=202, change=noted)(registry)
    on("upload.get", status=204, change=changed)(registry)


def _progress_of_the_cancelled(registry: Registry) -> None:
    """The place of a cancelled upload goes to the next one, with its progress."""
    left: dict[str, str] = {}
    cancel = registry.handlers["upload.delete"]

    async def cancelled(request: Request) -> Response:
        upload = registry.uploads.find(request)
        response = await cancel(request)
        if upload.size > 1:
            left[request.name] = registry.uploads.range(upload.size)
        return response

    def changed(request: Request, response: Response) -> None:
        if request.name in left:
            response.headers.set("Range", left.pop(request.name))

    registry.handlers["upload.delete"] = cancelled
    on("upload.start", status=202, change=changed)(registry)


FAULTS = (
    Fault(
        name="status-unknown-in-deep-repository",
        title="The status of an upload in a repository of eight components is answered 404.",
        breaks=("PUSH-STATUS-204",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-STATUS-NO-SIDE-EFFECT",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-EARLIER-LOCATION",
            "PUSH-STATUS-FRESH-RANGE",
        ),
        apply=_status_not_so_deep,
    ),
    Fault(
        name="seven-chunks-not-verified",
        title="An upload in seven chunks is accepted whatever its digest.",
        breaks=("PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
        ),
        apply=_many_parts_trusted,
    ),
    Fault(
        name="status-of-another-connection",
        title="The Range of an upload's status is 0-0 by another connection than that of its last chunk.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-STATUS-NO-SIDE-EFFECT",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-STATUS-EARLIER-LOCATION",
            "PUSH-INTERRUPTED-RESUME",
        ),
        apply=_progress_of_a_connection,
    ),
    Fault(
        name="upload-begins-where-another-was-cancelled",
        title="The Range of an upload that begins after another was cancelled is that of the cancelled one.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        also=(
            "PUSH-SESSION-PARALLEL-ISOLATED",
            "PUSH-CANCEL-SESSION-GONE",
            "PUSH-START-RANGE-HEADER",
        ),
        apply=_progress_of_the_cancelled,
    ),
)
