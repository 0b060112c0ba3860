"""Judge what a 206 holds: the bytes that it names, of those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.client import digests
from conformance.client.http.exchange import Response
from conformance.scenarios.shared.pull_answers import DIGEST, ContentRange, byte_ranges, content_range
from conformance.verdict.judge import Judge, told

TRUE = "PULL-BLOB-RANGE-TRUE"
LABEL = "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"
#: First and last position.
Asked = tuple[int, int]


def came(answer: Response) -> str:
    """Say in words what an answer to a range brought."""
    return f"{told(answer, 'Content-Range')}, {len(answer.body)} bytes of digest {answer.content_digest()}"


def judge_parts(judge: Judge, answer: Response, whole: bytes, *asked: Asked) -> bool:
    """Judge that the parts of a 206 are what they say, and hold nothing but what was asked for.

    Nothing in ``asked`` is a range that the blob cannot satisfy. Only a 206, and the size in a 416,
    states anything.
    """
    if answer.status not in {206, 416}:
        for requirement in (TRUE, LABEL):
            judge.unsupported(requirement, "the range was not answered with a part")
        return True
    broken = false_of(answer, whole, *asked)
    expected = expected_of(answer, len(whole), *asked)
    for requirement in (TRUE, LABEL):
        if broken in {None, requirement}:
            judge(requirement, broken is None, expected, answer, actual=came(answer))
    return broken is None


def expected_of(answer: Response, size: int, *asked: Asked) -> str:
    """Say in words what an answer to a range has to hold."""
    if answer.status == 416:
        return f"Content-Range: bytes */{size}, where a 416 names the size"
    wanted = " and ".join(f"{first} to {last}" for first, last in asked)
    return f"a 206 with the requested bytes ({wanted or 'none that the blob has'}), as its Content-Range names them"


def false_of(answer: Response, whole: bytes, *asked: Asked) -> str | None:
    """Return the requirement that a 206 or 416 breaks by a false statement, or ``None``."""
    if answer.status == 416:
        unit, _, size = (answer.header("Content-Range") or "").strip().lower().partition("*/")
        return LABEL if unit.strip() == "bytes" and size.isdecimal() and size != str(len(whole)) else None
    if answer.status != 206:
        return None
    several = answer.media_type == "multipart/byteranges"
    parts = byte_ranges(answer) if several else [(content_range(answer), answer.body)]
    if not all(_is_part(said, body, whole, asked) for said, body in parts):
        return TRUE
    return None if all(_is_label(said, body, whole) for said, body in parts) else LABEL


def _is_part(said: ContentRange | None, body: bytes, whole: bytes, asked: tuple[Asked, ...]) -> bool:
    """Tell whether a part has the bytes that it names, or else all that were asked for."""
    if any(body == whole[first : last + 1] for first, last in asked):
        return True
    if said is None or not asked:
        return False
    within = min(first for first, _ in asked) <= said.first <= said.last <= max(last for _, last in asked)
    return within and body == whole[said.first : said.last + 1]


def _is_label(said: ContentRange | None, body: bytes, whole: bytes) -> bool:
    """Tell whether a Content-Range that can be read is true of the bytes beside it."""
    if said is None:  # its absence and its form are judged elsewhere
        return True
    place = said.last - said.first + 1 == len(body) and body == whole[said.first : said.last + 1]
    return place and said.size in {len(whole), None}


def judge_digest(judge: Judge, requirement: str, answer: Response, values: Sequence[str], content: bytes) -> None:
    """Judge that the digests that an answer names, if any, are digests of some content."""
    if not values:
        judge.unsupported(requirement, f"there is no {DIGEST}")
    for value in values:
        fits = digests.fits(value, content)
        if fits is None:
            judge.unsupported(requirement, f"the algorithm of {value} is not known here")
        else:
            judge(requirement, fits, f"a {DIGEST} of the content", answer, actual=f"it was {value}")
