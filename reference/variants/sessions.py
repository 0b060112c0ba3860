"""Variants of upload sessions: how long they live, what their answers lack, and which requests they refuse."""

from __future__ import annotations

import time

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Apply, Variant, answers, drop_header, on, override, set_status, wrap
from reference.storage import Upload

_LIFETIME = 5.0
_LARGEST = 8 << 20
_SMALLEST = 64
_SESSION = ("upload.patch", "upload.put", "upload.get", "upload.delete")
_UPLOADS = ("upload.start", "upload.start-digest", "upload.mount", *_SESSION)


def _expiring(registry: Registry) -> None:
    find = registry.storage.find_upload

    def changed(name: str, identifier: str) -> Upload | None:
        upload = find(name, identifier)
        if upload is not None and time.time() - upload.started > _LIFETIME:
            registry.storage.discard_upload(upload)
            return None
        return upload

    override(registry.storage, find_upload=changed)


def _dropped(registry: Registry) -> None:
    """Any refusal but 416 ends the session."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError as error:
                upload = registry.storage.find_upload(request.name, request.reference)
                if upload is not None and error.status != 416:
                    registry.storage.discard_upload(upload)
                raise

        return changed

    wrap(registry, _SESSION, around)


def refusing(*operations: str, status: int, when: str = "", allow: str = "") -> Apply:
    """Refuse operations, or those of their requests that have a header; without a body."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if when and not request.headers.get(when):
                return await handler(request)
            return Response(status, [("Allow", allow)] if allow else [])

        return changed

    def apply(registry: Registry) -> None:
        wrap(registry, operations, around)

    return apply


