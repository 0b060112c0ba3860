"""Faults of uploads and pulls that show on another connection."""

from __future__ import annotations

from collections import Counter

from reference.app import Registry
from reference.faults.shared import before_session
from reference.grammar import new_hash
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_BUFFER = 4096


def _elsewhere(registry: Registry) -> None:
    """Another connection sees an upload as it was before the last chunk."""
    before: dict[str, tuple[str, int]] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            size = registry.uploads.find(request).size
            response = await handler(request)
            before[request.reference] = request.address, size
            return response

        return changed

    def change(request: Request, response: Response) -> None:
        address, size = before.get(request.reference, (request.address, 0))
        if address != request.address:
            response.headers.set("Range", registry.uploads.range(size))

    wrap(registry, ["upload.patch"], around)
    on("upload.get", status=204, change=change)(registry)


def _progress_of_a_connection(registry: Registry) -> None:
    """How far an upload is, is kept with the connection that its data came by."""
    fed: dict[str, str] = {}

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            fed[request.reference] = request.address
            return response

        return changed

    def change(request: Request, response: Response) -> None:
        if fed.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    wrap(registry, ["upload.patch"], around)
    on("upload.get", status=204, change=change)(registry)


def _refusal_sticks(registry: Registry) -> None:
    """The Range that could not be satisfied stays with its connection for one pull more."""
    stuck: set[str] = set()

    def change(request: Request, response: Response) -> Response | None:
        if response.status == 416:
            stuck.add(request.address)
        elif response.status == 200 and request.address in stuck and response.content is not None:
            stuck.discard(request.address)
            size = response.content.size
            response.content.close()
            return Response(416, [("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes")])
        return None

    on("blob.get", change=change)(registry)


def _progress_by_connection(registry: Registry) -> None:
    """How far an upload is, is known to the worker of the connection that its last chunk came by."""
    workers: dict[str, str] = {}

    def remember(_upload: Upload, request: Request) -> None:
        workers[request.reference] = request.address

    def change(request: Request, response: Response) -> None:
        if workers.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    before_session("upload.patch", remember)(registry)
    on("upload.get", status=204, change=change)(registry)


def _status_of_another_connection(registry: Registry) -> None:
    """The progress of an upload is known to the connection that its last chunk came by."""
    places: dict[str, str] = {}

    def noted(request: Request, _response: Response) -> None:
        places[request.reference] = request.address

    def changed(request: Request, response: Response) -> None:
        if places.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    on("upload.patch", status=202, change=noted)(registry)
    on("upload.get", status=204, change=changed)(registry)


def _counted_by_connection(registry: Registry) -> None:
    """Each connection knows of the chunks alone that came by it."""
    before: dict[tuple[str, str], int] = {}
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        start = before.setdefault((upload.identifier, request.address), upload.size)
        response = await patch(request)
        if response.status == 202:
            response.headers.set("Range", registry.uploads.range(upload.size - start))
        return response

    registry.handlers["upload.patch"] = changed


def _range_by_connection(registry: Registry) -> None:
    """The Range counts what came over the connection of the chunk."""
    seen: dict[str, tuple[str, int]] = {}
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.storage.find_upload(request.name, request.reference)
        before = upload.size if upload is not None else 0
        address, base = seen.get(request.reference, (request.address, before))
        if address != request.address:
            base = before
        seen[request.reference] = request.address, base
        response = await patch(request)
        if upload is not None and response.status == 202:
            response.headers.set("Range", registry.uploads.range(upload.size - base))
        return response

    registry.handlers["upload.patch"] = changed


def _status_of_this_connection(registry: Registry) -> None:
    came: Counter[tuple[str, str]] = Counter()
    receive, status = registry.uploads.receive, registry.uploads.status

    async def noting(request: Request, upload: Upload) -> None:
        before = upload.size
        try:
            await receive(request, upload)
        finally:
            came[upload.identifier, request.address] += upload.size - before

    async def changed(request: Request) -> Response:
        response = await status(request)
        upload = registry.uploads.find(request)
        size = min(came[upload.identifier, request.address], upload.size)
        response.headers.set("Range", registry.uploads.range(size))
        return response

    override(registry.uploads, receive=noting)
    registry.handlers["upload.get"] = changed


