"""Faults of large and odd content of uploads."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from reference import errors
from reference.app import Registry
from reference.faults.shared import blobs_rewritten
from reference.messages import Content, Request
from reference.modifications import Fault, override
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_SPOILT_AT = 3 << 20
_PAGE = b"<!DOCTYPE html>"


class _Spoilt:
    """Content with one byte of another value."""

    def __init__(self, content: Content, position: int) -> None:
        self._content = content
        self._position = position
        self.size = content.size

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes, one of them changed."""
        async for piece in self._content.chunks(start, length):
            at = self._position - start
            start += len(piece)
            yield piece if not 0 <= at < len(piece) else piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]

    def close(self) -> None:
        """Give up what is held open."""
        self._content.close()


def _spoilt(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return content if content is None or content.size <= _SPOILT_AT else _Spoilt(content, _SPOILT_AT)

    override(registry.blobs, find=changed)


def _page_refused(registry: Registry) -> None:
    receive = registry.uploads.receive

    async def changed(request: Request, upload: Upload) -> None:
        await receive(request, upload)
        if isinstance(upload, MemoryUpload) and upload.data.startswith(_PAGE):
            raise errors.RegistryError(415)

    override(registry.uploads, receive=changed)


def _reformatted(data: bytes) -> bytes:
    """Write JSON anew, where it is an index."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    known = isinstance(document, dict) and "manifests" in document
    return json.dumps(document, separators=(",", ":")).encode() if known else data


FAULTS = (
    Fault(
        name="blob-large-spoilt",
        title="Blobs have a wrong byte behind their first 3 MiB.",
        breaks=("PUSH-BLOB-LARGE-EXACT",),
        apply=_spoilt,
    ),
    Fault(
        name="blob-of-html-refused",
        title="A blob that is a web page is refused.",
        breaks=("PUSH-BLOB-ODD-CONTENT-EXACT",),
        apply=_page_refused,
    ),
    Fault(
        name="blob-json-rewritten",
        title="Blobs that hold the text of an index are served in another layout.",
        breaks=("PUSH-BLOB-ODD-CONTENT-EXACT",),
        apply=blobs_rewritten(_reformatted),
    ),
)
