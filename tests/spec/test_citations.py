"""Citations name chapters that their documents have.

``headings.json`` holds the headings of each document, at the version that ``spec/sources.yaml``
names, each behind its depth. A citation is a heading, or headings within each other with a slash
between; what follows in brackets is a remark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spec.catalogue import load

_HEADINGS: dict[str, list[str]] = json.loads(Path(__file__).with_name("headings.json").read_text(encoding="utf-8"))
_REMARK = re.compile(r"\s*\([^()]*\)$")
_FILE = re.compile(r"(?<=\.md), ")
#: A number, or several: RFCs are cited by that.
_NUMBERED = re.compile(r"\d+(?:\.\d+)*(?:[,;] ?\d+(?:\.\d+)*)*")


def _pieces(section: str) -> Iterator[str]:
    """Give the parts between semicolons, but for those within brackets."""
    yield from (piece.strip() for piece in re.split(r";(?![^()]*\))", section))


def _is_there(document: str, path: list[str]) -> bool:
    """Tell whether headings stand within each other."""
    lines = [(int(depth), title.lower()) for depth, _, title in (line.partition(" ") for line in _HEADINGS[document])]
    places = [(0, len(lines))]
    for step in path:
        places = [
            (at + 1, _end(lines, at))
            for first, end in places
            for at in range(first, end)
            if lines[at][1] == step.lower().strip()
        ]
    return bool(places)


def _end(lines: list[tuple[int, str]], at: int) -> int:
    deeper = (other for other in range(at + 1, len(lines)) if lines[other][0] <= lines[at][0])
    return next(deeper, len(lines))


def _found(document: str, piece: str) -> bool:
    return any(
        _is_there(document, [step for part in text.split(" / ") for step in _FILE.split(part)])
        for text in (piece, _REMARK.sub("", piece))
    )


def test_every_citation_names_a_chapter() -> None:
    unknown = [
        f"{requirement.id}: {citation.document} has no {piece!r}"
        for requirement in load()
        for citation in requirement.sources
        if citation.document in _HEADINGS
        for piece in _pieces(citation.section)
        if not _found(citation.document, piece)
    ]
    assert not unknown


def test_every_document_is_known_by_its_headings_or_its_numbers() -> None:
    numbered = {name for name in load().sources if name.startswith("rfc")}
    assert set(load().sources) == {*_HEADINGS, *numbered, "suite"}


def test_numbers_of_sections_are_numbers() -> None:
    cited = {
        (citation.document, citation.section)
        for requirement in load()
        for citation in requirement.sources
        if citation.document.startswith("rfc")
    }
    strange = {each for each in cited if not _NUMBERED.match(each[1])}
    assert not strange


@pytest.mark.parametrize(
    ("citation", "known"),
    [
        ("Listing Tags", True),
        ("API / Listing Tags", False),
        ("Content Discovery / Listing Tags", True),
        ("Endpoints (end-1)", True),
        ("Endpoints end-1", False),
    ],
)
def test_citations_are_told_from_others(citation: str, known: bool) -> None:
    assert _found("oci-main", citation) is known
