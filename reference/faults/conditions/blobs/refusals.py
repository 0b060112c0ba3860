"""Faults of blobs that show beside a refused upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reference import errors
from reference.app import Registry
from reference.faults.conditions.blobs.shared import closing_upload, found_blobs, noting_uploads
from reference.messages import Content, Request, Response
from reference.modifications import Fault, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload


def _remembered_as_absent(registry: Registry) -> None:
    """A digest that an upload was refused for is noted as absent, and nothing takes the note away."""
    absent: set[tuple[str, str]] = set()
    close, find = registry.uploads.close, registry.blobs.find

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError as error:
            if any(entry.code == "DIGEST_INVALID" for entry in error.entries):
                absent.update((upload.repository, digest) for digest in digests)
            raise

    def found(name: str, digest: str) -> Content | None:
        return None if (name, digest) in absent else find(name, digest)

    override(registry.uploads, close=changed)
    override(registry.blobs, find=found)


def _refused_post_kept(registry: Registry) -> None:
    """A single POST with a wrong sha512 is refused after its bytes went to their place by sha256."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            wrong = request.operation == "upload.start-digest" and digests[0].startswith("sha512:")
            if wrong and isinstance(upload, MemoryUpload) and upload.data:
                again = registry.storage.start_upload(upload.repository)
                await again.write(bytes(upload.data))
                await again.flush()
                registry.storage.commit_upload(again, [await again.digest("sha256")])
            raise

    override(registry.uploads, close=changed)


def _when_refused(registry: Registry, act: Callable[[MemoryUpload, str], None]) -> None:
    """Do something with the content that was refused under a wrong digest, before it is forgotten."""
    verified, discard = registry.uploads.verified, registry.storage.discard_upload
    pending: list[str] = []

    def noting(claimed: str, computed: str) -> bool:
        right = verified(claimed, computed)
        if not right:
            pending.append(claimed)
        return right

    def discarded(upload: Upload) -> None:
        claimed = pending.pop() if pending else None
        if claimed is not None and isinstance(upload, MemoryUpload):
            act(upload, claimed)
        discard(upload)

    override(registry.uploads, verified=noting)
    override(registry.storage, discard_upload=discarded)


def _refused_sha512_kept(registry: Registry) -> None:
    """What is refused under a sha512 digest has been moved to its place before."""

    def keep(upload: MemoryUpload, claimed: str) -> None:
        if claimed.startswith("sha512:"):
            registry.storage.commit_upload(upload, [claimed])

    _when_refused(registry, keep)


def _refused_comes_back(registry: Registry) -> None:
    """What was refused under a digest stays in a cache for it."""
    refused: dict[tuple[str, str], bytes] = {}
    served: dict[tuple[str, str], bytes] = {}
    commit = registry.storage.commit_upload

    def keep(upload: MemoryUpload, claimed: str) -> None:
        refused[upload.repository, claimed] = bytes(upload.data)

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        keys = [(upload.repository, digest) for digest in digests]
        commit(upload, [digest for _, digest in keys])
        served.update({key: refused.pop(key) for key in keys if key in refused})

    def changed(name: str, digest: str, content: Content | None) -> Content | None:
        if content is None or (name, digest) not in served:
            return content
        return MemoryContent(served[name, digest])

    _when_refused(registry, keep)
    override(registry.storage, commit_upload=committed)
    found_blobs(changed)(registry)


def _refused_kept(registry: Registry) -> None:
    """What was refused lies under the claimed digest, and a later push finds it there."""
    staged: dict[str, bytes] = {}
    storage = registry.storage
    verified, discard, commit = registry.uploads.verified, storage.discard_upload, storage.commit_upload
    refused: list[str] = []

    def watched(claimed: str, computed: str) -> bool:
        good = verified(claimed, computed)
        if not good:
            refused.append(claimed)
        return good

    def discarded(upload: Upload) -> None:
        if refused:
            staged[refused.pop()] = bytes(getattr(upload, "data", b""))
        discard(upload)

    def committed(upload: Upload, digests: list[str]) -> None:
        data = getattr(upload, "data", None)
        if isinstance(data, bytearray) and digests[0] in staged and not storage.has_blob(upload.repository, digests[0]):
            data[:] = staged.pop(digests[0])
        commit(upload, digests)

    override(registry.uploads, verified=watched)
    override(storage, discard_upload=discarded, commit_upload=committed)


