"""Faults of ranges of blobs that show at some offsets and lengths."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from reference.app import Registry
from reference.faults.shared import gzip_unpacked
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.resources import ranges
from reference.storage.memory import MemoryContent

_WINDOW = 1 << 16
_OFFSET = 1 << 16
_BUFFER = 1 << 16
_SEGMENT = 1 << 16
_BLOCK = 1 << 16
#: The shortest gzip file: header, an empty block and trailer.
_GZIP_LEAST = 18
_GZIP = b"\x1f\x8b\x08"


def _window_from_its_start(registry: Registry) -> None:
    """The offset of a range is taken within a window of 64 KiB, and the window is always the first."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 206:
            response.parts = [
                part if isinstance(part, bytes) else (part[0] % _WINDOW, part[1]) for part in response.parts
            ]
        return response

    override(registry.blobs, respond=changed)


def _offset_wraps(_request: Request, response: Response) -> None:
    """An offset of sixteen bits."""
    if len(response.parts) == 1 and isinstance(response.parts[0], tuple):
        start, length = response.parts[0]
        response.parts = [(start % _OFFSET, length)]


def _seam_spoilt(_request: Request, response: Response) -> None:
    """The second buffer begins with the last byte of the first."""
    parts = [part for part in response.parts if not isinstance(part, bytes)]
    across = any(start < _BUFFER < start + length for start, length in parts)
    if across and isinstance(response.content, MemoryContent):
        data = bytearray(response.content.data)
        data[_BUFFER] = data[_BUFFER] ^ 0xFF
        response.stream(MemoryContent(bytes(data)), response.parts)


