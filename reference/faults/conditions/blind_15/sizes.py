"""Faults that show at one size."""

from __future__ import annotations

from collections.abc import Iterable

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryStorage, MemoryUpload

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


FAULTS = (
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
)
