"""Faults of blobs that show under one condition alone: one kind, one size, one way in or one way out."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage.memory import MemoryContent

_SEGMENT = 1 << 16
_ZSTD = b"\x28\xb5\x2f\xfd"


def _unpacked_length(_request: Request, response: Response) -> None:
    content = response.content
    if isinstance(content, MemoryContent) and content.data[:4] == _ZSTD:
        response.headers.set("Content-Length", str(content.size * 4))


def _single_byte_anywhere(registry: Registry) -> None:
    """What fits in the row of the index is looked up without the repository."""
    find = registry.storage.open_blob

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is not None:
            return found
        others = (find(other, digest) for other in registry.storage.repositories())
        return next((content for content in others if content is not None and content.size == 1), None)

    override(registry.storage, open_blob=changed)


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


def _page_read_again(_request: Request, response: Response) -> None:
    """Behind the border of a page of 64 KiB the same page is read again."""
    if response.content is None or len(response.parts) != 1 or isinstance(response.parts[0], bytes):
        return
    start, length = response.parts[0]
    border = (start // _SEGMENT + 1) * _SEGMENT
    if start + length > border:
        response.parts = [(start, border - start), (border - _SEGMENT, start + length - border)]


def _last_byte_beyond(registry: Registry) -> None:
    """A range that begins at the last byte is taken for one beyond the end."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        by_number = "=-" not in request.headers.get("range").replace(" ", "")
        return [] if found == [(size - 1, 1)] and by_number and size > 1 else found

    override(registry.blobs, ranges=changed)


def _raw_digest(request: Request, response: Response) -> None:
    raw = request.path.rsplit("/", 1)[1]
    if ":" in request.reference and "%3a" in raw.lower() and response.status < 300:
        response.headers.set("Docker-Content-Digest", raw)


def _sha512_unchanged(registry: Registry) -> None:
    """The validators of sha512 are longer than their column, so any two are alike."""

    def change(request: Request, response: Response) -> Response | None:
        if not request.reference.startswith("sha512:") or "if-none-match" not in request.headers:
            return None
        if response.content is not None:
            response.content.close()
        kept = [pair for pair in response.headers.pairs if pair[0] in ("Docker-Content-Digest", "ETag")]
        return Response(304, kept)

    on("blob.get", "blob.head", "manifest.get", "manifest.head", status=200, change=change)(registry)


FAULTS = (
    Fault(
        name="zstd-head-unpacked-length",
        title="HEAD of a blob that is zstd data tells a length four times as great.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
        ),
        apply=on("blob.head", status=200, change=_unpacked_length),
    ),
    Fault(
        name="blob-of-one-byte-everywhere",
        title="A blob of one byte is served under every repository.",
        breaks=(
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
        ),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        apply=_single_byte_anywhere,
    ),
    Fault(
        name="blob-of-65535-head-404",
        title="HEAD of a blob of 65,535 bytes is answered 404.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-KEPT",
        ),
        apply=on("blob.head", status=200, change=_sentinel),
    ),
    Fault(
        name="blob-of-65537-left-in-part",
        title="A blob of 65,537 bytes that was deleted is still served but for its last byte.",
        breaks=(
            "MGMT-BLOB-DELETE-GET-404",
            "MGMT-BLOB-DELETE-HEAD-404",
        ),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-GET-UNKNOWN-404",
        ),
        apply=_first_segment_left,
    ),
    Fault(
        name="sha512-always-unchanged",
        title="Any If-None-Match on what is asked for by its sha512 digest is answered 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        also=(
            "PULL-MANIFEST-SHA512",
            "BASE-DIGEST-SHA512",
        ),
        apply=_sha512_unchanged,
    ),
    Fault(
        name="range-across-page-read-again",
        title="A range that crosses a border of 64 KiB has the bytes ahead of it for those behind it.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_page_read_again),
    ),
    Fault(
        name="range-of-last-byte-refused",
        title="A range that begins at the last byte of a blob is answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-CLIPPED",
        ),
        apply=_last_byte_beyond,
    ),
    Fault(
        name="digest-header-as-encoded",
        title="Docker-Content-Digest of what is asked for by a percent-encoded digest is percent-encoded.",
        breaks=("BASE-DIGEST-HEADER-GRAMMAR",),
        also=(
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-DCD-TRUE",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
        ),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", change=_raw_digest),
    ),
)