def _buffered_by_connection(registry: Registry) -> None:
    """The end of a chunk waits in the buffer of its connection, and is lost where another one goes on."""
    waiting: dict[str, tuple[str, int, int]] = {}
    receive = registry.uploads.receive

    async def changed(request: Request, upload: Upload) -> None:
        address, start, end = waiting.pop(upload.identifier, ("", 0, 0))
        if isinstance(upload, MemoryUpload) and address not in ("", request.address):
            del upload.data[start:end]
        before = len(upload.data) if isinstance(upload, MemoryUpload) else 0
        await receive(request, upload)
        if isinstance(upload, MemoryUpload) and request.operation == "upload.patch":
            end = len(upload.data)
            waiting[upload.identifier] = (request.address, max(before, end - _BUFFER), end)

    override(registry.uploads, receive=changed)


def _of_the_connection(registry: Registry) -> None:
    """What came is counted by each connection for itself."""
    last: dict[str, tuple[str, int]] = {}
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        upload = registry.storage.find_upload(request.name, request.reference)
        size = upload.size if upload is not None else 0
        response = await patch(request)
        if upload is not None and response.status == 202:
            address, start = last.get(request.reference, (request.address, 0))
            if address != request.address:
                start = size
            last[request.reference] = request.address, start
            response.headers.set("Range", registry.uploads.range(upload.size - start))
        return response

    registry.handlers["upload.patch"] = changed


def _hash_of_connection(registry: Registry) -> None:
    """The state of the hash belongs to the connection; on another one it begins anew."""
    clients: dict[str, str] = {}

    def before(operation: str) -> None:
        handler = registry.handlers[operation]

        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            former = clients.get(upload.identifier, request.address)
            clients[upload.identifier] = request.address
            if upload.size and former != request.address:
                upload._algorithm, upload._state = "sha256", new_hash("sha256")
            return await handler(request)

        registry.handlers[operation] = changed

    before("upload.patch")
    before("upload.put")


FAULTS = (
    Fault(
        name="status-elsewhere-behind",
        title="The status of an upload on another connection than that of the last chunk lacks that chunk.",
        breaks=("PUSH-STATUS-RANGE-VALUE", "PUSH-STATUS-RESUME"),
        also=("PUSH-INTERRUPTED-RANGE", "PUSH-INTERRUPTED-RESUME", "PUSH-STATUS-NO-SIDE-EFFECT"),
        apply=_elsewhere,
    ),
    Fault(
        name="status-per-connection",
        title="The status of an upload tells another connection than that of its last chunk of no data.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=("PUSH-STATUS-RESUME", "PUSH-INTERRUPTED-RANGE"),
        apply=_progress_of_a_connection,
    ),
    Fault(
        name="whole-pull-refused-after-416",
        title="The pull of a whole blob returns 416 on a connection whose last range could not be satisfied.",
        breaks=("PULL-BLOB-GET-200", "PULL-CONSIST-REPEATABLE"),
        also=("PULL-BLOB-RANGE-416", "PULL-BLOB-HEAD-GET-AGREE", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        apply=_refusal_sticks,
    ),
    Fault(
        name="status-by-another-connection-empty",
        title="The status of an upload tells of no progress on another connection than that of its last chunk.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-NO-SIDE-EFFECT",
            "PUSH-PATCH-416-STATE-UNCHANGED",
        ),
        apply=_progress_by_connection,
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
        apply=_status_of_another_connection,
    ),
    Fault(
        name="range-counted-by-connection",
        title="The Range of a chunk does not count what came before by another connection.",
        breaks=("PUSH-PATCH-RANGE-VALUE", "PUSH-PATCH-STREAM-RANGE-VALUE"),
        also=("PUSH-STATUS-RESUME",),
        apply=_counted_by_connection,
    ),
    Fault(
        name="range-by-connection",
        title="The Range of a chunk counts only what came over the same connection.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=("PUSH-STATUS-RESUME", "PUSH-PATCH-STREAM-RANGE-VALUE", "PUSH-INTERRUPTED-RESUME"),
        apply=_range_by_connection,
    ),
    Fault(
        name="status-of-this-connection",
        title="The status of an upload counts what came on the same connection.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-EARLIER-LOCATION",
        ),
        apply=_status_of_this_connection,
    ),
    Fault(
        name="chunk-end-lost-between-connections",
        title="An upload that goes on over another connection lacks the end of the chunk before.",
        breaks=("PUSH-STATUS-RESUME",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_buffered_by_connection,
    ),
    Fault(
        name="range-of-the-connection",
        title="The Range of a chunk that comes on another connection than the one before counts from there.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_of_the_connection,
    ),
    Fault(
        name="upload-verified-by-connection",
        title="An upload that goes on over another connection is verified by what came over that one.",
        breaks=("PUSH-PUT-NO-BODY-CLOSES", "PUSH-INTERRUPTED-RESUME", "PUSH-STATUS-RESUME"),
        also=(
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PATCH-STREAM-202",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_hash_of_connection,
    ),
)
