"""Faults of sizes and ranges of blobs."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override

_SIZE = 4096


@around("upload.patch")
async def _chunk_dropped(registry: Registry, request: Request, handler: Handler) -> Response:
    """A chunk of exactly 4096 bytes is counted and not kept."""
    upload = registry.uploads.find(request)
    mark = upload.mark()
    response = await handler(request)
    if upload.size - mark.size == _SIZE:
        await upload.rollback(mark)
        await upload.write(b"\0" * _SIZE)
        await upload.flush()
    return response


def _short_blob_without_ranges(registry: Registry) -> None:
    """A blob of fewer than three bytes has no range."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [] if found and size < 3 else found

    override(registry.blobs, ranges=changed)


FAULTS = (
    Fault(
        name="chunk-of-4096-dropped",
        title="A chunk of exactly 4096 bytes is taken and replaced by zeros.",
        # Whichever scenario of chunks the search finds it with.
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-FINAL-CHUNK-CLOSES", "PUSH-SESSION-PARALLEL-ISOLATED"),
        apply=_chunk_dropped,
    ),
    Fault(
        name="range-of-short-blob-refused",
        title="A range of a blob of one or two bytes returns 416.",
        breaks=(
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
        ),
        apply=_short_blob_without_ranges,
    ),
)
