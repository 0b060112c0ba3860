"""The normative sentences of a Markdown document, by section."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
#: Mark-up of HTML; other angle brackets stand for something, as in <name>.
_TAG = re.compile(r"<!--.*?-->|</?(?:a|b|br|code|div|em|i|img|p|strong|sub|sup|table|td|th|tr)\b[^>]*>")
_MARKS = re.compile(r"[`*]")
#: A sentence ends before a capital letter; abbreviations and versions have none behind them.
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(<])")
#: The words of RFC 2119, longest first.
_NORMATIVE = re.compile(
    r"\b(MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|REQUIRED|MAY|OPTIONAL)\b"
)
#: What documents without these words say in their place.
_PLAIN = re.compile(r"\b(must not|must|shall|should not|should|may|required|will)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that asks for something: its section, line, words of duty, and a hash of its text."""

    section: str
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def hash(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the text without mark-up; a new wording has another."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def sentences(document: str, plain: bool = False) -> Iterator[Sentence]:
    """Give the sentences with a word of duty; ``plain`` takes those in lower case too.

    Code, and headings themselves, are left out. A row of a table is a sentence, and so is an item of a list.
    """
    pattern = _PLAIN if plain else _NORMATIVE
    for section, line, block in _blocks(document):
        for text in _END.split(_bare(block)):
            words = tuple(dict.fromkeys(found.upper() for found in pattern.findall(text)))
            if words:
                yield Sentence(section, line, words, text.strip())


def _blocks(document: str) -> Iterator[tuple[str, int, str]]:
    """Give each paragraph, item and row with its section and its first line."""
    path: dict[int, str] = {}
    block: list[str] = []
    start, fenced = 1, False
    for number, line in enumerate([*document.splitlines(), ""], 1):
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        begins = bool(_ITEM.match(line)) or line.lstrip().startswith("|")
        if block and (fence or fenced or heading or begins or not line.strip()):
            yield " > ".join(path[level] for level in sorted(path)), start, " ".join(block)
            block = []
        if fence:
            fenced = not fenced
        elif heading and not fenced:
            level = len(heading[1])
            path = {known: title for known, title in path.items() if known < level}
            path[level] = _bare(heading[2])
        elif line.strip() and not fenced:
            start = start if block else number
            block.append(_ITEM.sub("", line).strip())


def _bare(text: str) -> str:
    """Return a text without mark-up, its spaces single."""
    return " ".join(_MARKS.sub("", _TAG.sub("", _LINK.sub(r"\1", text))).split())
