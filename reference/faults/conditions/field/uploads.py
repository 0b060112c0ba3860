"""Faults of uploads and mounts, after public reports of bugs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.errors import ErrorEntry, RegistryError
from reference.faults.shared import answered_500
from reference.messages import JSON, Handler, Request, Response
from reference.modifications import Fault, answers, around, on, override
from reference.storage import Upload

_MEBIBYTE = 1 << 20


def _has_body(request: Request) -> bool:
    """Whether data comes with a request, announced or in chunked coding."""
    return bool(request.content_length) or "transfer-encoding" in request.headers


@around("upload.patch")
async def _nothing_ends_before_it_begins(registry: Registry, request: Request, handler: Handler) -> Response:
    """The last byte of nothing is the one ahead of the first."""
    upload = registry.uploads.find(request)
    response = await handler(request)
    if response.status == 202 and not upload.size:
        response.headers.set("Range", "0--1")
    return response


def _offset_of_a_stream_lost(registry: Registry) -> None:
    """The state that goes with the Location has the offset 0 after a long stream."""
    streamed: set[str] = set()
    patch, put = registry.handlers["upload.patch"], registry.handlers["upload.put"]

    async def patched(request: Request) -> Response:
        response = await patch(request)
        if response.status == 202 and not request.headers.get("content-range"):
            streamed.add(request.reference)
        return response

    async def closed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        if request.reference in streamed and upload.size > _MEBIBYTE and not _has_body(request):
            raise errors.upload_unknown(request.reference)
        return await put(request)

    registry.handlers.update({"upload.patch": patched, "upload.put": closed})


@around("upload.get")
async def _status_before_data_only(registry: Registry, request: Request, handler: Handler) -> Response:
    """The status knows no upload that has a chunk."""
    if registry.uploads.find(request).size:
        raise errors.upload_unknown(request.reference)
    return await handler(request)


def _empty_object(_request: Request, response: Response) -> None:
    response.body = b"{}"
    response.headers.set("Content-Type", JSON)
    response.headers.drop("Content-Length")


def _list_of_no_chunks(registry: Registry) -> None:
    """An upload that was sent nothing by PATCH has a list of chunks, and there is none in it."""
    listed: set[str] = set()
    patch, put = registry.handlers["upload.patch"], registry.handlers["upload.put"]

    async def patched(request: Request) -> Response:
        response = await patch(request)
        listed.add(request.reference)
        return response

    async def closed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        if request.reference in listed and not upload.size and not _has_body(request):
            return answered_500(request)
        return await put(request)

    registry.handlers.update({"upload.patch": patched, "upload.put": closed})


def _content_cannot_be_updated(registry: Registry) -> None:
    """Content that another repository brought since the upload was opened is not written again."""
    started: dict[str, int] = {}
    brought: dict[str, tuple[int, str]] = {}
    start, commit, put = registry.storage.start_upload, registry.storage.commit_upload, registry.handlers["upload.put"]

    def opened(name: str) -> Upload:
        upload = start(name)
        started[upload.identifier] = len(brought)
        return upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        commit(upload, digests)
        for digest in digests:
            brought.setdefault(digest, (len(brought), upload.repository))

    async def closed(request: Request) -> Response:
        for digest in request.query.all("digest"):
            number, name = brought.get(digest, (-1, ""))
            if number >= started.get(request.reference, 0) and name != request.name:
                raise RegistryError(400, (ErrorEntry("BLOB_UPLOAD_INVALID", detail=f"{digest} cannot be updated"),))
        return await put(request)

    override(registry.storage, start_upload=opened, commit_upload=committed)
    registry.handlers["upload.put"] = closed


@around("upload.mount")
async def _mount_needs_a_project(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A repository that something is mounted into lies in a project."""
    if "/" not in request.name:
        raise RegistryError(400, (ErrorEntry("BAD_REQUEST", f"invalid repository name: {request.name}"),))
    return await handler(request)


def _location_without_port(request: Request, response: Response) -> None:
    host, _, port = request.headers.get("host").rpartition(":")
    location = response.headers.get("Location")
    if host and port.isdecimal() and location.startswith("/"):
        response.headers.set("Location", f"{request.scheme}://{host}{location}")


