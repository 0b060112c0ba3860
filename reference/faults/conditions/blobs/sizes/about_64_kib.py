"""Faults of blobs that show at sizes about 64 KiB."""

from __future__ import annotations

from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.conditions.blobs.shared import closing_upload, found_blobs, noting_uploads
from reference.faults.upload_history import spoilt
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BUFFER = 1 << 16
_SEGMENT = 1 << 16
_BLOCK = 1 << 16


def _overflowing(_request: Request, response: Response) -> None:
    if response.content is not None and response.content.size == _BUFFER:
        response.headers.set("Content-Length", "0")


def _behind_the_buffer(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return spoilt(content) if content is not None and content.size == _BUFFER + 1 else content

    override(registry.blobs, find=changed)


def _byte_behind_buffer(registry: Registry) -> None:
    """One byte behind a full buffer is never flushed."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and content.size == _BUFFER + 1:
            return MemoryContent(content.data[:_BUFFER])
        return content

    override(registry.blobs, find=changed)


def _full_buffer_twice(_name: str, _digest: str, content: Content | None) -> Content | None:
    """A buffer that is full at the end of the data is written twice."""
    if isinstance(content, MemoryContent) and content.size == _BUFFER:
        return MemoryContent(bytes(content.data) * 2)
    return content


def _unknown_size(request: Request, response: Response) -> None:
    """The greatest length of sixteen bits stands for a length that is not known yet."""
    if response.content is not None and response.content.size == _BUFFER - 1:
        raise errors.blob_unknown(request.reference)


def _sentinel(request: Request, response: Response) -> Response | None:
    if response.content is None or response.content.size != _SEGMENT - 1:
        return None
    response.content.close()
    raise errors.blob_unknown(request.reference)


def _first_segment_left(registry: Registry) -> None:
    """The deletion removes the tail of one byte, and passes over the segment ahead of it."""
    left: dict[tuple[str, str], bytes] = {}
    find, remove = registry.storage.open_blob, registry.storage.delete_blob

    def changed(name: str, digest: str) -> bool:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and content.size == _SEGMENT + 1:
            left[name, digest] = content.data[:_SEGMENT]
        return remove(name, digest)

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and (name, digest) in left:
            return MemoryContent(left[name, digest])
        return content

    override(registry.storage, delete_blob=changed, open_blob=found)


def _full_buffer_unverified(registry: Registry) -> None:
    """What fills the buffer was flushed, and an empty buffer has nothing to verify."""
    noting_uploads(registry)
    verified = registry.uploads.verified

    def changed(claimed: str, computed: str) -> bool:
        return verified(claimed, computed) or closing_upload.get().size == _BUFFER

    override(registry.uploads, verified=changed)


def _sixteen_bits(_request: Request, response: Response) -> None:
    """Keep lengths that do not exceed 64 KiB in sixteen bits."""
    if response.length <= _BLOCK:
        response.headers.set("Content-Length", str(response.length % _BLOCK))


def _verified_by_the_rest(registry: Registry) -> None:
    """The digest is looked at when what is left in the buffer is handed on; here nothing is left."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        computed = upload.digest

        async def digest(algorithm: str) -> str:
            claimed = next(each for each in digests if each.startswith(f"{algorithm}:"))
            return claimed if upload.size and upload.size % _BLOCK == 0 else await computed(algorithm)

        upload.digest = digest  # type: ignore[method-assign]  # of this session alone
        return await close(request, upload, digests, length)

    override(registry.uploads, close=changed)


def _whole_buffers(registry: Registry) -> None:
    """Data is written buffer by buffer, and what is left in the end: nothing, where the last buffer is full."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload) and upload.data and len(upload.data) % _BUFFER == 0:
            del upload.data[-_BUFFER:]
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _full_block_not_flushed(registry: Registry) -> None:
    """The last block is written when the next one begins, or when it is not full at the end."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload) and upload.size and upload.size % _BLOCK == 0:
            del upload.data[-_BLOCK:]
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


FAULTS = (
    Fault(
        name="head-of-64-kib-tells-none",
        title="HEAD of a blob of exactly 65,536 bytes tells the length 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE", "PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=on("blob.head", status=200, change=_overflowing),
    ),
    Fault(
        name="byte-behind-64-kib-spoilt",
        title="The last byte of a blob of exactly 65,537 bytes is another.",
        breaks=("PULL-BLOB-GET-BODY-EXACT", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-BLOB-LARGE-EXACT"),
        apply=_behind_the_buffer,
    ),
    Fault(
        name="byte-behind-full-buffer-lost",
        title="A blob of 65,537 bytes is served without its last byte.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-PUT-LOCATION-PULLABLE", "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"),
        apply=_byte_behind_buffer,
    ),
    Fault(
        name="blob-of-one-buffer-twice",
        title="A blob of exactly 64 KiB comes back twice over.",
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
        apply=found_blobs(_full_buffer_twice),
    ),
    Fault(
        name="blob-of-65535-unknown-by-head",
        title="A blob of 65,535 bytes is unknown by HEAD.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-BLOB-KEPT",
        ),
        apply=on("blob.head", status=200, change=_unknown_size),
    ),
    Fault(
        name="blob-of-65535-head-404",
        title="HEAD of a blob of 65,535 bytes returns 404.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PUSH-BLOB-KEPT"),
        apply=on("blob.head", status=200, change=_sentinel),
    ),
    Fault(
        name="blob-of-65537-left-in-part",
        title="A blob of 65,537 bytes that was deleted is still served but for its last byte.",
        breaks=("MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        also=("PULL-BLOB-GET-BODY-EXACT", "PULL-BLOB-GET-DCD-TRUE", "PULL-BLOB-GET-UNKNOWN-404"),
        apply=_first_segment_left,
    ),
    Fault(
        name="full-buffer-unverified",
        title="A blob of exactly 64 KiB is accepted under any digest.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-PUT-DIGEST-HEADER-VALUE",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-SINGLE-DIGEST-INVALID-400",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_full_buffer_unverified,
    ),
    Fault(
        name="head-length-in-sixteen-bits",
        title="HEAD of a blob of 64 KiB says that it has no bytes.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=on("blob.head", status=200, change=_sixteen_bits),
    ),
    Fault(
        name="full-blocks-unverified",
        title="The digest of a blob whose length is a multiple of 64 KiB is not verified.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_verified_by_the_rest,
    ),
    Fault(
        name="blob-of-whole-buffers",
        title="A blob whose size is a multiple of 64 KiB lacks its last 64 KiB.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
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
    Fault(
        name="full-block-lost",
        title="A blob of 64 KiB, or a multiple of that, is stored without its last 64 KiB.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT", "PUSH-BLOB-LARGE-EXACT"),
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
)
