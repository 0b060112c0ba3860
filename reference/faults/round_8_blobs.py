"""Faults of blobs that show under one condition alone: the kind, the size, the way of a push or of a pull."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BUFFER = 1 << 16
#: As many parts of an upload are kept apart.
_PARTS = 4
_EMPTY = digest_of(b"")


def _whole_buffers(registry: Registry) -> None:
    """Data is written buffer by buffer, and what is left in the end: nothing, where the last buffer is full."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload) and upload.data and len(upload.data) % _BUFFER == 0:
            del upload.data[-_BUFFER:]
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _last_byte(registry: Registry) -> None:
    """A range has to begin before the last position, not before the end."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        if wanted is None or request.headers.get("range").partition("=")[2].strip().startswith("-"):
            return wanted
        return [part for part in wanted if part[0] != size - 1]

    override(registry.blobs, ranges=changed)


def _second_buffer(_request: Request, response: Response) -> None:
    """The position within a buffer is taken for that within the blob."""
    response.parts = [part if isinstance(part, bytes) else (part[0] % _BUFFER, part[1]) for part in response.parts]


def _links(registry: Registry) -> None:
    """A mount is a link to the repository that the blob came from."""
    links: dict[tuple[str, str], str] = {}
    storage = registry.storage
    mount, delete, commit = storage.mount_blob, storage.delete_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        new = not storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and new:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        for digest in digests:
            links.pop((upload.repository, digest), None)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        links.pop((name, digest), None)
        done = delete(name, digest)
        for target in [target for (target, linked), source in links.items() if (linked, source) == (digest, name)]:
            deleted(target, digest)
        return done

    override(storage, mount_blob=mounted, delete_blob=deleted, commit_upload=committed)


def _compacted(registry: Registry) -> None:
    """The first parts of an upload become one as soon as there is another, which is filed behind the rest."""
    ends: dict[str, list[int]] = {}
    patch, commit = registry.handlers["upload.patch"], registry.storage.commit_upload

    async def patched(request: Request) -> Response:
        response = await patch(request)
        upload = registry.storage.find_upload(request.name, request.reference)
        if upload is not None and response.status == 202:
            ends.setdefault(upload.identifier, []).append(upload.size)
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        parts = ends.pop(upload.identifier, [])
        if isinstance(upload, MemoryUpload) and len(parts) > _PARTS:
            end = parts[_PARTS - 1]
            upload.data = upload.data[end:] + upload.data[:end]
        commit(upload, digests)

    registry.handlers["upload.patch"] = patched
    override(registry.storage, commit_upload=committed)


def _counted(registry: Registry) -> None:
    """Each push of a blob counts as a user of it, and each deletion as the end of one."""
    users: Counter[tuple[str, str]] = Counter()
    commit, delete = registry.storage.commit_upload, registry.storage.delete_blob

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        users.update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        users[name, digest] -= 1
        if users[name, digest] > 0:
            return True
        del users[name, digest]
        return delete(name, digest)

    override(registry.storage, commit_upload=committed, delete_blob=deleted)


def _raw(request: Request, response: Response) -> None:
    """The digest of the answer is that of the path, as it came."""
    asked = request.path.rpartition("/")[2]
    if "%" in asked and "Docker-Content-Digest" in response.headers:
        response.headers.set("Docker-Content-Digest", asked)


def _other_tree(registry: Registry) -> None:
    """What is deleted is looked for under sha256, where it is not, and its absence is no error."""
    delete = registry.storage.delete_blob

    def changed(name: str, digest: str) -> bool:
        return registry.storage.has_blob(name, digest) if digest.startswith("sha512:") else delete(name, digest)

    override(registry.storage, delete_blob=changed)


def _built_in(registry: Registry) -> None:
    """The blob of no bytes is not stored, and so is everywhere."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return MemoryContent(b"") if digest == _EMPTY else find(name, digest)

    override(registry.blobs, find=changed)


def _undescribed(registry: Registry) -> None:
    """HEAD reads descriptors, which a blob of one request is stored without."""
    bare: set[tuple[str, str]] = set()
    head, single, commit = registry.blobs.get, registry.handlers["upload.start-digest"], registry.storage.commit_upload
    storage = registry.storage

    async def pushed(request: Request) -> Response:
        digest = request.query.get("digest") or ""
        new = not storage.has_blob(request.name, digest) or (request.name, digest) in bare
        response = await single(request)
        if new and response.status == 201:
            bare.add((request.name, digest))
        return response

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        bare.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def asked(request: Request) -> Response:
        if (request.name, request.reference) in bare:
            raise errors.blob_unknown(request.reference)
        return await head(request)

    registry.handlers["upload.start-digest"] = pushed
    registry.handlers["blob.head"] = asked
    override(storage, commit_upload=committed)


def _remembered_absence(registry: Registry) -> None:
    """That there is no such blob is remembered by GET, until it is deleted."""
    absent: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    get, commit = registry.handlers["blob.get"], registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        known.update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def asked(request: Request) -> Response:
        key = request.name, request.reference
        if key in absent:
            raise errors.blob_unknown(request.reference)
        try:
            return await get(request)
        except errors.RegistryError as error:
            if error.status == 404 and key not in known:
                absent.add(key)
            raise

    registry.handlers["blob.get"] = asked
    override(registry.storage, commit_upload=committed)


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


