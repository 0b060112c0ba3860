"""Faults in how a registry joins what came: chunks, streams, mounts, several connections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from reference.app import Registry
from reference.faults.conditions.edges.shared import data_of, mounts_lost
from reference.messages import Disconnected, Handler, Request, Response
from reference.modifications import Fault, around, both, on, override, wrap
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryUpload

_BATCH = 4


def _joined_in_fours(registry: Registry) -> None:
    """The parts of an upload are joined four at a time, and what that gave is taken from a stack."""
    ends: dict[str, list[int]] = defaultdict(list)
    commit = registry.storage.commit_upload

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            upload = registry.storage.find_upload(request.name, request.reference)
            if upload is not None and response.status == 202:
                ends[upload.identifier].append(upload.size)
            return response

        return changed

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        places = sorted({0, *ends.pop(upload.identifier, ()), upload.size})
        if isinstance(upload, MemoryUpload):
            parts = [bytes(upload.data[start:end]) for start, end in pairwise(places)]
            batches = [b"".join(parts[at : at + _BATCH]) for at in range(0, len(parts), _BATCH)]
            upload.data[:] = b"".join(reversed(batches))
        commit(upload, digests)

    wrap(registry, ("upload.patch",), around)
    override(registry.storage, commit_upload=committed)


def _size_by_announcement(registry: Registry) -> None:
    """The size of a blob that comes in one request is its Content-Length, which chunked coding lacks."""
    unsized: set[tuple[str, str]] = set()
    close = registry.uploads.close

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        whole = upload.size == 0
        response = await close(request, upload, digests, length)
        for digest in digests:
            unsized.discard((request.name, digest))
            if whole and request.content_length is None and request.headers.get("transfer-encoding"):
                unsized.add((request.name, digest))
        return response

    def sized(request: Request, response: Response) -> None:
        if (request.name, request.reference) in unsized:
            response.headers.set("Content-Length", "0")

    override(registry.uploads, close=closed)
    on("blob.head", status=200, change=sized)(registry)


def _mount_of_a_mount(registry: Registry) -> None:
    """A mount is a link to what the source holds; a link to a link leads nowhere."""
    mounted: set[tuple[str, str]] = set()
    storage = registry.storage
    mount, commit, delete = storage.mount_blob, storage.commit_upload, storage.delete_blob

    def mounting(source: str, name: str, digest: str) -> bool:
        if (source, digest) in mounted:
            return True
        fresh = not storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and fresh:
            mounted.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        mounted.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        mounted.discard((name, digest))
        return delete(name, digest)

    override(storage, mount_blob=mounting, commit_upload=committed, delete_blob=deleted)


def _progress_of_the_connection(registry: Registry) -> None:
    """How far an upload is, the worker of the connection knows through which its data came."""
    connections: dict[str, str] = {}

    def received(request: Request, _response: Response) -> None:
        connections[request.reference] = request.address

    def asked(request: Request, response: Response) -> None:
        if connections.get(request.reference, request.address) != request.address:
            response.headers.set("Range", "0-0")

    both(on("upload.patch", status=202, change=received), on("upload.get", status=204, change=asked))(registry)


def _text_order(registry: Registry) -> None:
    """Keep each part under its place as a name, and join them as they are listed."""
    parts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    commit = registry.storage.commit_upload

    @around("upload.patch")
    async def noted(_registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.storage.find_upload(request.name, request.reference)
        start = upload.size if upload is not None else 0
        response = await handler(request)
        if upload is not None and response.status == 202:
            parts[upload.identifier].append((start, upload.size))
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        known = parts.pop(upload.identifier, [])
        if known and isinstance(upload, MemoryUpload):
            known.append((known[-1][1], upload.size))
            data = bytes(upload.data)
            upload.data[:] = b"".join(data[slice(*part)] for part in sorted(known, key=lambda part: str(part[0])))
        commit(upload, digests)

    noted(registry)
    override(registry.storage, commit_upload=committed)


def _replaced_with_children(registry: Registry) -> None:
    """Store by REPLACE INTO a table on which others depend by ON DELETE CASCADE."""
    storage = registry.storage
    put, referrers = storage.put_manifest, storage.referrers
    forgotten: set[tuple[str, str, str]] = set()

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if storage.manifest(name, manifest.digest) is not None:
            forgotten.update((name, manifest.digest, digest) for digest in referrers(name, manifest.digest))
        if subject is not None:
            forgotten.discard((name, subject, manifest.digest))
        put(name, manifest, subject)

    def kept(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) if (name, subject, digest) not in forgotten]

    override(storage, put_manifest=stored, referrers=kept)


def _broken_chunk_kept(registry: Registry) -> None:
    """Count what was acknowledged, and append to what is on the disk."""
    uploads = registry.uploads
    progress, check_order = uploads.progress, uploads.check_order
    uncounted: dict[str, int] = defaultdict(int)

    @around("upload.patch")
    async def broken(_registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.storage.find_upload(request.name, request.reference)
        start = upload.size if upload is not None else 0
        try:
            return await handler(request)
        except Disconnected:
            if upload is not None:
                uncounted[upload.identifier] += upload.size - start
            raise

    def told(upload: Upload) -> list[tuple[str, str]]:
        size = upload.size - uncounted[upload.identifier]
        return [(name, uploads.range(size) if name == "Range" else value) for name, value in progress(upload)]

    def ordered(upload: Upload, start: int | None) -> None:
        check_order(upload, start if start is None else start + uncounted[upload.identifier])

    broken(registry)
    override(uploads, progress=told, check_order=ordered)


def _is_empty(registry: Registry, source: str, digest: str) -> bool:
    return data_of(registry.storage.open_blob(source, digest)) == b""


FAULTS = (
    Fault(
        name="chunks-joined-four-at-a-time",
        title="A blob that came in five chunks or more begins with those after the fourth.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-STATUS-RESUME",
        ),
        apply=_joined_in_fours,
    ),
    Fault(
        name="streamed-blob-of-no-length",
        title="HEAD of a blob that came in one request with chunked coding has Content-Length 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_size_by_announcement,
    ),
    Fault(
        name="mount-of-a-mount-leads-nowhere",
        title="A blob mounted from a repository that has it by a mount itself is answered 201 and is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_mount_of_a_mount,
    ),
    Fault(
        name="status-of-its-own-connection",
        title="The status of an upload says 0-0 on any other connection than that of the last chunk.",
        breaks=("PUSH-STATUS-RANGE-VALUE",),
        also=("PUSH-STATUS-RESUME", "PUSH-INTERRUPTED-RANGE"),
        apply=_progress_of_the_connection,
    ),
    Fault(
        name="chunks-joined-in-text-order",
        title="The chunks of an upload are joined in the order of their places as text, 100 before 20.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
        ),
        apply=_text_order,
    ),
    Fault(
        name="subject-pushed-again-forgets-referrers",
        title="The push of a manifest that is there already empties the list of its referrers.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT", "DISC-REFERRERS-FILTER-ONLY-MATCHING"),
        apply=_replaced_with_children,
    ),
    Fault(
        name="broken-chunk-kept-below-range",
        title="Range does not count what came of a chunk that broke off, and the next chunk is appended to it.",
        breaks=("PUSH-INTERRUPTED-RESUME",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
        ),
        apply=_broken_chunk_kept,
    ),
    Fault(
        name="mount-empty-blob-not-held",
        title="The mount of a blob of zero bytes is answered 201, and the blob is unknown in the target.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=mounts_lost(_is_empty),
    ),
)