def _parts_of_equal_length(registry: Registry) -> None:
    """The bucket puts parts together that have the same length, but for the last one."""
    parts: dict[str, list[int]] = defaultdict(list)
    patch, put = registry.handlers["upload.patch"], registry.handlers["upload.put"]

    async def patched(request: Request) -> Response:
        upload = registry.uploads.find(request)
        before = upload.size
        response = await patch(request)
        if upload.size > before:
            parts[request.reference].append(upload.size - before)
        return response

    async def closed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        written = parts.pop(request.reference, [])
        if len(set(written if _has_body(request) else written[:-1])) > 1:
            registry.storage.discard_upload(upload)
            return answered_500(request)
        return await put(request)

    registry.handlers.update({"upload.patch": patched, "upload.put": closed})


FAULTS = (
    Fault(
        # https://github.com/go-gitea/gitea/issues/34724
        name="range-of-an-empty-chunk-ends-at-minus-one",
        title="A PATCH without data to an upload that has none is answered with the Range 0--1.",
        breaks=("PUSH-PATCH-RANGE-SYNTAX",),
        also=(
            "PUSH-SESSION-FRESH-RANGE-TRUE",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-PATCH-RANGE-VALUE",
        ),
        apply=_nothing_ends_before_it_begins,
    ),
    Fault(
        # https://github.com/distribution/distribution/issues/1698
        name="upload-unknown-behind-a-long-stream",
        title="An upload that got more than a mebibyte by a stream is unknown to the PUT without body that closes it.",
        breaks=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PATCH-STREAM-202",
        ),
        also=("PUSH-BLOB-LARGE-EXACT",),
        apply=_offset_of_a_stream_lost,
    ),
    Fault(
        # https://github.com/dotnet/sdk/pull/33019
        name="status-unknown-behind-the-first-chunk",
        title="The status of an upload is 404 as soon as the upload has received data.",
        breaks=("PUSH-STATUS-204",),
        also=(
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-RESUME",
            "PUSH-STATUS-EARLIER-LOCATION",
            "PUSH-STATUS-LOCATION-PRESENT",
            "PUSH-INTERRUPTED-RANGE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-START-DIGEST-ALGORITHM-PARAM",
        ),
        apply=_status_before_data_only,
    ),
    Fault(
        # https://github.com/cloudflare/serverless-registry/issues/20
        name="refused-chunk-with-empty-object",
        title="The 416 to a chunk has {} for its JSON, without errors.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        also=("PUSH-PATCH-416-CODE-LISTED",),
        apply=answers("upload.patch", status=416, change=_empty_object),
    ),
    Fault(
        # https://github.com/quay/quay/pull/2005
        name="empty-blob-behind-an-empty-chunk-500",
        title="An upload whose only PATCH brought no data gets 500 when it is closed as the blob of no bytes.",
        breaks=("PUSH-BLOB-EMPTY-ACCEPTED",),
        also=("PUSH-PUT-NO-BODY-CLOSES",),
        apply=_list_of_no_chunks,
    ),
    Fault(
        # https://github.com/sonatype/nexus-public/issues/967
        name="layer-of-two-builds-cannot-be-updated",
        title="An upload is refused whose bytes another repository got first since the upload was opened.",
        breaks=("PUSH-CONCURRENT-REPOSITORIES-APART", "PUSH-SESSION-PARALLEL-ISOLATED"),
        also=(
            "PUSH-BLOB-PARALLEL-SAME-DIGEST",
            "PUSH-CONCURRENT-BLOB-WHOLE",
        ),
        apply=_content_cannot_be_updated,
    ),
    Fault(
        # https://github.com/goharbor/harbor/issues/15273
        name="mount-into-single-component-400",
        title="A mount into a repository whose name has one component is refused, the name being invalid.",
        breaks=("PUSH-MOUNT-STATUS",),
        also=(
            "BASE-NAME-PLAIN",
            "PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202",
            "PUSH-MOUNT-FROM-ABSENT",
            "BASE-ERROR-CODE-REGISTERED",
        ),
        apply=_mount_needs_a_project,
    ),
    Fault(
        # https://github.com/distribution/distribution/issues/2912
        name="blob-location-without-port",
        title="The Location of a blob that was pushed is a URL without the port that the client used.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=("PUSH-SINGLE-LOCATION-PULLABLE",),
        apply=on("upload.put", "upload.start-digest", status=201, change=_location_without_port),
    ),
    Fault(
        # https://github.com/smol-machines/smolvm/pull/462
        name="unequal-chunks-500",
        title="An upload gets 500 when it is closed after chunks of different lengths, the last one aside.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-NO-BODY-CLOSES"),
        also=(
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
        ),
        apply=_parts_of_equal_length,
    ),
)
