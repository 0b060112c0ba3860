"""Byte ranges of blobs."""

from __future__ import annotations

from conformance.client.http.exchange import Response
from conformance.client.registry import Repository
from conformance.scenarios.shared.partial_content import came, judge_parts
from conformance.scenarios.shared.pull_answers import byte_ranges, content_range, holds_part
from conformance.target.content import Blob
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge, NotTested, Unsupported, told, verifies
from conformance.verdict.presence import served
from spec.model import Withheld

SIZE = 1024


def _blob(repo: Repository, setup: SetUp) -> Blob:
    blob = setup.blob(repo) if setup.read_only else setup.blob(repo, setup.make.bytes(SIZE))
    if len(blob.content) < 32:
        raise NotTested("--existing names no image with a blob of 32 bytes or more", Withheld.CONTENT)
    return blob


def _part(repo: Repository, blob: Blob, spec: str, *headers: tuple[str, str]) -> Response:
    return repo.get_blob(blob.digest, headers=(("Range", f"bytes={spec}"), *headers))


def _served(answer: Response) -> None:
    if answer.status == 200:
        raise Unsupported("the range was ignored")


@verifies(
    "PULL-BLOB-RANGE-UNSUPPORTED-200",
    "PULL-BLOB-RANGE-206",
    "PULL-BLOB-RANGE-TRUE",
    "PULL-BLOB-RANGE-CONTENT-RANGE",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    "PULL-BLOB-RANGE-ADVERTISED",
    "PULL-BLOB-RANGE-ADVERTISED-TRUE",
)
def test_range_of_a_blob(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A range is answered 206 with those bytes and says which they are, or with the whole blob."""
    blob = _blob(repo, setup)
    answer = _part(repo, blob, "3-17")
    whole = served(answer, blob.content) and "Content-Range" not in answer.headers
    judge(
        "PULL-BLOB-RANGE-UNSUPPORTED-200",
        answer.status == 206 or whole,
        "status 206, or 200 with the whole blob",
        answer,
        actual=came(answer),
    )
    head = setup.headed_blob(repo, blob.digest)
    offered = _names_bytes(head.header("Accept-Ranges") or "")
    if offered:
        expected = "status 206 to a range, as Accept-Ranges: bytes on the HEAD offers ranges"
        judge("PULL-BLOB-RANGE-ADVERTISED-TRUE", answer.status != 200, expected, head, answer)
    else:
        judge.unsupported("PULL-BLOB-RANGE-ADVERTISED-TRUE", "no Accept-Ranges offers ranges")
    _served(answer)
    judge_parts(judge, answer, blob.content, (3, 17))
    judge(
        "PULL-BLOB-RANGE-206",
        answer.status == 206 and holds_part(answer, blob.content, 3, 17),
        "status 206 and the bytes 3 to 17 of the blob",
        answer,
        actual=came(answer),
    )
    judge(
        "PULL-BLOB-RANGE-CONTENT-RANGE",
        content_range(answer) is not None,
        f"Content-Range: bytes 3-17/{len(blob.content)}",
        answer,
        actual=told(answer, "Content-Range"),
    )
    if "Accept-Ranges" not in head.headers:
        judge.unsupported("PULL-BLOB-RANGE-ADVERTISED", "there is no Accept-Ranges header")
    else:
        judge.header("PULL-BLOB-RANGE-ADVERTISED", head, "Accept-Ranges", _names_bytes, "Accept-Ranges: bytes")


def _names_bytes(value: str) -> bool:
    return "bytes" in [unit.strip().lower() for unit in value.split(",")]


@verifies(
    "PULL-BLOB-RANGE-OPEN",
    "PULL-BLOB-RANGE-SUFFIX",
    "PULL-BLOB-RANGE-CLIPPED",
    "PULL-BLOB-RANGE-TRUE",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
)
def test_range_up_to_the_end(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A range without an end, from the end, or beyond it gives the bytes up to the last."""
    blob = _blob(repo, setup)
    size = len(blob.content)
    for requirement, spec, first in (
        ("PULL-BLOB-RANGE-OPEN", f"{size // 3}-", size // 3),
        ("PULL-BLOB-RANGE-SUFFIX", "-10", size - 10),
        ("PULL-BLOB-RANGE-CLIPPED", f"{size - 10}-{size * 5}", size - 10),
    ):
        answer = _part(repo, blob, spec)
        judge_parts(judge, answer, blob.content, (first, size - 1))
        if answer.status == 200:
            judge.unsupported(requirement, "the range was ignored")
            continue
        judge(
            requirement,
            answer.status == 206 and holds_part(answer, blob.content, first, size - 1),
            f"status 206 and the bytes {first} to {size - 1}",
            answer,
            actual=came(answer),
        )


def _judge_length(judge: Judge, answer: Response) -> None:
    """Judge that an answer did not end before its Content-Length."""
    judge("BASE-CONTENT-LENGTH-TRUE", not answer.failure, "as many bytes as Content-Length says", answer)


@verifies(
    "PULL-BLOB-RANGE-416",
    "PULL-BLOB-RANGE-416-SIZE",
    "PULL-BLOB-RANGE-TRUE",
    "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
    "BASE-CONTENT-LENGTH-TRUE",
)
def test_range_behind_the_end(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A range that begins behind the last byte cannot be satisfied, and none are the last 0 bytes."""
    blob = _blob(repo, setup)
    size = len(blob.content)
    # Nor is the end of 0 bytes one (RFC 9110, 14.1.2). No operation: what an answer without any says of them is moot.
    path = f"/v2/{repo.name}/blobs/{blob.digest}"
    none = repo.registry.request("GET", path, parameters={"name": repo.name}, headers=(("Range", "bytes=-0"),))
    if none.body:
        judge_parts(judge, none, blob.content)
    answer = _part(repo, blob, f"{size}-")
    _judge_length(judge, answer)
    judge_parts(judge, answer, blob.content)
    if served(answer, blob.content):
        _served(_part(repo, blob, "0-3"))
    judge.require_status("PULL-BLOB-RANGE-416", answer, 416, when=f"to Range: bytes={size}- of a blob of {size} bytes")
    judge.header("PULL-BLOB-RANGE-416-SIZE", answer, "Content-Range", _names_size, f"Content-Range: bytes */{size}")


def _names_size(value: str) -> bool:
    unit, _, size = value.strip().lower().partition("*/")
    return unit.strip() == "bytes" and size.isdecimal()


@verifies("PULL-BLOB-RANGE-MALFORMED", "PULL-BLOB-RANGE-HEAD-IGNORED", "BASE-CONTENT-LENGTH-TRUE")
def test_range_that_means_nothing(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A range that is malformed, in an unknown unit or on HEAD does not spoil the answer."""
    blob = _blob(repo, setup)
    for spec, unit in (("abc", "bytes"), ("5-2", "bytes"), ("1-2", "pages")):
        # No operation: what the contract says of a 416 holds for ranges that are well formed.
        path = f"/v2/{repo.name}/blobs/{blob.digest}"
        answer = repo.registry.request(
            "GET", path, parameters={"name": repo.name}, headers=(("Range", f"{unit}={spec}"),)
        )
        _judge_length(judge, answer)
        judge(
            "PULL-BLOB-RANGE-MALFORMED",
            answer.refused or served(answer, blob.content),
            f"the whole blob or a 4xx to Range: {unit}={spec}",
            answer,
            actual=came(answer),
        )
    head = repo.head_blob(blob.digest, headers=(("Range", "bytes=0-0"),))
    length = head.header("Content-Length")
    judge(
        "PULL-BLOB-RANGE-HEAD-IGNORED",
        head.status == 200 and length in {None, str(len(blob.content))},
        "status 200 and the length of the whole blob",
        head,
        actual=told(head, "Content-Length"),
    )


@verifies("PULL-BLOB-RANGE-MULTI", "PULL-BLOB-RANGE-TRUE", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE")
def test_several_ranges(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """Several ranges give parts that are what they say, or the whole blob, also side by side and in each other."""
    blob = _blob(repo, setup)
    answer = _part(repo, blob, "0-3, 10-13")
    judge_parts(judge, answer, blob.content, (0, 3), (10, 13))
    other = _part(repo, blob, "0-9,5-14")
    judge_parts(judge, other, blob.content, (0, 9), (5, 14))
    if answer.status == 206:
        # What follows each other, or lies in another, may come as one part.
        judge_parts(judge, _part(repo, blob, "0-9,10-19"), blob.content, (0, 9), (10, 19))
        judge_parts(judge, _part(repo, blob, "0-19,5-9"), blob.content, (0, 19), (5, 9))
    expected = "parts of ranges that the blob has, as of two that overlap"
    judge.beside(
        "PULL-BLOB-RANGE-UNSUPPORTED-200", answer.status != 416 or other.status != 206, expected, answer, other
    )
    if answer.status == 206 and answer.media_type == "multipart/byteranges":
        parts = byte_ranges(answer)
        held = bool(parts) and all(said is not None for said, _ in parts)
        # In this order a client may ask only where it has need to (RFC 9110, 14.2): a refusal says nothing.
        judge_parts(judge, _part(repo, blob, "10-13,0-3"), blob.content, (0, 3), (10, 13))
    elif answer.status == 206:
        held = content_range(answer) is not None
    elif served(answer, blob.content):
        raise Unsupported("several ranges were ignored")
    else:
        held = answer.status == 416
    judge(
        "PULL-BLOB-RANGE-MULTI",
        held,
        "parts that each name their range, one such part, or the whole blob",
        answer,
        actual=came(answer),
    )


@verifies("PULL-BLOB-RANGE-TRUE", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE", "PULL-BLOB-RANGE-UNSUPPORTED-200")
def test_ranges_in_seldom_forms(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A suffix among several ranges, one behind the end beside another, and zeros in front mean what they say."""
    blob = _blob(repo, setup)
    size = len(blob.content)
    first = _part(repo, blob, "0-3")
    if first.status != 206:
        raise Unsupported("ranges are not served")
    several = _part(repo, blob, "10-13,-4")
    judge_parts(judge, several, blob.content, (10, 13), (size - 4, size - 1))
    forms = [("0010-0021", (10, 21))]
    if several.status == 206:  # several ranges may be refused or ignored
        forms.append((f"0-3,{size}-{size + 9}", (0, 3)))
    for spec, asked in forms:
        answer = _part(repo, blob, spec)
        judge_parts(judge, answer, blob.content, asked)
        # A range that can be had is one (RFC 9110, 15.5.17).
        judge(
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
            answer.status == 206 or served(answer, blob.content),
            f"status 206, or 200 with the whole blob, as the bytes {asked[0]} to {asked[1]} are there",
            first,
            answer,
            actual=came(answer),
        )


@verifies("PULL-BLOB-RANGE-IF-RANGE", "PULL-BLOB-RANGE-TRUE", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE")
def test_range_on_a_condition(repo: Repository, setup: SetUp, judge: Judge) -> None:
    """A range is given only of the representation that If-Range names."""
    blob = _blob(repo, setup)
    tag = setup.headed_blob(repo, blob.digest).header("ETag")
    if tag is None:
        raise Unsupported("blobs have no ETag")
    other = _part(repo, blob, "0-3", ("If-Range", '"another"'))
    judge(
        "PULL-BLOB-RANGE-IF-RANGE",
        served(other, blob.content),
        "the whole blob, as the condition names another representation",
        other,
        actual=came(other),
    )
    judge_parts(judge, other, blob.content, (0, 3))
    judge_parts(judge, _part(repo, blob, "0-3", ("If-None-Match", '"another"')), blob.content, (0, 3))
    if tag.startswith("W/"):
        return  # a client that holds a weak one has no condition to give
    same = _part(repo, blob, "0-3", ("If-Range", tag))
    judge_parts(judge, same, blob.content, (0, 3))
    judge(
        "PULL-BLOB-RANGE-IF-RANGE",
        same.status in {200, 206} and blob.content.startswith(same.body),
        "the part, as the condition names this representation",
        same,
        actual=came(same),
    )
