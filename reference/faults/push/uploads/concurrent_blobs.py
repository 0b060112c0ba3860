"""Faults of uploads at the same time."""

from __future__ import annotations

from collections import defaultdict

from reference import errors
from reference.app import Registry
from reference.faults.push.shared import met
from reference.faults.shared import served_instead
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, override


def _halved(registry: Registry) -> None:
    """A blob that is written by several at once is cut."""
    halves: dict[str, bytes | None] = {}
    served_instead(registry, halves)

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
    """The order of a chunk is checked when its request begins, and not when it is stored."""

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
    served_instead(registry, stored)

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


FAULTS = (
    Fault(
        name="concurrent-blob-cut",
        title="A blob that several clients push at the same time is cut.",
        breaks=("PUSH-CONCURRENT-BLOB-WHOLE",),
        apply=_halved,
    ),
    Fault(
        name="concurrent-mounts-lost",
        title="Blobs that are mounted into one repository at the same time cannot be pulled.",
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
)
