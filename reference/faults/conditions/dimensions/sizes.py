"""Faults that depend on a size."""

from __future__ import annotations

import gzip

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.dimensions.shared import before_commit, described
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on
from reference.storage import Manifest, Upload

_COLUMN = 255
_BLOCK = 1 << 16
_SMALL = 4096


def _annotations_cut(_manifest: Manifest, descriptor: Json) -> None:
    """The values are in a column of a fixed width."""
    if "annotations" in descriptor:
        descriptor["annotations"] = {key: value[:_COLUMN] for key, value in descriptor["annotations"].items()}


@around("upload.patch")
async def _one_byte_is_none(registry: Registry, request: Request, handler: Handler) -> Response:
    """Where the range ends as it begins there is nothing to be stored."""
    first, _, last = request.headers.get("content-range").strip().partition("-")
    upload = registry.uploads.find(request)
    if first and first == last and first == str(upload.size):
        async for _piece in request.pieces():
            pass
        return registry.uploads.accepted(upload)
    return await handler(request)


def _last_block_lost(registry: Registry) -> None:
    """What is left in the buffer is written, and a full buffer is none that is left."""

    def edit(_upload: Upload, _digests: list[str], data: bytearray) -> None:
        if data and len(data) % _BLOCK == 0:
            del data[-_BLOCK:]

    before_commit(registry, edit)


def _packed_twice(request: Request, response: Response) -> None:
    """The application packs what is large, and so does what stands before it."""
    codings = [each.strip() for each in request.headers.get("accept-encoding").lower().split(",")]
    if "gzip" in codings and len(response.body) > _SMALL:
        response.body = gzip.compress(gzip.compress(response.body, mtime=0), mtime=0)
        response.headers.set("Content-Encoding", "gzip")


FAULTS = (
    Fault(
        name="referrer-annotations-cut-at-255",
        title="The annotations of a referrer are listed up to their 255th character.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=described(_annotations_cut),
    ),
    Fault(
        name="chunk-of-one-byte-skipped",
        title="A chunk of one byte is accepted, and is not in the upload.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PATCH-RANGE-VALUE"),
        apply=_one_byte_is_none,
    ),
    Fault(
        name="blob-of-whole-blocks-loses-the-last",
        title="A blob whose size is a multiple of 64 KiB is stored without its last 64 KiB.",
        breaks=(
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PULL-BLOB-GET-BODY-EXACT",
        ),
        also=("PUSH-BLOB-LARGE-EXACT",),
        apply=_last_block_lost,
    ),
    Fault(
        name="larger-manifest-packed-twice",
        title="A manifest above 4 KiB is packed twice for a client that takes gzip, and declared as packed once.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE",),
        apply=on("manifest.get", status=200, change=_packed_twice),
    ),
)
