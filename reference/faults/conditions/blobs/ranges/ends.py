"""Faults of ranges of blobs that show at the first byte or the last."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, on, override

_CLOSED = re.compile(r"bytes=(\d+)-(\d+)")
_SUFFIX = re.compile(r"bytes=-([0-9]+)")


def _last_byte_beyond(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _CLOSED.fullmatch(request.headers.get("range"))
        right = understood(request, size)
        return [] if right and match and int(match[1]) >= size - 1 else right

    override(registry.blobs, ranges=changed)


def _suffix_beyond(registry: Registry) -> None:
    """The beginning of the last N bytes is computed, and must not be negative."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _SUFFIX.fullmatch(request.headers.get("range").strip())
        if match is not None and request.method == "GET" and int(match[1]) > size:
            return []
        return ranges(request, size)

    override(registry.blobs, ranges=changed)


def _last_zero_is_none(registry: Registry) -> None:
    """A last position of 0 counts as none."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [(0, size)] if found == [(0, 1)] and request.headers.get("range").strip() == "bytes=0-0" else found

    override(registry.blobs, ranges=changed)


def _one_byte_without_ranges(registry: Registry) -> None:
    """The last position is taken for the length, so that a blob of one byte has none that can be asked for."""
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        parts = understood(request, size)
        return [] if parts and size == 1 else parts

    override(registry.blobs, ranges=changed)


def _range_of_last_byte_refused(registry: Registry) -> None:
    """A range that begins at the last byte is taken for one beyond the end."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        by_number = "=-" not in request.headers.get("range").replace(" ", "")
        return [] if found == [(size - 1, 1)] and by_number and size > 1 else found

    override(registry.blobs, ranges=changed)


def _beyond_is_last(registry: Registry) -> None:
    """A position behind the end is taken for the last one."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [(size - 1, 1)] if found == [] and size else found

    override(registry.blobs, ranges=changed)


def _last_of_zero(registry: Registry) -> None:
    """Take a last position of 0 for none."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        zero = request.headers.get("range").replace(" ", "").lower() == "bytes=0-0"
        return [(0, size)] if wanted and zero else wanted

    override(registry.blobs, ranges=changed)


def _suffix_to_its_length(request: Request, response: Response) -> None:
    """The end of a suffix is reckoned from its beginning, which was moved to 0."""
    first, separator, last = request.headers.get("range").partition("=-")
    size = response.content.size if response.content else 0
    if first == "bytes" and separator and last.isdecimal() and int(last) > size:
        response.headers.set("Content-Range", f"bytes 0-{int(last) - 1}/{size}")


def _last_byte(registry: Registry) -> None:
    """A range has to begin before the last position, not before the end."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        wanted = ranges(request, size)
        if wanted is None or request.headers.get("range").partition("=")[2].strip().startswith("-"):
            return wanted
        return [part for part in wanted if part[0] != size - 1]

    override(registry.blobs, ranges=changed)


FAULTS = (
    Fault(
        name="range-of-the-last-byte-416",
        title="A range with both ends that begins at the last byte returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200", "PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-416"),
        also=("PULL-BLOB-RANGE-CLIPPED",),
        apply=_last_byte_beyond,
    ),
    Fault(
        name="suffix-range-too-long-416",
        title="The last N bytes of a blob that is shorter than that get 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=_suffix_beyond,
    ),
    Fault(
        name="first-byte-range-gives-blob",
        title="A range of the first byte gives the whole blob as 206.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_last_zero_is_none,
    ),
    Fault(
        name="range-of-only-byte-refused",
        title="A range on a blob of a single byte returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=_one_byte_without_ranges,
    ),
    Fault(
        name="range-of-last-byte-refused",
        title="A range that begins at the last byte of a blob returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-CLIPPED"),
        apply=_range_of_last_byte_refused,
    ),
    Fault(
        name="range-behind-end-last-byte",
        title="A range that begins behind the end of a blob gets its last byte.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-416", "PULL-BLOB-RANGE-416-SIZE", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
        apply=_beyond_is_last,
    ),
    Fault(
        name="range-of-the-first-byte-whole",
        title="A range of the first byte gives the whole blob as a part.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
        apply=_last_of_zero,
    ),
    Fault(
        name="suffix-range-past-the-end",
        title="The Content-Range of a suffix that is longer than the blob ends beyond it.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-TRUE", "PULL-BLOB-RANGE-CONTENT-RANGE"),
        apply=on("blob.get", status=206, change=_suffix_to_its_length),
    ),
    Fault(
        name="range-of-the-last-byte-refused",
        title="A range that begins at the last byte of a blob returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-MULTI",
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-SUFFIX",
        ),
        apply=_last_byte,
    ),
)
