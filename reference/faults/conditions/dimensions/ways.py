"""Faults that depend on how content came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.conditions.dimensions.shared import Key, before_commit, served_where
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, both, on, override, wrap
from reference.storage import Upload


def _gone_for_mounts(registry: Registry) -> None:
    """A deletion leaves a mark, which an upload takes away and a mount does not."""
    marks: dict[Key, bytes | None] = {}
    served_where(registry, marks)
    remove, commit = registry.blobs.remove, registry.storage.commit_upload

    def removed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        if done:
            marks[name, digest] = None
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        listed = list(digests)
        for digest in listed:
            marks.pop((upload.repository, digest), None)
        commit(upload, listed)

    override(registry.blobs, remove=removed)
    override(registry.storage, commit_upload=committed)


def _chunks_by_connection(registry: Registry) -> None:
    """What came in chunks is kept by the worker of the connection until the upload is closed."""
    places: dict[str, str] = {}

    def patched(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            places[request.reference] = request.address
            return response

        return changed

    def closed(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            place = places.get(request.reference)
            if place is not None and place != request.address and not request.content_length:
                raise errors.upload_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ("upload.patch",), patched)
    wrap(registry, ("upload.put",), closed)


def _appended(registry: Registry) -> None:
    """Chunks are appended to the file of the blob, which may be there."""
    chunks: dict[str, int] = defaultdict(int)
    longer: dict[Key, bytes | None] = {}
    served_where(registry, longer)

    def count(request: Request, _response: Response) -> None:
        chunks[request.reference] += 1

    def edit(upload: Upload, digests: list[str], data: bytearray) -> None:
        for digest in digests:
            if chunks[upload.identifier] and data and registry.storage.has_blob(upload.repository, digest):
                longer[upload.repository, digest] = bytes(data) * 2

    on("upload.patch", status=202, change=count)(registry)
    before_commit(registry, edit)


def _size_not_noted(registry: Registry) -> None:
    """A blob that comes in one request has no size in the table that HEAD is answered from."""
    unknown: set[Key] = set()

    def note(request: Request, _response: Response) -> None:
        unknown.update((request.name, digest) for digest in request.query.all("digest"))

    def forget(request: Request, _response: Response) -> None:
        unknown.difference_update((request.name, digest) for digest in request.query.all("digest"))

    def change(request: Request, response: Response) -> None:
        if (request.name, request.reference) in unknown:
            response.headers.set("Content-Length", "0")

    both(
        on("upload.start-digest", status=201, change=note),
        on("upload.put", status=201, change=forget),
        on("blob.head", status=200, change=change),
    )(registry)


FAULTS = (
    Fault(
        name="mount-after-deletion-unknown",
        title="A blob that was deleted in a repository and is mounted there again stays unknown.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=_gone_for_mounts,
    ),
    Fault(
        name="close-on-another-connection-unknown",
        title="An upload in chunks cannot be closed without a body on another connection than that of the chunks.",
        breaks=("PUSH-PUT-NO-BODY-CLOSES", "PUSH-STATUS-RESUME"),
        apply=_chunks_by_connection,
    ),
    Fault(
        name="blob-again-in-chunks-doubled",
        title="A blob that is there and is pushed again in chunks has its bytes twice.",
        breaks=(
            "PUSH-BLOB-KEPT",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
        ),
        apply=_appended,
    ),
    Fault(
        name="head-of-single-post-length-zero",
        title="The HEAD of a blob that came in one POST tells a length of zero.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", "PULL-BLOB-HEAD-GET-AGREE"),
        apply=_size_not_noted,
    ),
)
