"""Variants of ranges of blobs."""

from __future__ import annotations

from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Variant, drop_header, on, override
from reference.storage.memory import MemoryContent

_BLOBS = ("blob.get", "blob.head")
_PART = 100


def _part(_request: Request, response: Response) -> None:
    """Name a part by a digest of its own."""
    if isinstance(response.content, MemoryContent) and len(response.parts) == 1:
        start, length = map(int, response.parts[0])
        own = digest_of(response.content.data[start : start + length])
        response.headers.set("Docker-Content-Digest", own)


def _whole(registry: Registry) -> None:
    override(registry.blobs, ranges=lambda _request, _size: None)
    on(*_BLOBS, change=drop_header("Accept-Ranges"))(registry)


def _malformed_416(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        header = request.headers.get("range")
        malformed = found is None and header.startswith("bytes") and not request.headers.get("if-range")
        return [] if malformed and request.method == "GET" else found

    override(registry.blobs, ranges=changed)


def _several_asked(request: Request) -> bool:
    return "," in request.headers.get("range")


def _several_as_whole(registry: Registry) -> None:
    understood = registry.blobs.ranges
    override(registry.blobs, ranges=lambda r, size: None if _several_asked(r) else understood(r, size))


def _several_refused(registry: Registry) -> None:
    understood = registry.blobs.ranges
    override(registry.blobs, ranges=lambda r, size: [] if _several_asked(r) else understood(r, size))


def _joined(registry: Registry) -> None:
    """What follows the range before it, or overlaps it, makes one part with it."""
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        parts: list[tuple[int, int]] = []
        for start, length in found or ():
            first, before = parts[-1] if parts else (size, 0)
            if first <= start <= first + before:
                parts[-1] = first, max(before, start + length - first)
            else:
                parts.append((start, length))
        return parts if found else found

    override(registry.blobs, ranges=changed)


def _subset(registry: Registry) -> None:
    """No part is longer than a hundred bytes, and the size of the whole is not told."""
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = understood(request, size)
        return None if found is None else [(start, min(length, _PART)) for start, length in found]

    def starred(_request: Request, response: Response) -> None:
        start, _, _size = response.headers.get("Content-Range").partition("/")
        if start:
            response.headers.set("Content-Range", f"{start}/*")

    override(registry.blobs, ranges=changed)
    on("blob.get", status=206, change=starred)(registry)


def _manifest_parts(request: Request, response: Response) -> None:
    """The first byte, for any range."""
    if request.headers.get("range").startswith("bytes=0-"):
        size = len(response.body)
        response.status, response.body = 206, response.body[:1]
        response.headers.set("Content-Range", f"bytes 0-0/{size}")


VARIANTS = (
    Variant(
        name="part-with-its-own-digest",
        title="Docker-Content-Digest of a part of a blob is the digest of that part.",
        latitude=("DOCKER-CONTENT-DIGEST-OF-PART",),
        apply=on("blob.get", status=206, change=_part),
    ),
    Variant(
        name="ranges-ignored",
        title="A Range gets 200 with the whole blob.",
        latitude=("RANGE-IGNORED",),
        lacks=("ranges",),
        apply=_whole,
    ),
    Variant(
        name="range-malformed-416",
        title="A malformed Range gets 416.",
        latitude=("RANGE-MALFORMED",),
        apply=_malformed_416,
    ),
    Variant(
        name="range-several-as-whole",
        title="Several ranges get 200 with the whole blob.",
        latitude=("RANGE-MULTIPLE",),
        apply=_several_as_whole,
    ),
    Variant(
        name="range-several-416",
        title="Several ranges get 416.",
        latitude=("RANGE-MULTIPLE",),
        apply=_several_refused,
    ),
    Variant(
        name="ranges-side-by-side-joined",
        title="Ranges that follow each other directly, or overlap, come as one part.",
        latitude=("RANGE-MULTIPLE",),
        apply=_joined,
    ),
    Variant(
        name="range-subset",
        title="A 206 holds a hundred bytes at most, and does not tell the size of the whole.",
        latitude=("RANGE-ANSWER-SUBSET",),
        apply=_subset,
    ),
    Variant(
        name="manifest-ranges",
        title="A Range of a manifest gets 206.",
        latitude=("RANGE-ON-MANIFEST",),
        apply=on("manifest.get", status=200, change=_manifest_parts),
    ),
)
