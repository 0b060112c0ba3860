"""Faults of pulls beside pushes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from reference.app import Registry
from reference.faults.shared import content_of, served_instead
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Upload

#: Only downloads that take a while are dropped.
_LONG = 1 << 19
#: Seconds in which requests that were sent at the same time have all come.
_MEETING = 0.03


def _part_shown(registry: Registry) -> None:
    """A blob can be pulled as soon as its upload is being closed."""
    open_: dict[tuple[str, str], Upload] = {}
    close, find = registry.uploads.close, registry.blobs.find

    async def shown(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        open_[request.name, digests[0]] = upload
        try:
            return await close(request, upload, digests, length)
        finally:
            open_.pop((request.name, digests[0]), None)

    def changed(name: str, digest: str) -> Content | None:
        upload = open_.get((name, digest))
        return content_of(upload) if upload is not None else find(name, digest)

    override(registry.uploads, close=shown)
    override(registry.blobs, find=changed)


class _Watched:
    """Content that knows whether its reader went away."""

    def __init__(self, content: Content, request: Request, dropped: dict[str, bytes | None]) -> None:
        self._content = content
        self._request = request
        self._dropped = dropped
        self.size = content.size

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes, and then a look at the connection."""
        # Until the end it is taken for dropped: the next request may come before this one sees that
        # it was.
        self._dropped[self._request.reference] = b"what was sent before the connection broke"
        async with aclosing(self._content.chunks(start, length)) as chunks:
            async for piece in chunks:
                yield piece
        with suppress(TimeoutError):
            while (await asyncio.wait_for(self._request._receive(), _MEETING))["type"] != "http.disconnect":
                pass
            return
        self._dropped.pop(self._request.reference, None)

    def close(self) -> None:
        """Give up what is held open."""
        self._content.close()


def _spoilt_by_a_drop(registry: Registry) -> None:
    dropped: dict[str, bytes | None] = {}
    served_instead(registry, dropped)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.content is not None and response.content.size > _LONG:
                response.content = _Watched(response.content, request, dropped)
            return response

        return changed

    wrap(registry, ("blob.get",), around)


FAULTS = (
    Fault(
        name="upload-shown-in-part",
        title="A blob can be pulled while the last request of its upload is under way.",
        breaks=("PULL-CONCURRENT-UPLOAD-NO-PART",),
        # Until the registry sees that the connection of a close broke.
        also=("PUSH-PUT-TRUNCATED-NO-BLOB", "PUSH-PUT-TRUNCATED-CHUNKED-NO-BLOB"),
        apply=_part_shown,
    ),
    Fault(
        name="dropped-download-truncates-blob",
        title="A blob whose download a client dropped is served as far as it was sent.",
        breaks=("PULL-BLOB-DROPPED-DOWNLOAD",),
        apply=_spoilt_by_a_drop,
    ),
)
