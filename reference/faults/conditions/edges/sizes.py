"""Faults that show with some sizes of blobs, chunks and manifests."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

from reference import errors
from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.edges.shared import KIB_64, MIB
from reference.grammar import digest_of, new_hash
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest, Mark, Upload
from reference.storage.memory import MemoryContent, MemoryStorage, MemoryUpload


@around("blob.head")
async def _no_size_no_blob(_registry: Registry, request: Request, handler: Handler) -> Response:
    """HEAD asks for the size, and takes the size 0 for none."""
    response = await handler(request)
    if response.status == 200 and response.content is not None and response.content.size == 0:
        response.content.close()
        raise errors.blob_unknown(request.reference)
    return response


def _end_behind_start(registry: Registry) -> None:
    """The last position of a chunk has to be greater than its first."""
    chunk = registry.uploads.chunk

    def changed(request: Request, upload: Upload) -> tuple[int | None, int | None]:
        start, length = chunk(request, upload)
        if length == 1:
            raise registry.uploads.out_of_order(upload)
        return start, length

    override(registry.uploads, chunk=changed)


@around("upload.patch")
async def _full_buffer_counted_again(registry: Registry, request: Request, handler: Handler) -> Response:
    """A buffer is counted when it is full and once more at the end, where nothing came behind it."""
    before = registry.uploads.find(request).size
    response = await handler(request)
    upload = registry.storage.find_upload(request.name, request.reference)
    if response.status == 202 and upload is not None:
        received = upload.size - before
        if received and received % KIB_64 == 0:
            response.headers.set("Range", registry.uploads.range(upload.size + KIB_64))
    return response


def _size_in_16_bits(registry: Registry) -> None:
    """The size of a referrer stands in a column of 16 bits."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        descriptor["size"] %= KIB_64
        return descriptor

    override(registry.referrers, describe=changed)


def _appended_to_what_is_there(registry: Registry) -> None:
    """What is copied in parts of a mebibyte is opened to append to it, though the file may be there already."""
    doubled: set[tuple[str, str]] = set()
    find, commit, remove = registry.blobs.find, registry.storage.commit_upload, registry.storage.delete_blob

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        if upload.size >= MIB:
            name = upload.repository
            doubled.update((name, digest) for digest in digests if registry.storage.has_blob(name, digest))
        commit(upload, digests)

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if isinstance(content, MemoryContent) and (name, digest) in doubled:
            return MemoryContent(content.data + content.data)
        return content

    def removed(name: str, digest: str) -> bool:
        doubled.discard((name, digest))
        return remove(name, digest)

    override(registry.storage, commit_upload=committed, delete_blob=removed)
    override(registry.blobs, find=found)


_SPOOLED = 1 << 16


def _spool_rolls_over(registry: Registry) -> None:
    """Up to 64 KiB stay in memory; when they are full, the size is that of the file, still an empty one."""
    accepted, spell = registry.uploads.accepted, registry.uploads.range

    def changed(upload: Upload) -> Response:
        response = accepted(upload)
        if upload.size == _SPOOLED:
            response.headers.set("Range", spell(0))
        return response

    override(registry.uploads, accepted=changed)


def _nothing_to_rename(registry: Registry) -> None:
    """The session ends with the renaming of its file, and there is none where no byte came."""
    storage = registry.storage
    commit = storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, digests)
        if upload.size == 0 and isinstance(storage, MemoryStorage) and isinstance(upload, MemoryUpload):
            upload.closed = False
            storage._uploads[upload.identifier] = upload

    override(storage, commit_upload=changed)


def _indexed_from_a_buffer(registry: Registry) -> None:
    """Who indexes the subjects gets the first 64 KiB of a manifest, and leaves out what is no JSON."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject if len(manifest.content) <= _SPOOLED else None)

    override(registry.storage, put_manifest=changed)


@around("upload.delete")
async def _cancelled_in_memory(registry: Registry, request: Request, handler: Handler) -> Response:
    """What is cancelled is what is in memory; longer uploads are in a file, and that is found again."""
    if registry.uploads.find(request).size > _SPOOLED:
        return Response(204)
    return await handler(request)


_EMPTY = (digest_of(b""), digest_of(b"", "sha512"))
_INLINE = 1 << 16
_LARGE = 1 << 20


def _empty_made_up(registry: Registry) -> None:
    """The empty blob is not stored but made up, wherever it was pushed once."""
    gone: set[tuple[str, str]] = set()
    remove, find = registry.blobs.remove, registry.blobs.find

    def removed(name: str, digest: str) -> bool:
        done = remove(name, digest)
        if done and digest in _EMPTY:
            gone.add((name, digest))
        return done

    def found(name: str, digest: str) -> Content | None:
        return find(name, digest) or (MemoryContent(b"") if (name, digest) in gone else None)

    override(registry.blobs, remove=removed, find=found)


@around("upload.patch", "upload.put")
async def _one_byte_is_none(registry: Registry, request: Request, handler: Handler) -> Response:
    """0-0 is what a session without data says, so that one with this range is taken for one without."""
    upload = registry.storage.find_upload(request.name, request.reference)
    if upload is not None and upload.size == 1:
        await upload.rollback(Mark(0, "sha256", new_hash("sha256")))
    return await handler(request)


@around("blob.get")
async def _neither_inline_nor_file(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Blobs below 64 KiB are read from the database and those above from files; who writes has another border."""
    response = await handler(request)
    if response.content is not None and response.content.size == _INLINE:
        response.content.close()
        raise errors.blob_unknown(request.reference)
    return response


