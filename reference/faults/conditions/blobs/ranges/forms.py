"""Faults of ranges and conditions of blobs that show in one form of the request."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.faults.conditions.blobs.shared import parts_of
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap

_TAIL = 1 << 16
_FROM_ZERO = re.compile(r"(?<![0-9])0+-(?=[0-9])")


_SUFFIX = re.compile(r"\s*bytes\s*=\s*-([0-9]+)\s*", re.IGNORECASE)


def _zero_is_false(registry: Registry) -> None:
    """Whether a range has a first position is asked of its number."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        if header := request.headers.get("range"):
            request.headers.set("range", _FROM_ZERO.sub("-", header))
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _tag_within(registry: Registry) -> None:
    """If-None-Match is searched for the digest."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.reference in ",".join(request.headers.all("if-none-match")):
                request.headers.set("if-none-match", f'"{request.reference}"')
            return await handler(request)

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)


def _forward_only(registry: Registry) -> None:
    """The parts are read from a stream that does not go back."""
    multipart = registry.blobs.multipart

    def changed(content: Content, wanted: list[tuple[int, int]], headers: list[tuple[str, str]]) -> Response:
        response = multipart(content, wanted, headers)
        position = 0
        parts: list[bytes | tuple[int, int]] = []
        for part in response.parts:
            if isinstance(part, tuple):
                start = min(max(part[0], position), content.size - part[1])
                position = start + part[1]
                parts.append((start, part[1]))
            else:
                parts.append(part)
        response.parts = parts
        return response

    override(registry.blobs, multipart=changed)


def _below_zero(registry: Registry) -> None:
    """The first position of a suffix is a difference without a sign."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        suffix = _SUFFIX.fullmatch(request.headers.get("range"))
        return [] if found and suffix and int(suffix[1]) > size else found

    override(registry.blobs, ranges=changed)


def _tail_in_a_buffer(registry: Registry) -> None:
    """The end of a blob is read into a buffer, and the headers are made of what was asked for."""
    respond = registry.blobs.respond

    def changed(request: Request, content: Content, headers: list[tuple[str, str]]) -> Response:
        response = respond(request, content, headers)
        if response.status == 206 and _SUFFIX.fullmatch(request.headers.get("range").strip()):
            response.parts = [
                (max(content.size - _TAIL, start), min(length, _TAIL)) for start, length in parts_of(response)
            ]
        return response

    override(registry.blobs, respond=changed)


def _merged_by_sum(registry: Registry) -> None:
    """Ranges that overlap are made one, as long as both together."""
    wanted = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        parts = wanted(request, size)
        if not parts or len(parts) == 1:
            return parts
        merged: list[tuple[int, int]] = []
        for start, length in sorted(parts):
            if merged and start < merged[-1][0] + merged[-1][1]:
                first, before = merged.pop()
                merged.append((first, min(before + length, size - first)))
            else:
                merged.append((start, length))
        return merged if len(merged) < len(parts) else parts

    override(registry.blobs, ranges=changed)


def _whole_behind_a_condition(request: Request, response: Response) -> None:
    """The path of conditional requests hands on the headers, and the content from its beginning."""
    if "If-None-Match" in request.headers and "Content-Range" in response.headers and response.content is not None:
        response.parts = [(0, response.content.size)]


FAULTS = (
    Fault(
        name="range-behind-a-condition",
        title="A range with an If-None-Match that does not match gets the whole blob, declared as the part.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-206",
        ),
        apply=on("blob.get", status=206, change=_whole_behind_a_condition),
    ),
    Fault(
        name="overlapping-ranges-summed",
        title="Ranges that overlap get one part that is as long as both and goes on behind them.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-MULTI", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
        apply=_merged_by_sum,
    ),
    Fault(
        name="suffix-of-the-tail-buffer",
        title="A range of the last N bytes has the last 64 KiB alone where N is greater, and says that it has all.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-206"),
        apply=_tail_in_a_buffer,
    ),
    Fault(
        name="range-from-zero-is-a-suffix",
        title="A range with both ends that begins at the first byte, 0-N, is answered with the last N bytes.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-CONTENT-RANGE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-IF-RANGE",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
        ),
        apply=_zero_is_false,
    ),
    Fault(
        name="longer-entity-tag-matches",
        title="An If-None-Match with a tag that has the digest of the blob in it, and more, is answered 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_tag_within,
    ),
    Fault(
        name="ranges-forward-only",
        title="Of several ranges one that lies before the one ahead of it has the bytes that follow that.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=(
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        ),
        apply=_forward_only,
    ),
    Fault(
        name="suffix-beyond-the-beginning-refused",
        title="A suffix range that is longer than the blob is answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-SUFFIX",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
        ),
        apply=_below_zero,
    ),
)
