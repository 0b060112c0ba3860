"""Faults that show with some forms of requests."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import refused
from reference.messages import Request, Response
from reference.modifications import Fault, on, override

_FROM_ZERO = re.compile(r"\s*bytes=\s*0+-\s*")
_BOTH_ENDS = re.compile(r"\s*bytes=\s*(\d+)-(\d+)\s*")


def _zero_is_none(registry: Registry) -> None:
    """A first position of 0 counts as absent, and so the range as one of the last 0 bytes."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return [] if found and _FROM_ZERO.fullmatch(request.headers.get("range")) else found

    override(registry.blobs, ranges=changed)


def _positions_as_text(registry: Registry) -> None:
    """First and last position are compared before they are numbers."""
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        match = _BOTH_ENDS.fullmatch(request.headers.get("range"))
        return [] if found and match is not None and match[1] > match[2] else found

    override(registry.blobs, ranges=changed)


def _first_of_the_list(request: Request, response: Response) -> None:
    """A 304 repeats the first entity tag that the client named."""
    named = [tag.strip() for tag in ",".join(request.headers.all("if-none-match")).split(",") if tag.strip()]
    if len(named) > 1:
        response.headers.set("ETag", named[0])


FAULTS = (
    Fault(
        name="range-from-zero-without-end-416",
        title="A range of all bytes from the first on, 0-, returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
        ),
        apply=_zero_is_none,
    ),
    Fault(
        name="range-positions-compared-as-text",
        title="A range whose first position comes behind its last one in the alphabet, like 9-10, returns 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
            "PULL-BLOB-RANGE-CLIPPED",
            "PULL-BLOB-RANGE-TRUE",
            "PULL-BLOB-RANGE-IF-RANGE",
        ),
        apply=_positions_as_text,
    ),
    Fault(
        name="manifest-by-encoded-digest-refused",
        title="The push of a manifest by a digest whose colon is percent-encoded in the URL returns 400.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        also=("PUSH-MANIFEST-BY-DIGEST-PULLABLE", "PUSH-MANIFEST-IDEMPOTENT"),
        apply=refused(
            "manifest.put",
            when=lambda request: ":" in request.reference and "%3a" in request.path.rpartition("/")[2].lower(),
            error=lambda request: errors.digest_invalid(request.reference),
        ),
    ),
    Fault(
        name="etag-of-304-is-the-first-named",
        title="The 304 to several entity tags has the first of them for its ETag, whichever is the present one.",
        breaks=("PULL-CACHE-304-ETAG",),
        apply=on("blob.get", "blob.head", "manifest.get", "manifest.head", status=304, change=_first_of_the_list),
    ),
)
