"""The grammars of names, tags and digests as data, from which words can be recognised and made.

A grammar is a small tree; `pattern` gives it as a regular expression. Sources: OCI
distribution-spec 1.0.1, 1.1.1 and main, "Pulling manifests"; Docker HTTP API V2, "Overview" and
"Content Digests"; image-spec, "Digests".
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class One:
    """One character out of some."""

    characters: str


@dataclass(frozen=True, slots=True)
class Text:
    """Some fixed characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Several parts, one behind the other."""

    parts: tuple[Grammar, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts."""

    options: tuple[Grammar, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; ``most`` is None where there is no limit."""

    part: Grammar
    least: int = 0
    most: int | None = None


Grammar = One | Text | Row | Choice | Repeat


def pattern(grammar: Grammar) -> str:
    """Give a grammar as a regular expression."""
    match grammar:
        case One(characters):
            return f"[{re.escape(characters)}]"
        case Text(text):
            return re.escape(text)
        case Row(parts):
            return "".join(pattern(part) for part in parts)
        case Choice(options):
            return f"(?:{'|'.join(pattern(option) for option in options)})"
        case Repeat(part, least, most):
            return f"(?:{pattern(part)}){{{least},{'' if most is None else most}}}"


def matches(grammar: Grammar, word: str) -> bool:
    """Whether a word belongs to a grammar."""
    return re.fullmatch(pattern(grammar), word) is not None


LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
HEX = DIGITS + "abcdef"
_PLAIN = Repeat(One(LOWER + DIGITS), 1)


def _name(separator: Grammar) -> Grammar:
    component = Row((_PLAIN, Repeat(Row((separator, _PLAIN)))))
    return Row((component, Repeat(Row((Text("/"), component)))))


#: Names in Docker and OCI 1.0: one separator between letters or digits.
NAME_SINGLE = _name(One("._-"))
#: Names since OCI 1.1: two underscores and runs of dashes as well.
NAME = _name(Choice((Text("."), Text("_"), Text("__"), Repeat(Text("-"), 1))))
#: Docker: a name has fewer characters than 256.
NAME_LONGEST = 255

TAG_LONGEST = 128
TAG = Row((One(LOWER + UPPER + DIGITS + "_"), Repeat(One(LOWER + UPPER + DIGITS + "._-"), 0, TAG_LONGEST - 1)))

#: How many hexadecimal digits the registered algorithms have.
ENCODED = {"sha256": 64, "sha512": 128}
_ALGORITHM_PART = Repeat(One(LOWER + DIGITS), 1)
ALGORITHM = Row((_ALGORITHM_PART, Repeat(Row((One("+._-"), _ALGORITHM_PART)))))
#: Any digest; the registered algorithms narrow it.
DIGEST = Row((ALGORITHM, Text(":"), Repeat(One(LOWER + UPPER + DIGITS + "=_-"), 1)))
SHA256 = Row((Text("sha256:"), Repeat(One(HEX), ENCODED["sha256"], ENCODED["sha256"])))

#: Weights of Accept (RFC 9110, 12.4.2) above zero.
WEIGHT = Choice(
    (
        Row((Text("0."), Repeat(One(DIGITS), 0, 2), One(DIGITS[1:]))),
        Text("1"),
        Row((Text("1."), Repeat(Text("0"), 0, 3))),
    )
)


def is_digest(word: str) -> bool:
    """Whether a word is a digest; a registered algorithm fixes its length and its letters."""
    if not matches(DIGEST, word):
        return False
    algorithm, _, encoded = word.partition(":")
    length = ENCODED.get(algorithm)
    return length is None or (len(encoded) == length and not set(encoded) - set(HEX))
