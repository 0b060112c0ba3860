"""Faults of ranges in forms that nobody tries, and of what is served for a web page."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.faults.shared import blobs_rewritten
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, override

_SCRIPT = b'<script src="/cdn/analytics.js"></script>'


def _specs(request: Request) -> list[str]:
    unit, _, specs = request.headers.get("range").partition("=")
    if unit != "bytes":
        return []
    return [spec.strip() for spec in specs.split(",") if spec.strip()]


def _read_as(change: Callable[[list[str]], list[str]]) -> Apply:
    """Read the ranges of a request as others."""

    @around("blob.get")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if specs := _specs(request):
            request.headers.set("Range", f"bytes={','.join(change(specs))}")
        return await handler(request)

    return changed


def _suffixes_are_beginnings(specs: list[str]) -> list[str]:
    if len(specs) == 1:
        return specs
    return [re.sub(r"-(\d+)", lambda found: f"0-{int(found[1]) - 1}", s) if s.startswith("-") else s for s in specs]


def _octal(specs: list[str]) -> list[str]:
    return [re.sub(r"\b0[0-7]+\b", lambda found: str(int(found[0], 8)), spec) for spec in specs]


def _all_or_none(registry: Registry) -> None:
    ranges = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = ranges(request, size)
        return found if found is None or len(found) == len(_specs(request)) else []

    override(registry.blobs, ranges=changed)


FAULTS = (
    Fault(
        name="suffix-among-ranges",
        title="Of several ranges a suffix has the first bytes of the blob for its last.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-MULTI",),
        apply=_read_as(_suffixes_are_beginnings),
    ),
    Fault(
        name="one-range-behind-the-end",
        title="Several ranges of which one lies behind the end of the blob are answered 416.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=_all_or_none,
    ),
    Fault(
        name="range-in-octal-digits",
        title="A position in a Range that has a zero in front is read as an octal number.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_read_as(_octal),
    ),
    Fault(
        name="script-in-a-page",
        title="A blob that is an HTML page with a body comes with a script in it.",
        breaks=("PULL-BLOB-GET-BODY-EXACT", "PUSH-BLOB-ODD-CONTENT-EXACT"),
        apply=blobs_rewritten(lambda data: data.replace(b"</body>", _SCRIPT + b"</body>")),
    ),
)