def _limited(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if (request.content_length or 0) > _LARGEST:
                return Response(413, [("Connection", "close")])
            return await handler(request)

        return changed

    wrap(registry, _UPLOADS, around)


def _unstreamed(registry: Registry) -> None:
    """A PATCH without Content-Range is refused."""
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        if not request.headers.get("content-range"):
            raise errors.RegistryError(400, (errors.ErrorEntry("BLOB_UPLOAD_INVALID"),))
        return await patch(request)

    registry.handlers["upload.patch"] = changed


def _bare_416(_request: Request, response: Response) -> None:
    for name in ("Location", "Range", "Docker-Upload-UUID"):
        response.headers.drop(name)


def _put_416_as_400(request: Request, response: Response) -> None:
    if request.operation == "upload.put" and response.status == 416:
        response.status = 400


def _unmountable(registry: Registry) -> None:
    """What cannot be mounted is not there: no session is opened instead."""
    mount = registry.handlers["upload.mount"]

    async def changed(request: Request) -> Response:
        response = await mount(request)
        if response.status == 201 or request.query.get("from") is None:
            return response
        raise errors.blob_unknown(request.query.get("mount") or "")

    registry.handlers["upload.mount"] = changed


def _known(registry: Registry) -> None:
    """A POST that names a blob of the repository is done, whatever its body is."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            digest = request.query.get("mount") or request.query.get("digest") or ""
            if registry.storage.has_blob(request.name, digest):
                return registry.uploads.created(request.name, digest)
            return await handler(request)

        return changed

    wrap(registry, ("upload.start-digest", "upload.mount"), around)


def _minimum(announced: bool) -> Apply:
    """Chunks below the minimum are refused, whatever comes behind them; so the last one goes into the PUT."""

    def apply(registry: Registry) -> None:
        patch = registry.handlers["upload.patch"]

        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            length = request.content_length
            # How long a stream gets nobody knows before.
            if length is not None and length < _SMALLEST:
                raise registry.uploads.out_of_order(upload)
            return await patch(request)

        registry.handlers["upload.patch"] = changed
        if announced:
            on("upload.start", change=_announced)(registry)

    return apply


def _announced(_request: Request, response: Response) -> None:
    response.headers.set("OCI-Chunk-Min-Length", str(_SMALLEST))


VARIANTS = (
    Variant(
        name="session-expires",
        title="A session ends after five seconds.",
        latitude=("UPLOAD-EXPIRES",),
        apply=_expiring,
    ),
    Variant(
        name="session-ends-when-refused",
        title="Any refusal but 416 ends a session.",
        latitude=("UPLOAD-FAILED-AFTER-4XX",),
        apply=_dropped,
    ),
    Variant(
        name="start-without-range",
        title="The answer that opens a session has no Range.",
        latitude=("UPLOAD-RANGE-OF-EMPTY",),
        warns=("PUSH-START-RANGE-HEADER",),
        profiles=OCI,
        apply=on("upload.start", "upload.mount", status=202, change=drop_header("Range")),
    ),
    Variant(
        name="chunk-without-range",
        title="The answer to a chunk has no Range.",
        latitude=("PATCH-RANGE-OPTIONAL",),
        profiles=("oci-1.0",),
        warns=("PUSH-PATCH-RANGE-PRESENT",),
        apply=on("upload.patch", status=202, change=drop_header("Range")),
    ),
    Variant(
        name="upload-body-limit",
        title="Bodies of uploads above 8 MiB are answered 413 before they are read.",
        latitude=("SIZE-OR-QUOTA-REFUSED", "ANSWER-BEFORE-BODY"),
        apply=_limited,
    ),
    Variant(
        name="stream-refused",
        title="A PATCH without Content-Range is refused.",
        latitude=("PATCH-STREAMED-EITHER",),
        profiles=OCI,
        warns=("PUSH-PATCH-STREAM-202",),
        apply=_unstreamed,
    ),
    Variant(
        name="upload-length-required",
        title="An upload with chunked transfer coding is answered 411.",
        latitude=("REQUEST-LENGTH-REQUIRED",),
        profiles=OCI,
        warns=("PUSH-PATCH-STREAM-CHUNKED",),
        apply=refusing(*_UPLOADS, status=411, when="transfer-encoding"),
    ),
    Variant(
        name="chunk-refused-bare",
        title="The 416 to a chunk has no header and no body.",
        latitude=("CHUNK-REFUSED-BARE-416",),
        warns=("PUSH-PATCH-416-HEADERS", "PUSH-PATCH-416-RANGE-PRESENT"),
        profiles=OCI,
        apply=answers("upload.patch", status=416, change=_bare_416),
    ),
    Variant(
        name="put-out-of-order-400",
        title="A last chunk behind a gap is answered 400.",
        latitude=("PUT-FINAL-CHUNK-VARIES",),
        warns=("PUSH-PUT-OUT-OF-ORDER-416",),
        profiles=("docker-v2", "oci-1.0", "oci-1.1"),
        apply=answers("upload.put", status=416, change=_put_416_as_400),
    ),
    Variant(
        name="upload-status-405",
        title="A session cannot be asked how far it is: 405.",
        latitude=("UPLOAD-STATUS-UNSUPPORTED",),
        profiles=("oci-1.0",),
        lacks=("upload-status",),
        warns=("PUSH-STATUS-204",),
        apply=refusing("upload.get", status=405, allow="PATCH, PUT"),
    ),
    Variant(
        name="upload-status-404",
        title="A session cannot be asked how far it is: 404.",
        latitude=("UPLOAD-STATUS-UNSUPPORTED",),
        profiles=("oci-1.0",),
        warns=("PUSH-STATUS-204",),
        apply=refusing("upload.get", status=404),
    ),
    Variant(
        name="mount-failed-404",
        title="What cannot be mounted is answered 404.",
        latitude=("MOUNT-IMPOSSIBLE-STATUS",),
        warns=("PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202",),
        profiles=OCI,
        apply=_unmountable,
    ),
    Variant(
        name="blob-known",
        title="A POST that names a blob of the repository is answered 201 at once.",
        latitude=("BLOB-ALREADY-KNOWN",),
        apply=_known,
    ),
    Variant(
        name="chunk-minimum-enforced",
        title="Chunks below the announced length are answered 416.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("oci-1.1", "oci-1.2-dev"),
        apply=_minimum(announced=True),
    ),
    Variant(
        name="chunk-minimum-unannounced",
        title="Chunks below a length that is not announced are answered 416.",
        latitude=("CHUNK-MINIMUM",),
        profiles=("docker-v2", "oci-1.1", "oci-1.2-dev"),
        warns=("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",),
        undecided=True,
        apply=_minimum(announced=False),
    ),
    Variant(
        name="patch-204",
        title="A chunk is answered 204.",
        latitude=("PATCH-204",),
        profiles=("docker-v2",),
        warns=("PUSH-PATCH-STATUS-202",),
        undecided=True,
        apply=on("upload.patch", status=202, change=set_status(204)),
    ),
)
