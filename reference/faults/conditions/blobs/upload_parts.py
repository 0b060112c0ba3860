"""Faults of uploads that show with one order, place or content of their parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.grammar import new_hash
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Mark, Upload
from reference.storage.memory import MemoryUpload


def _offsets_as_text(registry: Registry) -> None:
    """Each part of an upload is a file that is named by its offset; they are joined in the order of their names."""
    starts: defaultdict[str, set[int]] = defaultdict(set)
    receive, commit = registry.uploads.receive, registry.storage.commit_upload

    async def noted(request: Request, upload: Upload) -> None:
        start = upload.size
        await receive(request, upload)
        if upload.size > start:
            starts[upload.identifier].add(start)

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        cuts = sorted(start for start in starts.pop(upload.identifier, ()) if start < upload.size)
        if isinstance(upload, MemoryUpload) and cuts:
            ends = [*cuts[1:], upload.size]
            parts = {str(start): bytes(upload.data[start:end]) for start, end in zip(cuts, ends, strict=True)}
            upload.data[:] = b"".join(parts[name] for name in sorted(parts))
        commit(upload, digests)

    override(registry.uploads, receive=noted)
    override(registry.storage, commit_upload=changed)


def _opened_for_writing(registry: Registry) -> None:
    """A chunk without data opens the file and does not seek in it."""
    receive = registry.uploads.receive

    async def changed(request: Request, upload: Upload) -> None:
        before = upload.mark()
        await receive(request, upload)
        if request.method == "PATCH" and upload.size == before.size:
            await upload.rollback(Mark(0, before.algorithm, new_hash(before.algorithm)))

    override(registry.uploads, receive=changed)


def _padding_removed(registry: Registry) -> None:
    """Blocks are filled up with zeros, and all zeros at the end are taken for such."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            upload.data[:] = upload.data.rstrip(b"\0")
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _hashed_first(registry: Registry) -> None:
    """What comes is hashed as it comes; whether it is wanted is looked at afterwards."""
    patch = registry.handlers["upload.patch"]

    async def changed(request: Request) -> Response:
        try:
            return await patch(request)
        except errors.RegistryError as error:
            if error.status == 416:
                upload = registry.uploads.find(request)
                async for piece in request.pieces():
                    if upload._state is not None:
                        upload._state.update(piece)
            raise

    registry.handlers["upload.patch"] = changed


FAULTS = (
    Fault(
        name="chunks-by-offset-as-text",
        title="Chunks are stored in the alphabetical order of their offsets: that at 16384 before that at 8192.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-BLOB-LARGE-EXACT",
            "PUSH-BLOB-BINARY-EXACT",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-SESSION-PARALLEL-ISOLATED",
        ),
        apply=_offsets_as_text,
    ),
    Fault(
        name="empty-chunk-empties-the-upload",
        title="A PATCH without data to an upload that has some is answered 202, and the data are gone.",
        breaks=("PUSH-PATCH-RANGE-VALUE",),
        also=(
            "PUSH-PATCH-STREAM-RANGE-VALUE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-RESUME",
            "PUSH-PATCH-STATUS-202",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
        ),
        apply=_opened_for_writing,
    ),
    Fault(
        name="zeros-at-the-end-lost",
        title="A blob that ends with zero bytes is stored without them.",
        breaks=("PUSH-BLOB-BINARY-EXACT", "PULL-BLOB-GET-BODY-EXACT"),
        also=(
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PUSH-BLOB-LARGE-EXACT",
        ),
        apply=_padding_removed,
    ),
    Fault(
        name="refused-chunk-hashed",
        title="An upload in which a chunk was refused with 416 cannot be closed with the digest of what was accepted.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-STATUS-RESUME",
        ),
        apply=_hashed_first,
    ),
)
