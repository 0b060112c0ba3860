"""Faults of blobs that show at one size, kind, digest algorithm or way of pushing alone."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BUFFER = 1 << 16
_MEGABYTE = 1 << 20
_ZSTD = b"\x28\xb5\x2f\xfd"
#: The length of Frame_Content_Size by its flag.
_SIZES = (0, 2, 4, 8)


def _unpacked_size(frame: bytes) -> int:
    """What the first frame says of its content; 0 where it is silent."""
    flags = frame[4]
    single, kind = flags >> 5 & 1, flags >> 6
    width = _SIZES[kind] or single
    begin = 5 + 1 - single + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(frame[begin : begin + width], "little")
    return size + 256 if width == 2 else size


def _zstd_length(_request: Request, response: Response) -> None:
    """The Content-Length of what is in the frame."""
    content = response.content
    if isinstance(content, MemoryContent) and content.data[:4] == _ZSTD and content.size > 4:
        response.headers.set("Content-Length", str(_unpacked_size(bytes(content.data[:32]))))


def _empty_not_mounted(registry: Registry) -> None:
    """Content of no bytes is taken for nothing that needs a link."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        content = registry.storage.open_blob(source, digest)
        return content.size == 0 or mount(source, name, digest) if content is not None else False

    override(registry.storage, mount_blob=changed)


def _byte_behind_buffer(registry: Registry) -> None:
    """One byte behind a full buffer is never flushed."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and content.size == _BUFFER + 1:
            return MemoryContent(content.data[:_BUFFER])
        return content

    override(registry.blobs, find=changed)


def _one_byte_without_ranges(registry: Registry) -> None:
    """The last position is taken for the length, so that a blob of one byte has none that can be asked for."""
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        parts = understood(request, size)
        return [] if parts and size == 1 else parts

    override(registry.blobs, ranges=changed)


def _single_post_cut(registry: Registry) -> None:
    """The buffer of a single POST holds a byte less than a megabyte."""
    cut: set[tuple[str, str]] = set()
    commit, find = registry.storage.commit_upload, registry.blobs.find
    handler = registry.handlers["upload.start-digest"]

    def committed(upload: Upload, digests: list[str]) -> None:
        cut.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    async def posted(request: Request) -> Response:
        response = await handler(request)
        if response.status == 201:
            cut.update((request.name, digest) for digest in request.query.all("digest"))
        return response

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and content.size >= _MEGABYTE and (name, digest) in cut:
            return MemoryContent(content.data[: _MEGABYTE - 1])
        return content

    registry.handlers["upload.start-digest"] = posted
    override(registry.storage, commit_upload=committed)
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


def _absence_remembered(registry: Registry) -> None:
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


FAULTS = (
    Fault(
        name="head-of-zstd-as-unpacked",
        title="HEAD of a blob that is a zstd frame has the length of what is in the frame.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        apply=on("blob.head", status=200, change=_zstd_length),
    ),
    Fault(
        name="empty-blob-mounted-nowhere",
        title="The mount of a blob of no bytes is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=(
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PULL-BLOB-GET-EMPTY",
        ),
        apply=_empty_not_mounted,
    ),
    Fault(
        name="byte-behind-full-buffer-lost",
        title="A blob of 65,537 bytes is served without its last byte.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_byte_behind_buffer,
    ),
    Fault(
        name="range-of-only-byte-refused",
        title="A range on a blob of a single byte is answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=_one_byte_without_ranges,
    ),
    Fault(
        name="single-post-of-megabyte-cut",
        title="A blob of a mebibyte or more that came by a single POST ends before the last byte of the mebibyte.",
        breaks=("PUSH-SINGLE-LOCATION-PULLABLE",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-LARGE-EXACT",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_single_post_cut,
    ),
    Fault(
        name="refused-sha512-post-kept-by-sha256",
        title="A single POST with a wrong sha512 is refused, and leaves its bytes under their sha256.",
        breaks=("PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",),
        also=("PUSH-BLOB-SHA512-MISMATCH-REJECTED",),
        apply=_refused_post_kept,
    ),
    Fault(
        name="digest-of-present-blob-believed",
        title="A PUT whose digest is that of a blob that the repository has is answered 201, whatever its bytes.",
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
        title="HEAD of a blob that it missed once is answered 404 after the blob was mounted.",
        breaks=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PULL-BLOB-HEAD-200",
        ),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_absence_remembered,
    ),
)
