"""Faults of the content of ranges of blobs, and of which ranges are chosen."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.faults.pull.shared import (
    Part,
    at_first,
    changed_if,
    is_open_part,
    longer_than_sent,
    parts_chosen,
    spoil_part,
    the_part,
    under_if_range,
)
from reference.faults.shared import busy
from reference.messages import Content, Request, Response
from reference.modifications import Apply, Fault, answers, on, override
from reference.resources import ranges
from reference.storage.memory import MemoryContent


def _spoilt_first(content: Content) -> Content:
    """Another first byte."""
    if not isinstance(content, MemoryContent):
        return content
    data = bytes(content.data)
    return MemoryContent(bytes([data[0] ^ 1]) + data[1:])


def _others_if_it_holds(holds: bool, _request: Request, response: Response) -> None:
    if holds and response.content is not None:
        response.stream(_spoilt_first(response.content), response.parts)


def _shifted(_request: Request, response: Response) -> None:
    if response.content is None or len(response.parts) != 1:
        return
    start, length = the_part(response)
    limit = response.content.size - length
    response.parts = [(start + 1 if start < limit else max(start - 1, 0), length)]


def _placed(place: Callable[[int, int, int], Part], *, told: bool) -> Apply:
    """Send another part, by first position, length and size; ``told`` in Content-Range, too."""

    def change(_request: Request, response: Response) -> None:
        if response.content is None or len(response.parts) != 1:
            return
        size = response.content.size
        part = place(*the_part(response), size)
        response.parts = [part]
        if told:
            response.headers.set("Content-Range", ranges.content_range(part, size))

    return on("blob.get", status=206, change=change)


def _from_the_first(_first: int, length: int, _size: int) -> Part:
    return 0, length


def _one_short(first: int, length: int, _size: int) -> Part:
    return first, max(length - 1, 1)


def _all_of_it(_first: int, _length: int, size: int) -> Part:
    return 0, size


def _one_late(first: int, length: int, _size: int) -> Part:
    return (first + 1, length - 1) if length > 1 else (first, length)


def _suffix_refused(header: str, _size: int, right: list[Part]) -> list[Part]:
    return [] if header.startswith("bytes=-") else right


def _part_as_200(_request: Request, response: Response) -> None:
    response.status = 200
    response.headers.drop("Content-Range")


def _not_supported_400(request: Request, response: Response) -> Response | None:
    if not request.headers.get("range"):
        return None
    if response.content is not None:
        response.content.close()
    return Response(400)


def _suffix_as_prefix(header: str, _size: int, right: list[Part]) -> list[Part]:
    return [(0, right[0][1])] if header.startswith("bytes=-") else right


def _open_one_late(header: str, _size: int, right: list[Part]) -> list[Part]:
    if header.endswith("-") and len(right) == 1 and right[0][1] > 1:
        return [(right[0][0] + 1, right[0][1] - 1)]
    return right


def _not_clipped(header: str, size: int, right: list[Part]) -> list[Part]:
    last = header.rpartition("-")[2]
    return [] if last and not header.startswith("bytes=-") and int(last) >= size else right


def _malformed_as_206(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[Part] | None:
        header = request.headers.get("range")
        if request.method == "GET" and header and ranges.parse(header, size) is None and size:
            return [(0, 1)]
        return understood(request, size)

    override(registry.blobs, ranges=changed)


def _length_of_the_blob(request: Request, response: Response) -> None:
    response.headers.set("Content-Length", response.headers.get("Content-Range").rpartition("/")[2])


FAULTS = (
    Fault(
        name="open-range-spoilt",
        title="The last byte of a range up to the end is another.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", change=changed_if(is_open_part, spoil_part)),
    ),
    Fault(
        name="if-range-other-bytes",
        title="The part has other bytes where If-Range holds.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=under_if_range(_others_if_it_holds),
    ),
    Fault(
        name="range-wrong-bytes",
        title="206 has other bytes than those of the range.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_shifted),
    ),
    Fault(
        name="range-from-the-first-byte",
        title="206 has as many bytes as the range, from the first on, under the Content-Range that was asked for.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_placed(_from_the_first, told=False),
    ),
    Fault(
        name="range-from-the-first-byte-declared",
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
        name="range-whole-as-part-declared",
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
        name="range-suffix-refused",
        title="A range of the last bytes gets 416.",
        breaks=("PULL-BLOB-RANGE-SUFFIX",),
        apply=parts_chosen(_suffix_refused),
    ),
    Fault(
        name="range-part-as-200",
        title="A range returns 200 with the part alone.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200", "PULL-BLOB-GET-BODY-EXACT"),
        # The body of that 200 is not the blob.
        apply=on("blob.get", status=206, change=_part_as_200),
    ),
    Fault(
        name="range-refused",
        title="A range returns 400.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=on("blob.get", change=_not_supported_400),
    ),
    Fault(
        name="range-suffix-as-prefix",
        title="A range of the last bytes gets the first bytes.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=parts_chosen(_suffix_as_prefix),
    ),
    Fault(
        name="range-open-one-late",
        title="A range without end begins one byte too late.",
        breaks=("PULL-BLOB-RANGE-OPEN",),
        apply=parts_chosen(_open_one_late),
    ),
    Fault(
        name="range-not-clipped",
        title="A range that ends beyond the blob returns 416.",
        breaks=("PULL-BLOB-RANGE-CLIPPED",),
        apply=parts_chosen(_not_clipped),
    ),
    Fault(
        name="range-malformed-206",
        title="A malformed range gets 206.",
        breaks=("PULL-BLOB-RANGE-MALFORMED",),
        apply=_malformed_as_206,
    ),
    Fault(
        name="range-refused-with-the-length-of-the-blob",
        title="A 416 has the Content-Length of the whole blob and no content.",
        breaks=("BASE-CONTENT-LENGTH-TRUE",),
        apply=answers("blob.get", status=416, change=_length_of_the_blob),
    ),
    Fault(
        name="blob-range-503",
        title="Ranges of blobs return 503.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=busy(503, "blob.get", when=lambda r: r.headers.get("range")),
    ),
    Fault(
        name="manifest-get-cut-at-first",
        title="The first GET of each manifest announces a byte more than it sends.",
        breaks=("BASE-CONTENT-LENGTH-TRUE", "PULL-MANIFEST-GET-BODY-EXACT"),
        # HEAD tells the true length.
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=at_first("manifest.get", change=longer_than_sent),
    ),
)