def _quarantine(registry: Registry) -> None:
    """Content that came under a wrong digest is suspect for good: it is taken, and not shown."""
    suspect: set[str] = set()
    verified, commit = registry.uploads.verified, registry.storage.commit_upload

    def changed(claimed: str, computed: str) -> bool:
        right = verified(claimed, computed)
        if not right:
            suspect.add(computed)
        return right

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        if suspect.isdisjoint(digests):
            commit(upload, digests)
        else:
            registry.storage.discard_upload(upload)

    override(registry.uploads, verified=changed)
    override(registry.storage, commit_upload=committed)


def _past_the_links(registry: Registry) -> None:
    """Ranges are read from the store of all repositories."""
    get = registry.handlers["blob.get"]
    storage = registry.storage

    async def changed(request: Request) -> Response:
        if request.headers.get("range") and not storage.has_blob(request.name, request.reference):
            holders = (name for name in storage.repositories() if storage.has_blob(name, request.reference))
            request.name = next(holders, request.name)
        return await get(request)

    registry.handlers["blob.get"] = changed


def _fault(name: str, title: str, *breaks: str, apply: Apply, also: tuple[str, ...] = ()) -> Fault:
    also = tuple(entry for entry in dict.fromkeys(also) if entry not in breaks)
    return Fault(name=name, title=title, breaks=breaks, also=also, apply=apply)


#: What may be found beside several of the faults: each is true of what they send.
_BESIDE_1 = (
    "PULL-BLOB-RANGE-206",
    "PULL-BLOB-RANGE-ADVERTISED-TRUE",
    "PULL-BLOB-RANGE-CLIPPED",
    "PULL-BLOB-RANGE-MULTI",
    "PULL-BLOB-RANGE-OPEN",
    "PULL-BLOB-RANGE-SUFFIX",
)

FAULTS = (
    _fault(
        "eighth-blob-of-whole-buffers",
        "A blob whose size is a multiple of 64 KiB lacks its last 64 KiB.",
        "PULL-BLOB-GET-BODY-EXACT",
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
        ),
        apply=_whole_buffers,
    ),
    _fault(
        "eighth-range-of-the-last-byte-refused",
        "A range that begins at the last byte of a blob is answered 416.",
        "PULL-BLOB-RANGE-UNSUPPORTED-200",
        also=_BESIDE_1,
        apply=_last_byte,
    ),
    _fault(
        "eighth-range-of-the-second-buffer",
        "A range that begins beyond 64 KiB has the bytes of the same place in the first 64 KiB.",
        "PULL-BLOB-RANGE-TRUE",
        also=_BESIDE_1,
        apply=on("blob.get", status=206, change=_second_buffer),
    ),
    _fault(
        "eighth-mount-is-a-link",
        "A mounted blob is gone once it is deleted in the repository that it came from.",
        "MGMT-BLOB-DELETE-OTHER-REPO-KEPT",
        also=(
            "PUSH-BLOB-KEPT",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-200",
        ),
        apply=_links,
    ),
    _fault(
        "eighth-parts-compacted-behind-the-rest",
        "Of a blob in more than four chunks the first four stand behind the others.",
        "PUSH-PATCH-CHUNKS-CONCATENATED",
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-STATUS-RESUME",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_compacted,
    ),
    _fault(
        "eighth-blob-counted-by-pushes",
        "A blob that was pushed twice stays when it is deleted once.",
        "MGMT-BLOB-DELETE-GET-404",
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
        ),
        apply=_counted,
    ),
    _fault(
        "eighth-digest-of-the-raw-path",
        "Docker-Content-Digest of a blob that is asked for with percent-encoding is encoded, too.",
        "BASE-DIGEST-HEADER-GRAMMAR",
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=on("blob.get", "blob.head", change=_raw),
    ),
    _fault(
        "eighth-sha512-blob-not-deleted",
        "The deletion of a blob by its sha512 digest is answered 202 and deletes nothing.",
        "MGMT-BLOB-DELETE-GET-404",
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_other_tree,
    ),
    _fault(
        "eighth-empty-blob-everywhere",
        "The blob of no bytes is in every repository, pushed or not.",
        "PULL-BLOB-GET-UNKNOWN-404",
        "PULL-BLOB-HEAD-OTHER-REPO-404",
        also=(
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_built_in,
    ),
    _fault(
        "eighth-single-post-without-descriptor",
        "HEAD of a blob that was pushed with one POST is answered 404; GET is not.",
        "PULL-BLOB-HEAD-200",
        also=(
            "PULL-BLOB-GET-200",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
        ),
        apply=_undescribed,
    ),
    _fault(
        "eighth-absence-remembered",
        "A blob that a GET asked for before its first push stays unknown to GET.",
        "PULL-BLOB-GET-200",
        also=(
            "PULL-BLOB-HEAD-200",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-BLOB-KEPT",
        ),
        apply=_remembered_absence,
    ),
    _fault(
        "eighth-range-of-the-connection",
        "The Range of a chunk that comes on another connection than the one before counts from there.",
        "PUSH-PATCH-RANGE-VALUE",
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_of_the_connection,
    ),
    _fault(
        "eighth-suspect-once-refused",
        "A blob that was once refused for a wrong digest is answered 201 under its own, and not there.",
        "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        "PULL-BLOB-GET-200",
        also=(
            "PULL-BLOB-HEAD-200",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-MANIFEST-STATUS-201",
        ),
        apply=_quarantine,
    ),
    _fault(
        "eighth-range-past-the-links",
        "With a range a blob is found that only another repository holds.",
        "PULL-BLOB-OTHER-REPO-404",
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_past_the_links,
    ),
)
