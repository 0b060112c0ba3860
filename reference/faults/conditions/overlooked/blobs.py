"""Faults of pulls of blobs: headers that real clients send, repeated content, repositories above."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import refused
from reference.messages import Content, Request, Response
from reference.modifications import Fault, override
from reference.storage import Upload
from reference.storage.memory import MemoryContent, MemoryUpload

_BLOCK = 4096
#: Bytes of a blob that is kept in the row of its repository, at most.
_INLINE = 8
#: What a blob is sent as, and what stands for that.
_SENT_AS = frozenset({"application/octet-stream", "application/*"})


def _admits_no_bytes(request: Request) -> bool:
    """Whether the types of Accept, compared as they are, lack that of each blob; a lone wildcard is no list."""
    accept = ",".join(request.headers.all("accept"))
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return bool(accept) and kinds != {"*/*"} and not kinds & _SENT_AS


def takes_gzip(request: Request) -> bool:
    """Whether a client takes gzip."""
    return "gzip" in [part.strip() for part in request.headers.get("accept-encoding").lower().split(",")]


def _ranges_of_the_packed(registry: Registry) -> None:
    """What is sent is packed first, and the range is cut from that; the coding is declared for whole answers alone."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        ranged = request.method == "GET" and request.headers.get("range") and takes_gzip(request)
        if ranged and isinstance(content, MemoryContent):
            content = MemoryContent(gzip.compress(content.data, mtime=0))
        return respond(request, content, headers)

    override(registry.blobs, respond=changed)


def _no_blanks(registry: Registry) -> None:
    """A position that does not begin with a digit is none."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        parts = request.headers.get("range").partition("=")[2].split(",")
        if request.method == "GET" and any(part[:1].isspace() for part in parts[1:]):
            return []
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _blocks_once(registry: Registry) -> None:
    """A store of blocks writes no block that it has just written."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        if isinstance(upload, MemoryUpload):
            data = bytes(upload.data)
            blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
            kept = [block for number, block in enumerate(blocks) if not number or block != blocks[number - 1]]
            upload.data[:] = b"".join(kept)
        commit(upload, digests)

    override(registry.storage, commit_upload=changed)


def _by_prefix(registry: Registry) -> None:
    """A blob is looked for among all keys that begin with the name of the repository and a slash.

    The smallest have no key of their own: they stand beside the name of each repository that has them.
    """
    find, storage = registry.blobs.find, registry.storage

    def changed(name: str, digest: str) -> Content | None:
        own = find(name, digest)
        if own is not None:
            return own
        below = (find(other, digest) for other in list(storage.repositories()) if other.startswith(f"{name}/"))
        return next((found for found in below if found is not None and found.size > _INLINE), None)

    override(registry.blobs, find=changed)


FAULTS = (
    Fault(
        name="blob-not-acceptable-by-its-media-type",
        title="GET of a blob whose Accept has the type of its layer and */* is answered 406.",
        breaks=(
            "PULL-BLOB-GET-200",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
        ),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-CONSIST-REPEATABLE",
        ),
        apply=refused("blob.get", when=_admits_no_bytes, error=lambda _request: errors.RegistryError(406)),
    ),
    Fault(
        name="range-cut-from-packed-blob",
        title="A range of a blob for a client that takes gzip is one of the packed blob, and not declared so.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE", "PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-UNSUPPORTED-200"),
        apply=_ranges_of_the_packed,
    ),
    Fault(
        name="ranges-apart-by-blanks-refused",
        title="Several ranges with a blank behind their commas are answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=("PULL-BLOB-RANGE-MULTI",),
        apply=_no_blanks,
    ),
    Fault(
        name="repeated-block-left-out",
        title="A blob is served without each 4 KiB of it that are the same as the 4 KiB before, as in runs of zeros.",
        breaks=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        also=(
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-BLOB-GET-DCD-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-PUT-LOCATION-PULLABLE",
        ),
        apply=_blocks_once,
    ),
    Fault(
        name="blob-served-above-its-repository",
        title="A blob is served in the repositories above the one that holds it: that of a/b/c in a/b.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-HEAD-OTHER-REPO-404", "MGMT-BLOB-DELETE-GET-404", "MGMT-BLOB-DELETE-HEAD-404"),
        apply=_by_prefix,
    ),
)
