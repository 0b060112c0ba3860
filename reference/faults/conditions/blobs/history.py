"""Faults of blobs that show after something was done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def _absence_remembered(registry: Registry) -> None:
    """HEAD remembers what was unknown, until a GET finds it."""
    absent: set[tuple[str, str]] = set()

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            entry = request.name, request.reference
            if request.method == "HEAD" and entry in absent:
                raise errors.blob_unknown(request.reference)
            try:
                response = await handler(request)
            except errors.RegistryError as error:
                if error.status == 404 and request.method == "HEAD":
                    absent.add(entry)
                raise
            absent.discard(entry)
            return response

        return changed

    wrap(registry, ["blob.get", "blob.head"], around)


def _buffer_used_again(registry: Registry) -> None:
    """What a refused upload left lies behind a shorter one that follows in its repository."""
    left: dict[str, bytes] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload):
                left[upload.repository] = bytes(upload.data)
            raise

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        before = left.pop(upload.repository, b"")
        if isinstance(upload, MemoryUpload):
            upload.data += before[len(upload.data) :]
        commit(upload, digests)

    override(registry.uploads, close=changed)
    override(registry.storage, commit_upload=committed)


def _known_digest_believed(registry: Registry) -> None:
    """Content that the repository has is not received with care: its digest is known to be right."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        if request.operation != "upload.put" or not registry.storage.has_blob(request.name, digests[0]):
            return await close(request, upload, digests, length)
        mark = upload.mark()
        await registry.uploads.receive(request, upload)
        await registry.uploads.check_received(upload, mark, length)
        registry.storage.discard_upload(upload)
        return registry.uploads.created(request.name, digests[0])

    override(registry.uploads, close=changed)


def _head_misses_what_was_mounted(registry: Registry) -> None:
    """HEAD remembers what was not there; a push makes it forget, a mount does not."""
    absent: set[tuple[str, str]] = set()
    commit, handler = registry.storage.commit_upload, registry.handlers["blob.head"]

    def committed(upload: Upload, digests: list[str]) -> None:
        absent.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def changed(request: Request) -> Response:
        if (request.name, request.reference) in absent:
            raise registry.blobs.unknown(request)
        try:
            return await handler(request)
        except errors.RegistryError as error:
            if error.status == 404:
                absent.add((request.name, request.reference))
            raise

    override(registry.storage, commit_upload=committed)
    registry.handlers["blob.head"] = changed


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


def _counted(registry: Registry) -> None:
    """Each push counts one more holder, and a deletion takes one away."""
    holders: dict[tuple[str, str], int] = {}
    commit, remove = registry.storage.commit_upload, registry.storage.delete_blob

    def committed(upload: Upload, digests: list[str]) -> None:
        commit(upload, digests)
        for digest in digests:
            key = upload.repository, digest
            holders[key] = holders.get(key, 0) + 1

    def removed(name: str, digest: str) -> bool:
        count = holders.pop((name, digest), 1)
        if count > 1:
            holders[name, digest] = count - 1
            return True
        return remove(name, digest)

    override(registry.storage, commit_upload=committed, delete_blob=removed)


def _deletion_of_one_push(registry: Registry) -> None:
    """Count the pushes of a blob; a deletion takes one off."""
    pushes: Counter[tuple[str, str]] = Counter()
    commit, remove = registry.storage.commit_upload, registry.blobs.remove

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        pushes.update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def changed(name: str, digest: str) -> bool:
        pushes[name, digest] -= 1
        if pushes[name, digest] > 0 and registry.storage.has_blob(name, digest):
            return True
        del pushes[name, digest]
        return remove(name, digest)

    override(registry.storage, commit_upload=committed)
    override(registry.blobs, remove=changed)


def _blob_counted_by_pushes(registry: Registry) -> None:
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


FAULTS = (
    Fault(
        name="absence-remembered-by-head",
        title="A blob that HEAD found unknown stays unknown to HEAD after its push, until it is pulled.",
        breaks=("PULL-BLOB-HEAD-200", "PULL-CONSIST-AT-ONCE", "PULL-BLOB-HEAD-GET-AGREE"),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "MGMT-BLOB-DELETE-REUPLOAD"),
        apply=_absence_remembered,
    ),
    Fault(
        name="refused-upload-behind-the-next",
        title="A blob that follows a longer upload that was refused in its repository ends with the rest of that.",
        breaks=("PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-PUT-LOCATION-PULLABLE"),
        also=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        apply=_buffer_used_again,
    ),
    Fault(
        name="digest-of-present-blob-believed",
        title="A PUT whose digest is that of a blob that the repository has returns 201, whatever its bytes.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
        ),
        apply=_known_digest_believed,
    ),
    Fault(
        name="head-misses-what-was-mounted",
        title="HEAD of a blob that it missed once returns 404 after the blob was mounted.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE", "PULL-BLOB-HEAD-200"),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_head_misses_what_was_mounted,
    ),
    Fault(
        name="upload-begins-where-another-was-cancelled",
        title="The Range of an upload that begins after another was cancelled is that of the cancelled one.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        also=("PUSH-SESSION-PARALLEL-ISOLATED", "PUSH-CANCEL-SESSION-GONE", "PUSH-START-RANGE-HEADER"),
        apply=_progress_of_the_cancelled,
    ),
    Fault(
        name="blob-counted-by-push",
        title="A blob that was pushed twice stays when it is deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=_counted,
    ),
    Fault(
        name="deletion-of-one-push",
        title="A blob that was pushed twice is still there when it was deleted once.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404"),
        apply=_deletion_of_one_push,
    ),
    Fault(
        name="blob-counted-by-pushes",
        title="A blob that was pushed twice stays when it is deleted once.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404", "PUSH-BLOB-REUPLOAD-IDEMPOTENT"),
        apply=_blob_counted_by_pushes,
    ),
    Fault(
        name="absence-remembered",
        title="A blob that a GET asked for before its first push stays unknown to GET.",
        breaks=("PULL-BLOB-GET-200",),
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
            "PULL-CONCURRENT-UPLOAD-NO-PART",
            "PUSH-INTERRUPTED-REPUSH",
        ),
        apply=_remembered_absence,
    ),
    Fault(
        name="blob-pushed-twice-deleted-once",
        title="A blob that was pushed twice is there until it was deleted twice.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404", "MGMT-BLOB-DELETE-TWICE-404"),
        apply=_counted_pushes,
    ),
)