def _page_read_again(_request: Request, response: Response) -> None:
    """Behind the border of a page of 64 KiB the same page is read again."""
    if response.content is None or len(response.parts) != 1 or isinstance(response.parts[0], bytes):
        return
    start, length = response.parts[0]
    border = (start // _SEGMENT + 1) * _SEGMENT
    if start + length > border:
        response.parts = [(start, border - start), (border - _SEGMENT, start + length - border)]


def _again_at_the_buffer(request: Request, response: Response) -> None:
    """The second buffer of a range is filled from the beginning."""
    if response.content is None or len(response.parts) != 1 or not request.headers.get("range"):
        return
    part = response.parts[0]
    if isinstance(part, bytes):
        return
    start, length = part
    if start < _BUFFER < start + length:
        response.stream(response.content, [(start, _BUFFER - start), (0, start + length - _BUFFER)])


class _Blocks(MemoryContent):
    """Content that is read through one block; its position is not set back when the next one is loaded."""

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes, as far as the first block goes."""
        block = bytearray(_BLOCK)
        number, position = divmod(start, _BLOCK)
        skipped = position
        while length > 0:
            loaded = self.data[number * _BLOCK : (number + 1) * _BLOCK]
            block[: len(loaded)] = loaded
            size = min(length, _BLOCK - skipped)
            yield bytes((block[position:] + block[:position])[:size])
            number, skipped, length = number + 1, 0, length - size


def _one_block(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return _Blocks(content.data) if isinstance(content, MemoryContent) else content

    override(registry.blobs, find=changed)


def _ranges_of_unpacked(registry: Registry) -> None:
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        packed = isinstance(content, MemoryContent) and content.data.startswith(b"\x1f\x8b")
        if packed and registry.blobs.ranges(request, content.size) is not None:
            content = MemoryContent(gzip_unpacked(content.data))  # type: ignore[attr-defined]  # it is one in memory
        return respond(request, content, headers)

    override(registry.blobs, respond=changed)


def _within_a_block(_request: Request, response: Response) -> None:
    """The reader seeks within its block, and forgets which block."""
    response.parts = [part if isinstance(part, bytes) else (part[0] % _BLOCK, part[1]) for part in response.parts]


def _whole_unpacked(_request: Request, response: Response) -> None:
    """The size of the whole is what the trailer of the gzip file says."""
    content = response.content
    part = response.parts[0]
    if not isinstance(content, MemoryContent) or isinstance(part, bytes) or content.size < _GZIP_LEAST:
        return
    if content.data.startswith(_GZIP):
        unpacked = int.from_bytes(content.data[-4:], "little")
        response.headers.set("Content-Range", ranges.content_range(part, unpacked))


def _past_the_links(registry: Registry) -> None:
    """Ranges are read from the store of all repositories."""
    get = registry.handlers["blob.get"]
    storage = registry.storage

    async def changed(request: Request) -> Response:
        if request.headers.get("range") and not storage.has_blob(request.name, request.reference):
            holders = (name for name in storage.repositories() if storage.has_blob(name, request.reference))
            request.name = next(holders, request.name)
        return await get(request)

    registry.handlers["blob.get"] = changed


def _range_within_block(registry: Registry) -> None:
    """Of the position of a range only the offset within its block is used."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 206 and len(response.parts) == 1 and isinstance(response.parts[0], tuple):
            start, length = response.parts[0]
            response.parts = [(start % _BLOCK, length)]
        return response

    override(registry.blobs, respond=changed)


def _range_of_any_repository(registry: Registry) -> None:
    """A range is read from the store of contents, which knows no repositories."""
    get, storage = registry.handlers["blob.get"], registry.storage

    async def changed(request: Request) -> Response:
        if request.headers.get("range") and not storage.has_blob(request.name, request.reference):
            holders = (name for name in storage.repositories() if storage.has_blob(name, request.reference))
            request.name = next(holders, request.name)
        return await get(request)

    registry.handlers["blob.get"] = changed


FAULTS = (
    Fault(
        name="range-in-first-64-kib",
        title="A range that begins behind the first 64 KiB has the bytes of the same place within the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_window_from_its_start,
    ),
    Fault(
        name="range-offset-of-sixteen-bits",
        title="A range that begins at 65,536 or later has the bytes from its offset modulo 65,536 on.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-CLIPPED"),
        apply=on("blob.get", status=206, change=_offset_wraps),
    ),
    Fault(
        name="range-across-buffers-spoilt",
        title="A range that goes across the first 64 KiB has another byte behind them.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-GET-BODY-EXACT",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-MULTI",
        ),
        apply=on("blob.get", status=206, change=_seam_spoilt),
    ),
    Fault(
        name="range-across-page-read-again",
        title="A range that crosses a border of 64 KiB has the bytes ahead of it for those behind it.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_page_read_again),
    ),
    Fault(
        name="range-again-at-buffer",
        title="A range that goes on behind the first 64 KiB of a blob has the first bytes of the blob from there on.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
        ),
        apply=on("blob.get", status=206, change=_again_at_the_buffer),
    ),
    Fault(
        name="range-across-blocks",
        title="A range across a multiple of 64 KiB has wrong bytes behind that place.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-CLIPPED"),
        apply=_one_block,
    ),
    Fault(
        name="range-of-gzip-unpacked",
        title="A range of a blob that is gzip data is one of what it unpacks to.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-416",
            "PULL-BLOB-RANGE-416-SIZE",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
        ),
        apply=_ranges_of_unpacked,
    ),
    Fault(
        name="range-within-a-block",
        title="A range that begins beyond 64 KiB has the bytes at the same place of the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=on("blob.get", status=206, change=_within_a_block),
    ),
    Fault(
        name="content-range-of-unpacked-gzip",
        title="The Content-Range of a part of a gzip file names the size of what is packed in it.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-BLOB-RANGE-MULTI",
        ),
        apply=on("blob.get", status=206, change=_whole_unpacked),
    ),
    Fault(
        name="range-of-the-second-buffer",
        title="A range that begins beyond 64 KiB has the bytes of the same place in the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=on("blob.get", status=206, change=_within_a_block),
    ),
    Fault(
        name="range-of-other-repository",
        title="A request with a range finds a blob that only another repository holds.",
        breaks=(
            "PULL-BLOB-OTHER-REPO-404",
            "MGMT-BLOB-DELETE-GET-404",
        ),
        also=(
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-HEAD-UNKNOWN-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
        ),
        apply=_past_the_links,
    ),
    Fault(
        name="range-offset-within-64-kib",
        title="A range that begins behind the first 64 KiB has the bytes of the same place within the first 64 KiB.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-CLIPPED"),
        apply=_range_within_block,
    ),
    Fault(
        name="range-of-any-repository",
        title="A range of a blob is given under every repository.",
        breaks=("PULL-BLOB-OTHER-REPO-404",),
        also=("PULL-BLOB-GET-UNKNOWN-404", "PULL-BLOB-GET-UNKNOWN-REPO-404", "MGMT-BLOB-DELETE-GET-404"),
        apply=_range_of_any_repository,
    ),
)
