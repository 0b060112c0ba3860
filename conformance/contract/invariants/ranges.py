"""Partial answers: a 206 has the bytes that its Content-Range says, of the content that was asked for.

A registry may serve no ranges, or a smaller part than was asked for; what it does serve is to be true (RFC 9110,
15.3.7). Several parts in one answer are left to their scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.client.http.exchange import Exchange, Response
from conformance.contract.invariants.facts import PARTIAL, Breach, Facts, coding_of

_RANGE = re.compile(r"bytes +(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
#: Under these a false Content-Range and false bytes are booked.
LABEL, TRUE = "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE", "PULL-BLOB-RANGE-TRUE"
#: One range in a request; several are not looked at.
_ASKED = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def blob(facts: Facts, exchange: Exchange, response: Response) -> Iterator[Breach]:
    """Check a 206 to the pull of a blob."""
    if response.status != PARTIAL:
        return
    if "Range" not in exchange.request.headers:
        yield Breach("PULL-BLOB-GET-200", "status 200 to a pull without Range", "status 206", (exchange,))
        return
    values = response.headers.all("Content-Range")
    if not values and response.media_type != "multipart/byteranges":
        expected = "a Content-Range that names the part"
        yield Breach("PULL-BLOB-RANGE-CONTENT-RANGE", expected, "no Content-Range", (exchange,))
        return
    found = _RANGE.fullmatch(values[0].strip()) if len(values) == 1 else None
    if found is None or response.streamed:
        return
    said = slice(int(found[1]), int(found[2]) + 1)
    total = None if found[3] == "*" else int(found[3])
    # What is packed is a part of something else.
    known = None if coding_of(response) else facts.content(exchange.parameters.get("digest", ""))
    if known is None:
        false = _alone(said, total, response.body)
    else:
        false = _false(said, total, response.body, known[0], exchange.request.headers.get("Range") or "")
    if false:
        whole = f" of {len(known[0])} bytes" if known else ""
        before = (known[1],) if known else ()
        expected = f"the part of the content{whole} that Content-Range names"
        actual = f"{len(response.body)} bytes came with Content-Range: {values[0]}"
        yield Breach(false, expected, actual, (*before, exchange))


def _alone(said: slice, total: int | None, body: bytes) -> str:
    """Return the requirement that a part breaks of a content that is not known; empty where there is none."""
    if said.start >= said.stop or (total is not None and said.stop > total):
        return LABEL
    return "" if len(body) == said.stop - said.start else TRUE


def _false(said: slice, total: int | None, body: bytes, content: bytes, header: str) -> str:
    """Return the requirement that a part of some content breaks; empty where there is none.

    Bytes that were asked for are right, whatever their Content-Range says.
    """
    labelled = body == content[said] and said.start < said.stop <= len(content)
    if labelled and total in {None, len(content)}:
        return ""
    return LABEL if labelled or body == content[_asked(header, len(content))] else TRUE


def _asked(header: str, size: int) -> slice:
    """Return where the range is that a request asks for; nowhere where it is another than one."""
    found = _ASKED.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return slice(size, size)
    if not found[1]:
        return slice(max(size - int(found[2]), 0), size)
    return slice(int(found[1]), int(found[2]) + 1 if found[2] else size)