def _large_unverified(registry: Registry) -> None:
    """A blob of 1 MiB or more is to be verified later, which never comes."""
    present: ContextVar[Upload] = ContextVar("present")
    close = registry.uploads.close

    async def closed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        present.set(upload)
        return await close(request, upload, digests, length)

    override(
        registry.uploads,
        close=closed,
        verified=lambda claimed, computed: claimed == computed or present.get().size >= _LARGE,
    )


_BLOCK = 1 << 16
_MIB = 1 << 20


@around("blob.get")
async def _room_for_the_end(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Read into a buffer whose last byte is for the end of a string."""
    response = await handler(request)
    if response.status == 200 and response.parts == [(0, _BLOCK)]:
        response.parts = [(0, _BLOCK - 1)]
    return response


def _tail_block(registry: Registry) -> None:
    """Count the whole blocks of a blob alone."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        if wanted is None or size <= _BLOCK:
            return wanted
        return [part for part in wanted if part[0] // _BLOCK < size // _BLOCK]

    override(registry.blobs, ranges=changed)


FAULTS = (
    Fault(
        name="head-of-nothing-404",
        title="HEAD of the blob of no bytes returns 404; GET is not.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-EMPTY-ACCEPTED",
            "PULL-CONSIST-AT-ONCE",
            "PULL-BLOB-GET-EMPTY",
            "PUSH-BLOB-KEPT",
        ),
        apply=_no_size_no_blob,
    ),
    Fault(
        name="chunk-of-one-position-416",
        title="A chunk of a single byte whose Content-Range is N-N returns 416.",
        breaks=("PUSH-CHUNK-MIN-LENGTH-ANNOUNCED",),
        also=(
            "PUSH-PATCH-STATUS-202",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-STATUS-RESUME",
            "PUSH-CHUNK-MIN-LENGTH-LAST-ANY",
            "PUSH-CATEGORY-COMPLETE",
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-PATCH-416-RANGE-TRUE",
        ),
        apply=_end_behind_start,
    ),
    Fault(
        name="full-buffer-in-the-range-twice",
        title="The Range of a chunk whose length is a multiple of 64 KiB ends 64 KiB too late.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=("PUSH-PATCH-STREAM-RANGE-VALUE", "PUSH-STATUS-RANGE-VALUE"),
        apply=_full_buffer_counted_again,
    ),
    Fault(
        name="referrer-size-in-16-bits",
        title="A referrer of 64 KiB or more is listed with its size modulo 65,536.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_size_in_16_bits,
    ),
    Fault(
        name="large-blob-doubled-by-second-push",
        title="A blob of a mebibyte or more has its bytes twice over when it was pushed a second time.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-BLOB-KEPT",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-REUPLOAD-IDEMPOTENT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PUSH-BLOB-PARALLEL-SAME-DIGEST",
            "PUSH-CONCURRENT-BLOB-WHOLE",
        ),
        apply=_appended_to_what_is_there,
    ),
    Fault(
        name="range-at-spool-rollover-0-0",
        title="The Range of the chunk with which an upload has exactly 65,536 bytes is 0-0.",
        breaks=("PUSH-PATCH-RANGE-VALUE", "PUSH-PATCH-STREAM-RANGE-VALUE"),
        also=("PUSH-STATUS-RESUME", "PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PATCH-STREAM-202"),
        apply=_spool_rolls_over,
    ),
    Fault(
        name="session-of-empty-blob-stays-open",
        title="An upload that was completed as a blob of no bytes takes more data.",
        breaks=("PUSH-SESSION-CLOSED-AFTER-201",),
        also=("PUSH-SESSION-UNKNOWN-404",),
        apply=_nothing_to_rename,
    ),
    Fault(
        name="referrer-over-64-kib-not-indexed",
        title="A manifest with a subject that is longer than 64 KiB is in no list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-ANNOTATIONS",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_indexed_from_a_buffer,
    ),
    Fault(
        name="cancel-beyond-64-kib-without-effect",
        title="The cancellation of an upload that has more than 64 KiB is answered 204, and the upload goes on.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-CANCEL-NO-BLOB", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_cancelled_in_memory,
    ),
    Fault(
        name="empty-blob-survives-its-deletion",
        title="The blob of no bytes is still served after its deletion.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=("MGMT-BLOB-DELETE-HEAD-404",),
        apply=_empty_made_up,
    ),
    Fault(
        name="session-of-one-byte-taken-for-fresh",
        title="An upload that received one byte forgets it when the next request comes.",
        breaks=("PUSH-PATCH-STATUS-202",),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-STATUS-RESUME",
        ),
        apply=_one_byte_is_none,
    ),
    Fault(
        name="blob-of-64k-between-two-stores",
        title="A blob of exactly 65,536 bytes is found by HEAD and not by GET.",
        breaks=("PULL-BLOB-GET-200",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-BLOB-KEPT",
        ),
        apply=_neither_inline_nor_file,
    ),
    Fault(
        name="large-blob-not-verified",
        title="A blob of 1 MiB or more is stored under whatever digest the client gives.",
        breaks=("PUSH-PUT-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-PUT-DIGEST-MISMATCH-400",
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
            "PUSH-BLOB-SHA512-MISMATCH-REJECTED",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        apply=_large_unverified,
    ),
    Fault(
        name="blob-of-64k-loses-last-byte",
        title="A blob of exactly 65,536 bytes is pulled without its last byte.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-BLOB-KEPT",
        ),
        apply=_room_for_the_end,
    ),
    Fault(
        name="range-in-tail-block-416",
        title="A range that begins behind the last whole 64 KiB of a blob is answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=_tail_block,
    ),
)
