"""The data of a search: words of the grammars, near misses, ranges, sizes, forms of headers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from spec import grammar
from spec.grammar import Choice, Grammar, One, Repeat, Row, Text

#: Words of the URL scheme, which are components of names like any other.
ROUTE_WORDS = ("blobs", "manifests", "tags", "uploads", "list", "referrers")
#: A part without limit is repeated so often at most.
_LONGEST = 5
_MOST_CHUNKS = 24
_GOES_ON = st.sampled_from((False, *[True] * 15))
#: Sizes at which buffers end, and their neighbours.
SIZES = (1, 2, 255, 256, 1023, 1024, 4095, 4096, 4097, 8192, 32768, 65536)


def words(rule: Grammar, longest: int = _LONGEST) -> SearchStrategy[str]:
    """Make words of a grammar."""
    match rule:
        case One(characters):
            return st.sampled_from(characters)
        case Text(text):
            return st.just(text)
        case Row(parts):
            return st.tuples(*(words(part, longest) for part in parts)).map("".join)
        case Choice(options):
            return st.one_of(*(words(option, longest) for option in options))
        case Repeat(part, least, most):
            limit = max(least, longest) if most is None else min(most, max(least, longest))
            return st.lists(words(part, longest), min_size=least, max_size=limit).map("".join)


# -- names


def names() -> SearchStrategy[str]:
    """Make names of the grammar of OCI 1.1, some with words of the URL scheme."""
    plain = words(grammar.NAME, 2)
    routed = st.tuples(plain, st.sampled_from(ROUTE_WORDS)).map("/".join)
    return st.one_of(plain, plain, plain, routed)


def wrong_names() -> SearchStrategy[str]:
    """Make names just outside the grammar: capitals, and separators in the wrong place."""
    start = words(Repeat(One(grammar.LOWER + grammar.DIGITS), 1, 4))
    wrong = st.sampled_from(("A", "Z", ".-", "-.", "._", "..", "___", "_-"))
    inside = st.tuples(start, wrong, start).map("".join)
    edge = st.tuples(st.sampled_from((".", "_", "-")), start)
    return st.one_of(inside, edge.map("".join), edge.map(lambda pair: pair[1] + pair[0])).filter(
        lambda name: not grammar.matches(grammar.NAME, name)
    )


# -- tags and digests


def tags() -> SearchStrategy[str]:
    """Make tags, now and then one of the greatest length."""
    short = words(grammar.TAG, 6)
    return st.one_of(
        short, short, short, short.map(lambda tag: (tag + "x" * grammar.TAG_LONGEST)[: grammar.TAG_LONGEST])
    )


def wrong_tags() -> SearchStrategy[str]:
    """Make references that are neither tags nor digests."""
    short = words(Repeat(One(grammar.LOWER + grammar.UPPER + grammar.DIGITS), 1, 4))
    first = st.tuples(st.sampled_from((".", "-")), short).map("".join)
    inside = st.tuples(short, st.sampled_from("+~!*=,;"), short).map("".join)
    long = st.tuples(short, st.integers(1, 60)).map(lambda t: (t[0] + "y" * grammar.TAG_LONGEST)[:128] + "z" * t[1])
    return st.one_of(first, inside, long)


def wrong_digests(digest: str) -> SearchStrategy[str]:
    """Make near misses of a sha256 digest."""
    algorithm, _, encoded = digest.partition(":")
    place = st.integers(0, len(encoded) - 1)
    letters = st.sampled_from("ghxyz_-=")
    return st.one_of(
        place.map(lambda length: f"{algorithm}:{encoded[:length]}"),
        st.sampled_from("0af").map(lambda more: digest + more),
        st.tuples(place, letters).map(lambda t: f"{algorithm}:{encoded[: t[0]]}{t[1]}{encoded[t[0] + 1 :]}"),
        st.just(encoded),
        st.sampled_from((f"{algorithm}.:{encoded}", f"+{digest}", f"{algorithm}::{encoded}", f"{digest}:{encoded}")),
    ).filter(lambda word: not grammar.is_digest(word))


def foreign_digests() -> SearchStrategy[str]:
    """Make digests of algorithms that nobody registered."""
    encoded = words(Repeat(One(grammar.HEX), 32, 64), 40)
    return st.tuples(words(grammar.ALGORITHM, 3).map(lambda name: f"x{name}"), encoded).map(":".join)


# -- ranges


@dataclass(frozen=True, slots=True)
class Asked:
    """A Range, and its first and last position; ``first`` is None if it selects nothing."""

    value: str
    kind: str
    first: int | None
    last: int


def ranges(size: int) -> SearchStrategy[Asked]:
    """Make ranges of a blob of some size: inside, open, from the end, beyond it, and malformed."""
    position = st.integers(0, size - 1)
    pair = st.tuples(position, position).map(sorted)
    more = st.integers(0, 2000)
    malformed = st.sampled_from(
        ("bytes=", "bytes=x-", "bytes=2-1", "bytes 0-1", "octets=0-1", "bytes=0-1-2", "bytes=--1")
    )
    return st.one_of(
        pair.map(lambda p: Asked(f"bytes={p[0]}-{p[1]}", "inside", p[0], p[1])),
        position.map(lambda p: Asked(f"bytes={p}-", "open", p, size - 1)),
        st.integers(1, size).map(lambda n: Asked(f"bytes=-{n}", "suffix", size - n, size - 1)),
        st.tuples(position, more).map(lambda t: Asked(f"bytes={t[0]}-{size + t[1]}", "clipped", t[0], size - 1)),
        more.map(lambda m: Asked(f"bytes={size + m}-", "beyond", None, 0)),
        malformed.map(lambda value: Asked(value, "malformed", None, 0)),
    )


# -- uploads


@dataclass(frozen=True, slots=True)
class Chunking:
    """The sizes of chunks, and whether the last of them comes with the closing PUT."""

    sizes: tuple[int, ...]
    closing: bool


@st.composite
def chunkings(draw: st.DrawFn) -> Chunking:
    """Make chunks whose sizes lie at the ends of buffers, a dozen on average."""
    sizes: list[int] = []
    while len(sizes) < _MOST_CHUNKS and draw(_GOES_ON):
        sizes.append(draw(st.sampled_from(SIZES)))
    return Chunking(tuple(sizes), draw(st.booleans()))


# -- manifests and headers


_TEXTS = st.sampled_from(("", "a", "z" * 300, "\u00e9\u4f60", 'a"b\\c', "<&>", "\u2028", "1e400", "null"))


def members() -> SearchStrategy[dict[str, Any]]:
    """Make members that an image manifest may have besides those it must have."""
    annotations = st.dictionaries(st.sampled_from(("org.example.a", "org.example.b", "x")), _TEXTS, max_size=3)
    optional = {
        "annotations": annotations,
        "artifactType": st.sampled_from(("application/vnd.example.thing", "application/vnd.example.v1+json")),
        "org.example.unknown": st.sampled_from((None, [], {"a": [1, 2.5]}, 12345678901234567890, True)),
    }
    return st.fixed_dictionaries({}, optional=optional)


def spellings() -> SearchStrategy[dict[str, Any]]:
    """Make ways to write JSON: parameters of ``json.dumps``."""
    return st.fixed_dictionaries(
        {
            "indent": st.sampled_from((None, 0, 3, "\t")),
            "sort_keys": st.booleans(),
            "ensure_ascii": st.booleans(),
        }
    )


def spelled(document: dict[str, Any], spelling: dict[str, Any]) -> bytes:
    """Write a document as JSON."""
    return json.dumps(document, **spelling).encode()


@dataclass(frozen=True, slots=True)
class Accept:
    """The Accept fields of a request, and what is special: fields, weights, case of letters."""

    fields: tuple[str, ...]
    kind: str


def accepts(media_type: str) -> SearchStrategy[Accept]:
    """Make Accept fields with a type among others, in any order, spacing, weight or case."""
    others = st.lists(
        st.sampled_from([t for t in (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST) if t != media_type]),
        unique=True,
        max_size=3,
    )
    joints = st.sampled_from((",", ", ", " , ", None))
    cases = st.sampled_from((media_type.upper(), media_type.title()))
    special = st.one_of(st.none(), words(grammar.WEIGHT), cases)
    return st.tuples(others, st.integers(0, 3), joints, special).map(lambda t: _accept(media_type, *t))


def _accept(media_type: str, others: list[str], place: int, joint: str | None, special: str | None) -> Accept:
    cased = special is not None and "/" in special
    own = special if cased and special else media_type
    types = [*others[:place], own, *others[place:]]
    if special is not None and not cased:
        types = [f"{name};q={special if name == media_type else '0.1'}" for name in types]
    fields = tuple(types) if joint is None else (joint.join(types),)
    return Accept(fields, "case" if cased else "weight" if special else "fields" if len(fields) > 1 else "list")


def content_types(media_type: str) -> SearchStrategy[str]:
    """Make the Content-Type of a manifest with a parameter, which means nothing."""
    parameter = st.sampled_from(("charset=utf-8", "charset=UTF-8", 'charset="utf-8"', "profile=x", "v=1"))
    return st.tuples(st.sampled_from((";", "; ", " ; ")), parameter).map(lambda t: media_type + "".join(t))
