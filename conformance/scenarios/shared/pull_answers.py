"""Steps that scenarios of pulling share: the digest header, Content-Range, parts, codings."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from conformance.client.http.exchange import Response
from conformance.verdict.judge import Judge

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_PART_RANGE = re.compile(r"^Content-Range:(.*)$", re.IGNORECASE | re.MULTILINE)
DIGEST = "Docker-Content-Digest"


def digest_headers(answer: Response) -> list[str]:
    """Return the digest headers of an answer and of the redirects that led to it."""
    values = [value.strip() for value in answer.headers.all(DIGEST)]
    for exchange in answer.trail[:-1]:
        if exchange.response is not None and 300 <= exchange.response.status < 400:
            values += [value.strip() for value in exchange.response.headers.all(DIGEST)]
    return values


@dataclass(frozen=True, slots=True)
class ContentRange:
    """First and last position, and the size of the whole (``None`` for ``*``)."""

    first: int
    last: int
    size: int | None


def content_range(answer: Response) -> ContentRange | None:
    """Return the Content-Range of a 206, or ``None`` where there is none that is well formed."""
    return _content_range(answer.header("Content-Range") or "")


def byte_ranges(answer: Response) -> list[tuple[ContentRange | None, bytes]]:
    """Return the parts of a ``multipart/byteranges`` body (RFC 9110, 14.6) with Content-Range.

    Nothing where the body has no end (RFC 2046, 5.1.1): whoever reads it cannot tell that it is
    whole.
    """
    boundary = _BOUNDARY.search(answer.header("Content-Type") or "")
    if boundary is None:
        return []
    *pieces, rest = answer.body.split(b"--" + (boundary[1] or boundary[2]).encode())
    if not rest.startswith(b"--"):
        return []
    found = []
    for piece in pieces[1:]:
        head, separator, body = piece.partition(b"\r\n\r\n")
        if separator:
            named = _PART_RANGE.search(head.decode("latin-1"))
            found.append((_content_range(named[1]) if named else None, body.removesuffix(b"\r\n")))
    return found


def _content_range(value: str) -> ContentRange | None:
    match = _CONTENT_RANGE.fullmatch(value.strip())
    if match is None:
        return None
    size = None if match[3] == "*" else int(match[3])
    return ContentRange(int(match[1]), int(match[2]), size)


#: The codings that are undone here, with the containers of their data (RFC 9110, 8.4.1).
CONTAINERS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def decoded(answer: Response, limit: int) -> bytes | None:
    """Return the decoded content of an answer, ``None`` if the coding is false or it is too long.

    ``limit`` is in bytes: a small body may unfold to anything. Codings but gzip and deflate are not
    known here, and give ``None``.
    """
    coding = (answer.header("Content-Encoding") or "identity").strip().lower()
    if coding == "identity":
        return answer.body
    if coding not in CONTAINERS:
        return None
    unfolding = zlib.decompressobj(wbits=CONTAINERS[coding])
    try:
        content = unfolding.decompress(answer.body, limit)
    except zlib.error:
        return None
    return content if unfolding.eof and not unfolding.unused_data else None


def judge_decoded(judge: Judge, requirement: str, answer: Response, content: bytes) -> None:
    """Judge that the content of an answer, without its declared coding, is what was pushed."""
    coding = (answer.header("Content-Encoding") or "identity").strip().lower()
    expected = "the pushed bytes once the declared coding is undone"
    actual = f"Content-Encoding: {coding} on a body of digest {answer.content_digest()}"
    known = coding == "identity" or coding in CONTAINERS
    # Of a coding that is not known here only this can be told: no coding leaves everything as it was.
    held = decoded(answer, len(content) + 1) == content if known else answer.body != content
    judge(requirement, held, expected, answer, actual=actual)


def judge_type(judge: Judge, requirement: str, answer: Response, wanted: str) -> None:
    """Judge that the Content-Type of an answer names a media type, with or without parameters."""
    judge.header(requirement, answer, "Content-Type", lambda _: answer.media_type == wanted, f"Content-Type: {wanted}")


def holds_part(answer: Response, whole: bytes, first: int, last: int) -> bool:
    """Tell whether a 206 has the requested bytes, or their beginning by its Content-Range."""
    said = content_range(answer)
    if said is not None and said.first == first and first <= said.last < last:
        last = said.last
    return answer.body == whole[first : last + 1]


def differences(head: Response, get: Response, names: tuple[str, ...]) -> str:
    """Return in words which headers of two answers differ, with digests by one algorithm."""
    found = []
    for name in names:
        one, other = head.header(name), get.header(name)
        algorithms = {value.partition(":")[0] for value in (one, other) if value is not None}
        if None not in {one, other} and one != other and (name != DIGEST or len(algorithms) == 1):
            found.append(f"{name} was {one} on HEAD and {other} on GET")
    return "; ".join(found)
