"""Faults of blobs that show under one condition: a size, a way in, a way of asking, a moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.grammar import new_hash
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_BLOCK = 1 << 16
_LISTED_PARTS = 5
_URL_BUFFER = 320


def _range_within_block(registry: Registry) -> None:
    """Of the position of a range only the offset within its block is used."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 206 and len(response.parts) == 1 and isinstance(response.parts[0], tuple):
            start, length = response.parts[0]
            response.parts = [(start % _BLOCK, length)]
        return response

    override(registry.blobs, respond=changed)


def _range_of_any_repository(registry: Registry) -> None:
    """A range is read from the store of contents, which knows no repositories."""
    get, storage = registry.handlers["blob.get"], registry.storage

    async def changed(request: Request) -> Response:
        if request.headers.get("range") and not storage.has_blob(request.name, request.reference):
            holders = (name for name in storage.repositories() if storage.has_blob(name, request.reference))
            request.name = next(holders, request.name)
        return await get(request)

    registry.handlers["blob.get"] = changed


def _parts_listed_once(registry: Registry) -> None:
    """The parts of an upload are listed once, as many as one page of that list has, and joined."""
    ends: defaultdict[str, list[int]] = defaultdict(list)
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def noted(request: Request) -> Response:
        upload = registry.uploads.find(request)
        response = await patch(request)
        ends[upload.identifier].append(upload.size)
        return response

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        parts = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(parts) > _LISTED_PARTS:
            del upload.data[parts[_LISTED_PARTS - 1] :]
        commit(upload, digests)

    registry.handlers["upload.patch"] = noted
    override(registry.storage, commit_upload=changed)


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


def _second_name_stays(registry: Registry) -> None:
    """Only the entry under the digest of the storage itself is removed."""
    remove, storage = registry.blobs.remove, registry.storage

    def changed(name: str, digest: str) -> bool:
        return storage.has_blob(name, digest) if digest.startswith("sha512:") else remove(name, digest)

    override(registry.blobs, remove=changed)


def _location_in_buffer(_request: Request, response: Response) -> None:
    response.headers.set("Location", response.headers.get("Location")[:_URL_BUFFER])


def _mount_without_size(registry: Registry) -> None:
    """A mount makes an entry without the size, which is all that HEAD reads."""
    bare: set[tuple[str, str]] = set()
    storage = registry.storage
    mount, commit = storage.mount_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        known = storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not known:
            bare.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        bare.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def sized(request: Request, response: Response) -> None:
        if (request.name, request.reference) in bare:
            response.headers.set("Content-Length", "0")

    override(storage, mount_blob=mounted, commit_upload=committed)
    on("blob.head", status=200, change=sized)(registry)


def _counted_pushes(registry: Registry) -> None:
    """Each push counts as a holder of the blob, and a deletion takes one of them."""
    pushes: Counter[tuple[str, str]] = Counter()
    remove, commit = registry.blobs.remove, registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        pushes.update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def removed(name: str, digest: str) -> bool:
        pushes[name, digest] -= 1
        if pushes[name, digest] > 0:
            return True
        del pushes[name, digest]
        return remove(name, digest)

    override(registry.storage, commit_upload=committed)
    override(registry.blobs, remove=removed)


def _unchanged_kept_as_content(registry: Registry) -> None:
    """The cache keeps the body of whatever was answered last, that of a 304 too."""
    empty: set[tuple[str, str]] = set()

    def changed(request: Request, response: Response) -> None:
        key = (request.name, request.reference)
        if response.status == 304:
            empty.add(key)
        elif response.status == 200 and key in empty:
            response.parts = []

    on("blob.get", change=changed)(registry)


def _refused_file_stays(registry: Registry) -> None:
    """The data of an upload is moved to its digest, verified, and not replaced by the next upload of it."""
    files: dict[str, bytes] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if upload.closed and isinstance(upload, MemoryUpload):
                files[digests[0]] = bytes(upload.data)
            raise

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        if isinstance(upload, MemoryUpload) and digests[0] in files:
            upload.data[:] = files.pop(digests[0])
        commit(upload, digests)

    override(registry.uploads, close=closed)
    override(registry.storage, commit_upload=committed)


def _full_block_not_flushed(registry: Registry) -> None:
    """The last block is written when the next one begins, or when it is not full at the end."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload) and upload.size and upload.size % _BLOCK == 0:
            del upload.data[-_BLOCK:]
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _last_index_zero(registry: Registry) -> None:
    """The entry has the index of the last byte; where that is 0 there is nothing."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 200 and content.size == 1:
            response.parts = []
        return response

    override(registry.blobs, respond=changed)


FAULTS = (
    Fault(
        name="ninth-range-within-its-block",
        title="A range that begins behind the first 64 KiB has the bytes of the same place within the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
        ),
        apply=_range_within_block,
    ),
    Fault(
        name="ninth-range-of-any-repository",
        title="A range of a blob is given under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
        ),
        apply=_range_of_any_repository,
    ),
    Fault(
        name="ninth-parts-beyond-the-fifth-lost",
        title="Of the chunks of an upload the first five are stored, though all of them are verified.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_parts_listed_once,
    ),
    Fault(
        name="ninth-hash-of-the-connection",
        title="An upload that goes on over another connection is verified by what came over that one.",
        breaks=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-STATUS-RESUME",
        ),
        also=(
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PATCH-STREAM-202",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_hash_of_connection,
    ),
    Fault(
        name="ninth-sha512-blob-not-deleted",
        title="The deletion of a blob by its sha512 digest is answered 202, and the blob stays.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_second_name_stays,
    ),
    Fault(
        name="ninth-blob-location-in-a-buffer",
        title="The Location of a blob that was pushed ends after 320 characters.",
        breaks=("PUSH-PUT-LOCATION-PULLABLE",),
        also=(
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "BASE-NAME-ACCEPTED-KEPT",
        ),
        apply=on("upload.put", "upload.start-digest", status=201, change=_location_in_buffer),
    ),
    Fault(
        name="ninth-mounted-blob-without-size",
        title="The HEAD of a blob that was mounted has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
        ),
        apply=_mount_without_size,
    ),
    Fault(
        name="ninth-blob-pushed-twice-deleted-once",
        title="A blob that was pushed twice is there until it was deleted twice.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_counted_pushes,
    ),
    Fault(
        name="ninth-blob-empty-after-a-304",
        title="A blob is empty from the time on when its pull was answered 304.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PULL-CONSIST-REPEATABLE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-GET-CONTENT-LENGTH",
            "PUSH-BLOB-KEPT",
        ),
        apply=_unchanged_kept_as_content,
    ),
    Fault(
        name="ninth-blob-of-refused-bytes",
        title="A blob whose digest other bytes were refused under before has those bytes.",
        breaks=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-INTERRUPTED-REPUSH",
        ),
        apply=_refused_file_stays,
    ),
    Fault(
        name="ninth-full-block-lost",
        title="A blob of 64 KiB, or a multiple of that, is stored without its last 64 KiB.",
        breaks=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
        ),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-BLOB-BINARY-EXACT",
        ),
        apply=_full_block_not_flushed,
    ),
    Fault(
        name="ninth-blob-of-one-byte-empty",
        title="A blob of one byte is pulled as an empty one.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_last_index_zero,
    ),
)
