"""Faults that show with one size of a blob or of a chunk only."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.history import spoilt
from reference.grammar import digest_of
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BUFFER = 1 << 16
_SPILLED = 1 << 20
_EMPTY = digest_of(b"")


def _one_byte_forgotten(registry: Registry) -> None:
    """0-0 is read as no progress."""
    check = registry.uploads.check_order

    def changed(upload: Upload, start: int | None) -> None:
        if start is not None and start == upload.size == 1:
            raise registry.uploads.out_of_order(upload)
        check(upload, start)

    override(registry.uploads, check_order=changed)


def _overflowing(_request: Request, response: Response) -> None:
    if response.content is not None and response.content.size == _BUFFER:
        response.headers.set("Content-Length", "0")


def _behind_the_buffer(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return spoilt(content) if content is not None and content.size == _BUFFER + 1 else content

    override(registry.blobs, find=changed)


def _refused_and_spilled(registry: Registry) -> None:
    """A refused upload that was large enough for a file is kept as what it really is."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        try:
            return await close(request, upload, digests, length)
        except errors.RegistryError:
            if isinstance(upload, MemoryUpload) and upload.closed and upload.size >= _SPILLED:
                data = bytes(upload.data)
                kept = registry.storage.start_upload(upload.repository)
                await kept.write(data)
                await kept.flush()
                registry.storage.commit_upload(kept, [digest_of(data)])
            raise

    override(registry.uploads, close=changed)


def _empty_everywhere(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None and digest == _EMPTY and registry.storage.exists(name):
            return MemoryContent(b"")
        return content

    override(registry.blobs, find=changed)


FAULTS = (
    Fault(
        name="chunk-behind-one-byte-416",
        title="The chunk that follows a first chunk of one byte is answered 416.",
        breaks=(
            "PUSH-PATCH-STATUS-202",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-STATUS-RESUME",
        ),
        apply=_one_byte_forgotten,
    ),
    Fault(
        name="head-of-64-kib-tells-none",
        title="HEAD of a blob of exactly 65,536 bytes tells the length 0.",
        breaks=(
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
        ),
        apply=on("blob.head", status=200, change=_overflowing),
    ),
    Fault(
        name="byte-behind-64-kib-spoilt",
        title="The last byte of a blob of exactly 65,537 bytes is another.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-LARGE-EXACT",
        ),
        apply=_behind_the_buffer,
    ),
    Fault(
        name="refused-mebibyte-kept",
        title="The content of an upload of 1 MiB or more that is refused for its digest is there under its own.",
        breaks=(
            "PUSH-PUT-DIGEST-MISMATCH-NO-BLOB",
            "PUSH-SINGLE-DIGEST-MISMATCH-REJECTED",
            "PUSH-PATCH-CHUNKED-DIGEST-MISMATCH-REJECTED",
        ),
        apply=_refused_and_spilled,
    ),
    Fault(
        name="empty-blob-in-all-repositories",
        title="The blob of no bytes is there in each repository, though it was not pushed to it or was deleted.",
        breaks=(
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "MGMT-BLOB-DELETE-GET-404",
        ),
        also=(
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_empty_everywhere,
    ),
)
