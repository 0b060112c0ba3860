"""Faults of byte ranges on blobs."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, on, override
from reference.resources import ranges

Part = tuple[int, int]
_HEADERS_OF_PART = re.compile(rb"\r\nContent-Type:.*\r\n\r\n", re.DOTALL)


def _parts(change: Callable[[str, int, list[Part]], list[Part] | None]) -> Apply:
    """Understand a Range otherwise: by its text, the size of the blob, and what it rightly means."""

    def apply(registry: Registry) -> None:
        understood = registry.blobs.ranges

        def changed(request: Request, size: int) -> list[Part] | None:
            right = understood(request, size)
            return right if right is None else change(request.headers.get("range"), size, right)

        override(registry.blobs, ranges=changed)

    return apply


def _shifted(_request: Request, response: Response) -> None:
    if response.content is None or len(response.parts) != 1:
        return
    start, length = _only(response)
    limit = response.content.size - length
    response.parts = [(start + 1 if start < limit else max(start - 1, 0), length)]


def _only(response: Response) -> Part:
    part = response.parts[0]
    if isinstance(part, bytes):
        raise TypeError("a literal part is no range")
    return part


def _header_shifted(_request: Request, response: Response) -> None:
    if response.content is not None and len(response.parts) == 1:
        start, length = _only(response)
        response.headers.set("Content-Range", f"bytes {start}-{start + length}/{response.content.size}")


def _part_as_200(_request: Request, response: Response) -> None:
    response.status = 200
    response.headers.drop("Content-Range")


def _suffix_as_prefix(header: str, _size: int, right: list[Part]) -> list[Part]:
    return [(0, right[0][1])] if header.startswith("bytes=-") else right


def _open_one_late(header: str, _size: int, right: list[Part]) -> list[Part]:
    if header.endswith("-") and len(right) == 1 and right[0][1] > 1:
        return [(right[0][0] + 1, right[0][1] - 1)]
    return right


def _not_clipped(header: str, size: int, right: list[Part]) -> list[Part]:
    last = header.rpartition("-")[2]
    return [] if last and not header.startswith("bytes=-") and int(last) >= size else right


def _beyond_is_whole(_header: str, _size: int, right: list[Part]) -> list[Part] | None:
    return right or None


def _wrong_size(_request: Request, response: Response) -> None:
    response.headers.set("Content-Range", "bytes */0")


def _malformed_as_206(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[Part] | None:
        header = request.headers.get("range")
        if request.method == "GET" and header and ranges.parse(header, size) is None and size:
            return [(0, 1)]
        return understood(request, size)

    override(registry.blobs, ranges=changed)


def _without_condition(registry: Registry) -> None:
    def changed(request: Request, size: int) -> list[Part] | None:
        header = request.headers.get("range")
        return ranges.parse(header, size) if header and request.method == "GET" else None

    override(registry.blobs, ranges=changed)


def _also_on_head(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[Part] | None:
        header = request.headers.get("range")
        return ranges.parse(header, size) if header and request.method == "HEAD" else understood(request, size)

    override(registry.blobs, ranges=changed)


def _multipart_swapped(registry: Registry) -> None:
    multipart = registry.blobs.multipart

    def changed(content: Content, wanted: list[Part], headers: list[tuple[str, str]]) -> Response:
        response = multipart(content, wanted, headers)
        literal = [part for part in response.parts if isinstance(part, bytes)]
        swapped = [part for part in response.parts if not isinstance(part, bytes)][::-1]
        response.parts = [*(each for pair in zip(literal, swapped, strict=False) for each in pair), literal[-1]]
        return response

    override(registry.blobs, multipart=changed)


def _multipart_open(registry: Registry) -> None:
    """Leave the last boundary out."""
    multipart = registry.blobs.multipart

    def changed(content: Content, wanted: list[Part], headers: list[tuple[str, str]]) -> Response:
        response = multipart(content, wanted, headers)
        return response.stream(content, response.parts[:-1])

    override(registry.blobs, multipart=changed)


def _multipart_bare(registry: Registry) -> None:
    """Leave the headers of the parts out."""
    multipart = registry.blobs.multipart

    def changed(content: Content, wanted: list[Part], headers: list[tuple[str, str]]) -> Response:
        response = multipart(content, wanted, headers)
        bare = [_HEADERS_OF_PART.sub(b"\r\n\r\n", p) if isinstance(p, bytes) else p for p in response.parts]
        return response.stream(content, bare)

    override(registry.blobs, multipart=changed)


def _not_supported_400(request: Request, response: Response) -> Response | None:
    if not request.headers.get("range"):
        return None
    if response.content is not None:
        response.content.close()
    return Response(400)


FAULTS = (
    Fault(
        name="range-wrong-bytes",
        title="206 has other bytes than those of the range.",
        breaks=("PULL-BLOB-RANGE-206",),
        apply=on("blob.get", status=206, change=_shifted),
    ),
    Fault(
        name="range-header-off-by-one",
        title="Content-Range ends one byte too late.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE",),
        apply=on("blob.get", status=206, change=_header_shifted),
    ),
    Fault(
        name="range-part-as-200",
        title="A range is answered 200 with the part alone.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        # The body of that 200 is not the blob.
        also=("PULL-BLOB-GET-BODY-EXACT",),
        apply=on("blob.get", status=206, change=_part_as_200),
    ),
    Fault(
        name="range-refused",
        title="A range is answered 400.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=on("blob.get", change=_not_supported_400),
    ),
    Fault(
        name="range-suffix-as-prefix",
        title="The last bytes are asked for, the first ones are sent.",
        breaks=("PULL-BLOB-RANGE-SUFFIX",),
        apply=_parts(_suffix_as_prefix),
    ),
    Fault(
        name="range-open-one-late",
        title="A range without end begins one byte too late.",
        breaks=("PULL-BLOB-RANGE-OPEN",),
        apply=_parts(_open_one_late),
    ),
    Fault(
        name="range-not-clipped",
        title="A range that ends beyond the blob is answered 416.",
        breaks=("PULL-BLOB-RANGE-CLIPPED",),
        apply=_parts(_not_clipped),
    ),
    Fault(
        name="range-beyond-200",
        title="A range beyond the blob is answered 200 with all of it.",
        breaks=("PULL-BLOB-RANGE-416",),
        apply=_parts(_beyond_is_whole),
    ),
    Fault(
        name="range-416-size-wrong",
        title="416 says that the blob has no bytes.",
        breaks=("PULL-BLOB-RANGE-416-SIZE",),
        apply=on("blob.get", status=416, change=_wrong_size),
    ),
    Fault(
        name="range-malformed-206",
        title="A malformed range is answered 206.",
        breaks=("PULL-BLOB-RANGE-MALFORMED",),
        apply=_malformed_as_206,
    ),
    Fault(
        name="range-condition-ignored",
        title="If-Range is ignored.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE",),
        apply=_without_condition,
    ),
    Fault(
        name="range-on-head",
        title="HEAD with a range is answered 206.",
        breaks=("PULL-BLOB-RANGE-HEAD-IGNORED",),
        apply=_also_on_head,
    ),
    Fault(
        name="range-multipart-swapped",
        title="The parts of several ranges are in each other's place.",
        breaks=("PULL-BLOB-RANGE-MULTI",),
        apply=_multipart_swapped,
    ),
    Fault(
        name="range-multipart-without-end",
        title="The body of several ranges has no last boundary.",
        breaks=("PULL-BLOB-RANGE-MULTI",),
        apply=_multipart_open,
    ),
    Fault(
        name="range-multipart-without-content-range",
        title="The parts of several ranges do not say which they are.",
        breaks=("PULL-BLOB-RANGE-MULTI",),
        apply=_multipart_bare,
    ),
)
