"""Faults of byte ranges on blobs."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, drop_header, on, override
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


def _placed(place: Callable[[int, int, int], Part], *, told: bool) -> Apply:
    """Send another part, by first position, length and size of the blob; ``told`` in its Content-Range, too."""

    def change(_request: Request, response: Response) -> None:
        if response.content is None or len(response.parts) != 1:
            return
        size = response.content.size
        part = place(*_only(response), size)
        response.parts = [part]
        if told:
            response.headers.set("Content-Range", ranges.content_range(part, size))

    return on("blob.get", status=206, change=change)


def _one_late(first: int, length: int, _size: int) -> Part:
    return (first + 1, length - 1) if length > 1 else (first, length)


def _from_the_first(_first: int, length: int, _size: int) -> Part:
    return 0, length


def _one_short(first: int, length: int, _size: int) -> Part:
    return first, max(length - 1, 1)


def _all_of_it(_first: int, _length: int, size: int) -> Part:
    return 0, size


def _only_the_first(_header: str, _size: int, right: list[Part]) -> list[Part] | None:
    """Ranges at the first byte of a blob alone, as a careless cache has them."""
    return right if not right or right[0][0] == 0 else None


def _suffix_refused(header: str, _size: int, right: list[Part]) -> list[Part]:
    return [] if header.startswith("bytes=-") else right


def _part_as_200(_request: Request, response: Response) -> None:
    response.status = 200
    response.headers.drop("Content-Range")


def _size_of_part(_request: Request, response: Response) -> None:
    place, _, _size = response.headers.get("content-range").partition("/")
    if place:
        response.headers.set("Content-Range", f"{place}/{response.length}")


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
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_shifted),
    ),
    Fault(
        name="range-header-off-by-one",
        title="Content-Range ends one byte too late.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_header_shifted),
    ),
    Fault(
        name="range-from-the-first-byte",
        title="206 has as many bytes as the range, from the first on, under the Content-Range that was asked for.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_from_the_first, told=False),
    ),
    Fault(
        name="range-from-the-first-byte-told",
        title="206 has as many bytes as the range, from the first on, and says so.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_from_the_first, told=True),
    ),
    Fault(
        name="range-one-short",
        title="206 lacks the last byte of the range that its Content-Range names.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_one_short, told=False),
    ),
    Fault(
        name="range-whole-as-part",
        title="206 has the whole blob, under the Content-Range that was asked for.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_all_of_it, told=False),
    ),
    Fault(
        name="range-whole-as-part-told",
        title="206 has the whole blob, and says so.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_all_of_it, told=True),
    ),
    Fault(
        name="range-begins-late",
        title="206 lacks the first byte of the range, and says so.",
        breaks=("PULL-BLOB-RANGE-206", "PULL-BLOB-RANGE-OPEN", "PULL-BLOB-RANGE-SUFFIX", "PULL-BLOB-RANGE-CLIPPED"),
        apply=_placed(_one_late, told=True),
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
        apply=_parts(_only_the_first),
    ),
    Fault(
        name="range-416-without-size",
        title="416 does not tell the size of the blob.",
        breaks=("PULL-BLOB-RANGE-416-SIZE",),
        apply=on("blob.get", status=416, change=drop_header("Content-Range")),
    ),
    Fault(
        name="range-suffix-refused",
        title="The last bytes are asked for and answered 416.",
        breaks=("PULL-BLOB-RANGE-SUFFIX",),
        apply=_parts(_suffix_refused),
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
        breaks=("PULL-BLOB-RANGE-TRUE",),
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
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",),
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
)