def _refused_bytes_kept(registry: Registry) -> None:
    """A refused upload has its file under the digest already, and what is there is not written again."""
    noting_uploads(registry)
    verified, find, delete = registry.uploads.verified, registry.blobs.find, registry.storage.delete_blob
    refused: dict[str, bytes] = {}

    def verifying(claimed: str, computed: str) -> bool:
        upload, storage = closing_upload.get(), registry.storage
        held = any(storage.has_blob(name, claimed) for name in storage.repositories())
        right = verified(claimed, computed)
        if not right and not held and isinstance(upload, MemoryUpload):
            refused.setdefault(claimed, bytes(upload.data))
        return right

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return MemoryContent(refused[digest]) if content is not None and digest in refused else content

    def deleting(name: str, digest: str) -> bool:
        refused.pop(digest, None)
        return delete(name, digest)

    override(registry.uploads, verified=verifying)
    override(registry.blobs, find=changed)
    override(registry.storage, delete_blob=deleting)


def _refused_for_ever(registry: Registry) -> None:
    refused: set[str] = set()
    verified, find = registry.uploads.verified, registry.blobs.find

    def noting(claimed: str, computed: str) -> bool:
        fits = verified(claimed, computed)
        if not fits:
            refused.add(claimed)
        return fits

    override(registry.uploads, verified=noting)
    override(registry.blobs, find=lambda name, digest: None if digest in refused else find(name, digest))


def _staged_once(registry: Registry) -> None:
    """What comes is written to a file that is called by its digest, unless there is one, and stays there if refused."""
    staged: dict[str, bytes] = {}
    close, commit = registry.uploads.close, registry.storage.commit_upload

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload) and upload.closed:
                staged.setdefault(digests[0], bytes(upload.data))
            raise

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        if isinstance(upload, MemoryUpload) and digests[0] in staged:
            upload.data = bytearray(staged.pop(digests[0]))
        commit(upload, digests)

    override(registry.uploads, close=closed)
    override(registry.storage, commit_upload=committed)


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


FAULTS = (
    Fault(
        name="blob-unknown-once-refused",
        title="A blob for whose digest other content was refused before is accepted, and unknown.",
        breaks=("PULL-BLOB-GET-200",),
        also=("PULL-BLOB-HEAD-200", "PUSH-BLOB-KEPT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-PUT-LOCATION-PULLABLE"),
        apply=_remembered_as_absent,
    ),
    Fault(
        name="refused-sha512-post-kept-by-sha256",
        title="A single POST with a wrong sha512 is refused, and leaves its bytes under their sha256.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        also=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        apply=_refused_post_kept,
    ),
    Fault(
        name="refused-sha512-stored",
        title="The registry serves bytes under a wrong sha512 digest that it refused.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-NO-BLOB", "PUSH-BLOB-SHA512-MISMATCH-REJECTED"),
        also=(
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-KEPT",
            "BASE-DIGEST-SHA512",
        ),
        apply=_refused_sha512_kept,
    ),
    Fault(
        name="refused-bytes-come-back",
        title="A blob under whose digest other bytes were refused before comes back as those.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "BASE-DIGEST-SHA512",
            "BASE-NAME-ACCEPTED-KEPT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-TRUE",
            "PULL-CONSIST-REPEATABLE",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
        ),
        apply=_refused_comes_back,
    ),
    Fault(
        name="refused-upload-found-again",
        title="A blob whose digest was claimed for other data before, and refused, has that data.",
        breaks=("PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        also=(
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-BLOB-KEPT",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-DCD-TRUE",
        ),
        apply=_refused_kept,
    ),
    Fault(
        name="refused-bytes-kept",
        title="A blob under whose digest something else was refused before is served as what was refused.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_refused_bytes_kept,
    ),
    Fault(
        name="digest-once-refused-lost",
        title="A blob is unknown if other content was refused under its digest before.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-200"),
        also=("PUSH-PUT-LOCATION-PULLABLE", "PUSH-BLOB-KEPT", "PULL-BLOB-HEAD-200"),
        apply=_refused_for_ever,
    ),
    Fault(
        name="blob-has-refused-bytes",
        title="A blob that is pushed after other bytes were refused under its digest has those bytes.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-INTERRUPTED-REPUSH",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
        ),
        apply=_staged_once,
    ),
    Fault(
        name="blob-lost-once-refused",
        title="A blob that was once refused under a wrong digest gets 201 under its own, and is not there.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-200"),
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
    Fault(
        name="blob-of-refused-bytes",
        title="A blob whose digest other bytes were refused under before has those bytes.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT"),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-INTERRUPTED-REPUSH",
        ),
        apply=_refused_file_stays,
    ),
)
