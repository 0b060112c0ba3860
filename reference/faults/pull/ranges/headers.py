"""Faults of Content-Range, 416, If-Range and the parts of several ranges."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.faults.pull.shared import Part, changed_if, is_open_part, is_part, parts_chosen, the_part, under_if_range
from reference.faults.shared import where_answer
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Fault, around, drop_header, on, override, set_header
from reference.resources import ranges

_PART = 206
_HEADERS_OF_PART = re.compile(rb"\r\nContent-Type:.*\r\n\r\n", re.DOTALL)


@around("blob.get")
async def _part_whatever_the_condition(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Give weak validators, and pay no heed to If-Range."""
    request.headers.drop("if-range")
    return await handler(request)


def _moved(response: Response) -> None:
    """Say the range that begins one byte later, and is as long."""
    first, _, rest = response.headers.get("content-range").removeprefix("bytes ").partition("-")
    last, _, size = rest.partition("/")
    response.headers.set("Content-Range", f"bytes {int(first) + 1}-{int(last) + 1}/{size}")


def _whole_as_part(holds: bool, _request: Request, response: Response) -> None:
    if not holds:
        response.status = _PART


def _part_as_whole(holds: bool, _request: Request, response: Response) -> None:
    if not holds and response.content is not None:
        response.stream(response.content, [(0, 4)])


def _refused_if_it_holds(holds: bool, _request: Request, response: Response) -> None:
    if holds:
        response.status, response.content, response.parts = 416, None, []


def _head_of_range(status: int, length: int | None) -> Apply:
    def changed(request: Request, response: Response) -> None:
        if request.headers.get("range"):
            response.status = status
            if length is not None:
                response.headers.set("Content-Length", str(length))

    return on("blob.head", status=200, change=changed)


def _header_shifted(_request: Request, response: Response) -> None:
    if response.content is not None and len(response.parts) == 1:
        start, length = the_part(response)
        response.headers.set("Content-Range", f"bytes {start}-{start + length}/{response.content.size}")


def _size_of_part(_request: Request, response: Response) -> None:
    place, _, _size = response.headers.get("content-range").partition("/")
    if place:
        response.headers.set("Content-Range", f"{place}/{response.length}")


def _only_the_first(_header: str, _size: int, right: list[Part]) -> list[Part] | None:
    """Ranges at the first byte of a blob alone, as a careless cache has them."""
    return right if not right or right[0][0] == 0 else None


def _beyond_is_whole(_header: str, _size: int, right: list[Part]) -> list[Part] | None:
    return right or None


def _wrong_size(_request: Request, response: Response) -> None:
    response.headers.set("Content-Range", "bytes */0")


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


def _conditional(request: Request, _response: Response) -> bool:
    return "if-range" in request.headers


def _one_more(_request: Request, response: Response) -> None:
    response.headers.set("Content-Range", response.headers.get("Content-Range") + "0")


def _of_the_end(request: Request, _response: Response) -> bool:
    return request.headers.get("range").startswith("bytes=-")


FAULTS = (
    Fault(
        name="if-range-passed-over-beside-weak-etags",
        title="A range is given whatever If-Range says; validators are weak.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE",),
        variants=("etags-weak",),
        apply=_part_whatever_the_condition,
    ),
    Fault(
        name="content-range-moved",
        title="The Content-Range begins one byte too late.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", change=changed_if(is_part, _moved)),
    ),
    Fault(
        name="content-range-of-open-ranges-moved",
        title="The Content-Range of a range up to the end begins one byte too late.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", change=changed_if(is_open_part, _moved)),
    ),
    Fault(
        name="if-range-whole-206",
        title="The whole blob has the status 206 where If-Range does not hold.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE", "PULL-BLOB-RANGE-TRUE"),
        apply=under_if_range(_whole_as_part),
    ),
    Fault(
        name="if-range-part-200",
        title="A part of the blob has the status 200 where If-Range does not hold.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE", "PULL-BLOB-GET-BODY-EXACT"),
        apply=under_if_range(_part_as_whole),
    ),
    Fault(
        name="if-range-416",
        title="The registry refuses the range where If-Range holds.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE",),
        also=("PULL-BLOB-RANGE-416-SIZE",),
        apply=under_if_range(_refused_if_it_holds),
    ),
    Fault(
        name="head-of-range-206",
        title="HEAD with a range has the status 206 and the length of the whole.",
        breaks=("PULL-BLOB-RANGE-HEAD-IGNORED",),
        apply=_head_of_range(_PART, None),
    ),
    Fault(
        name="head-of-range-with-its-length",
        title="HEAD with a range has the length of the range.",
        breaks=("PULL-BLOB-RANGE-HEAD-IGNORED", "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"),
        apply=_head_of_range(200, 1),
    ),
    Fault(
        name="blob-ranges-denied",
        title="HEAD of a blob says that there are no ranges, while GET serves them.",
        breaks=("PULL-BLOB-RANGE-ADVERTISED",),
        apply=on("blob.head", status=200, change=set_header("Accept-Ranges", "none")),
    ),
    Fault(
        name="range-header-off-by-one",
        title="Content-Range ends one byte too late.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_header_shifted),
    ),
    Fault(
        name="range-without-content-range",
        title="206 does not say which bytes it has.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE",),
        # Of several ranges one part may be left, which then does not say what it is.
        also=("PULL-BLOB-RANGE-MULTI",),
        apply=on("blob.get", status=206, change=drop_header("Content-Range")),
    ),
    Fault(
        name="range-size-of-part",
        title="Content-Range has the size of the part for that of the blob.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_size_of_part),
    ),
    Fault(
        name="range-offered-and-ignored",
        title="HEAD says that there are ranges, and GET gives the whole blob but for those at its first byte.",
        breaks=("PULL-BLOB-RANGE-ADVERTISED-TRUE",),
        apply=parts_chosen(_only_the_first),
    ),
    Fault(
        name="range-416-without-size",
        title="416 does not tell the size of the blob.",
        breaks=("PULL-BLOB-RANGE-416-SIZE",),
        apply=on("blob.get", status=416, change=drop_header("Content-Range")),
    ),
    Fault(
        name="range-beyond-200",
        title="A range beyond the blob returns 200 with all of it.",
        breaks=("PULL-BLOB-RANGE-416",),
        apply=parts_chosen(_beyond_is_whole),
    ),
    Fault(
        name="range-416-size-wrong",
        title="416 says that the blob has no bytes.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", status=416, change=_wrong_size),
    ),
    Fault(
        name="range-condition-ignored",
        title="If-Range is ignored.",
        breaks=("PULL-BLOB-RANGE-IF-RANGE",),
        apply=_without_condition,
    ),
    Fault(
        name="range-on-head",
        title="HEAD with a range returns 206.",
        breaks=("PULL-BLOB-RANGE-HEAD-IGNORED",),
        apply=_also_on_head,
    ),
    Fault(
        name="range-multipart-swapped",
        title="The parts of several ranges are in each other's place.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
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
    Fault(
        name="part-of-a-larger-whole-under-if-range",
        title="A range under If-Range names a whole that is ten times as long.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=where_answer(_conditional, _one_more)),
    ),
    Fault(
        name="part-of-a-larger-whole-at-the-end",
        title="The last bytes of a blob name a whole that is ten times as long.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        seldom=True,
        apply=on("blob.get", status=206, change=where_answer(_of_the_end, _one_more)),
    ),
)
