"""Faults of blobs that show only where requests meet."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from reference import errors
from reference.app import Registry
from reference.faults.concurrency import MEETING, met
from reference.faults.sessions import content_of
from reference.grammar import digest_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryContent

#: Only downloads that take a while are dropped.
_LONG = 1 << 19


def served(registry: Registry, other: dict[str, bytes | None]) -> None:
    """Serve other bytes, or nothing, under some digests."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is None or digest not in other:
            return found
        content = other[digest]
        return MemoryContent(content) if content is not None else None

    override(registry.blobs, find=changed)


def _halved(registry: Registry) -> None:
    """A blob that is written by several at once is cut."""
    halves: dict[str, bytes | None] = {}
    served(registry, halves)

    def cut(_registry: Registry, request: Request, response: Response) -> Response:
        if response.status == 201:
            halves[request.query.get("digest") or ""] = b"half"
        return response

    met("upload.put", lambda request: request.query.get("digest"), cut)(registry)


def _mounts_lost(registry: Registry) -> None:
    """Of mounts into one repository at the same time the blobs are forgotten."""
    lost = set[tuple[str, str]]()
    find = registry.blobs.find

    def forget(_registry: Registry, request: Request, response: Response) -> Response:
        lost.add((request.name, request.query.get("mount") or ""))
        return response

    override(registry.blobs, find=lambda name, digest: None if (name, digest) in lost else find(name, digest))
    met("upload.mount", lambda request: request.name, forget)(registry)


def _unlocked_chunks(registry: Registry) -> None:
    """The order of a chunk is looked at when its request begins, and not again when it is stored."""

    async def patch(request: Request) -> Response:
        uploads = registry.uploads
        upload = uploads.find(request)
        start, length = uploads.chunk(request, upload)
        uploads.check_order(upload, start)
        uploads.check_length(length, request.content_length)
        data = b"".join([piece async for piece in request.pieces()])
        uploads.check_length(length, len(data))
        await upload.write(data)
        await upload.flush()
        return uploads.accepted(upload)

    registry.handlers["upload.patch"] = patch


def _unlocked_close(registry: Registry) -> None:
    """Each close of an upload verifies what it sent itself, and stores what all of them sent."""
    sent: dict[str, bytes] = defaultdict(bytes)
    stored: dict[str, bytes | None] = {}
    put = registry.handlers["upload.put"]
    served(registry, stored)

    async def changed(request: Request) -> Response:
        upload = registry.uploads.find(request)
        if upload.size or request.query.get("digest") is None:
            return await put(request)
        own = b"".join([piece async for piece in request.pieces()])
        digest = registry.uploads.digests(request)[0]
        if digest_of(own, digest.split(":", 1)[0]) != digest:
            registry.storage.discard_upload(upload)
            raise errors.digest_invalid(digest)
        sent[upload.identifier] += own
        if upload.closed:
            stored[digest] = sent[upload.identifier]
            return registry.uploads.created(request.name, digest)
        await upload.write(own)
        await upload.flush()
        registry.storage.commit_upload(upload, [digest])
        return registry.uploads.created(request.name, digest)

    registry.handlers["upload.put"] = changed


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
        # Until the end it is taken for dropped: the next request may come before this one sees that it was.
        self._dropped[self._request.reference] = b"what was sent before the connection broke"
        async with aclosing(self._content.chunks(start, length)) as chunks:
            async for piece in chunks:
                yield piece
        with suppress(TimeoutError):
            while (await asyncio.wait_for(self._request._receive(), MEETING))["type"] != "http.disconnect":
                pass
            return
        self._dropped.pop(self._request.reference, None)

    def close(self) -> None:
        """Give up what is held open."""
        self._content.close()


def _spoilt_by_a_drop(registry: Registry) -> None:
    dropped: dict[str, bytes | None] = {}
    served(registry, dropped)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.content is not None and response.content.size > _LONG:
                response.content = _Watched(response.content, request, dropped)
            return response

        return changed

    wrap(registry, ("blob.get",), around)


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="concurrent-blob-cut",
        title="A blob that several clients push at the same time is cut.",
        breaks=("PUSH-CONCURRENT-BLOB-WHOLE",),
        apply=_halved,
    ),
    Fault(
        name="concurrent-mounts-lost",
        title="Of blobs that are mounted into one repository at the same time none can be pulled.",
        breaks=("PUSH-CONCURRENT-MOUNT-AVAILABLE",),
        apply=_mounts_lost,
    ),
    Fault(
        name="concurrent-chunks-both",
        title="Two chunks for the same place that are sent at the same time are both appended.",
        breaks=("PUSH-CONCURRENT-CHUNKS-ONE",),
        apply=_unlocked_chunks,
    ),
    Fault(
        name="concurrent-close-mixed",
        title="An upload that two clients close at the same time becomes a blob of what both have sent.",
        breaks=("PUSH-CONCURRENT-CHUNKS-NOT-MIXED",),
        apply=_unlocked_close,
    ),
    Fault(
        name="upload-shown-in-part",
        title="A blob can be pulled while the last request of its upload is under way.",
        breaks=("PULL-CONCURRENT-UPLOAD-NO-PART",),
        # Until the registry sees that the connection of a close broke.
        also=(
            "PUSH-PUT-TRUNCATED-NO-BLOB",
            "PUSH-PUT-TRUNCATED-CHUNKED-NO-BLOB",
        ),
        apply=_part_shown,
    ),
    Fault(
        name="dropped-download-spoils",
        title="After a download that its client dropped the blob is served as far as it was sent.",
        breaks=("PULL-BLOB-DROPPED-DOWNLOAD",),
        apply=_spoilt_by_a_drop,
    ),
)
