"""The arguments of a new requirement, checked against the specification."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from spec.catalogue import PREFIXES, Catalogue, resembling
from spec.model import Citation, Level, Requirement

_ID = re.compile(r"[A-Z]+(?:-[A-Z0-9]+)+")
#: Ids with so many first parts in common speak of the same thing: PULL-BLOB-...
RELATED = 2


class NewError(Exception):
    """The stubs cannot be written; the message is one sentence for the author."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new requirement; ``levels`` has every profile, with None for the silent ones."""

    id: str
    category: str
    statement: str
    levels: dict[str, Level | None]
    sources: tuple[Citation, ...]
    operations: tuple[str, ...]
    needs: tuple[str, ...]
    presumes: tuple[str, ...]
    implied: bool


def category_of(name: str, known: Catalogue) -> str:
    """Give the category of a new id.

    Raises:
        NewError: the id is malformed, in use or withdrawn, or no category has its prefix.
    """
    if not _ID.fullmatch(name):
        raise NewError(f"{name!r} is no id: capital letters, digits and dashes, such as PULL-BLOB-GET-200")
    prefix = name.partition("-")[0]
    categories = {prefix: category for category, prefix in PREFIXES.items()}
    if prefix not in categories:
        listed = ", ".join(f"{prefix} ({category})" for prefix, category in categories.items())
        raise NewError(f"{name} is of no category: an id begins with {listed}")
    if name in known:
        there = known.requirement(name)
        raise NewError(f"{name} exists: {there.file}:{there.line}")
    if name in known.withdrawn:
        raise NewError(f"{name} was withdrawn and must not be used again: {known.withdrawn[name].reason}")
    return categories[prefix]


def common(one: str, other: str) -> int:
    """Count the first parts that two ids have in common."""
    parts = list(zip(one.split("-"), other.split("-"), strict=False))
    return next((index for index, (a, b) in enumerate(parts) if a != b), len(parts))


def related(name: str, among: Iterable[Requirement]) -> list[Requirement]:
    """Give the requirements whose ids have most parts in common with an id, and at least two."""
    scored = [(common(name, each.id), each) for each in among]
    most = max((score for score, _ in scored), default=0)
    return [each for score, each in scored if score == most] if most >= RELATED else []


def usual_operations(name: str, known: Catalogue) -> tuple[str, ...]:
    """Give the operations that most related requirements are about.

    Raises:
        NewError: there are none.
    """
    counted = Counter(each.operations for each in related(name, known))
    if not counted:
        raise NewError(f"no id begins like {name}: name an operation with --operation")
    return counted.most_common(1)[0][0]


def citations(texts: Sequence[str], known: Catalogue) -> tuple[Citation, ...]:
    """Read ``DOCUMENT: SECTION``, and give them in the order of ``sources.yaml``.

    Raises:
        NewError: one has another form, or its document is unknown.
    """
    found: list[Citation] = []
    for text in texts:
        document, _, section = (part.strip() for part in text.partition(":"))
        if not document or not section:
            raise NewError(f"--source {text!r} is not of the form DOCUMENT:SECTION")
        expect("--source", [document], known.sources)
        found.append(Citation(document, section))
    order = [*known.sources]
    return tuple(sorted(found, key=lambda citation: order.index(citation.document)))


def levels(
    told: Sequence[str], profiles: Sequence[str], cited: Sequence[Citation], known: Catalogue
) -> dict[str, Level | None]:
    """Give the level of each profile: one for some profiles, or ``PROFILE=LEVEL``.

    Without ``profiles``, a single level is for the profiles that have a cited document among their
    own.

    Raises:
        NewError: a word is unknown, there are two levels for the same profiles, or no profile gets one.
    """
    expect("--profile", profiles, known.profiles)
    single = [text for text in told if "=" not in text]
    if len(single) > 1:
        raise NewError("--level has two levels for the same profiles: use PROFILE=LEVEL")
    documents = {citation.document for citation in cited}
    chosen = profiles or [name for name, profile in known.profiles.items() if documents & {*profile.sources}]
    found: dict[str, Level | None] = dict.fromkeys(known.profiles)
    if single and not chosen:
        raise NewError("no profile has a cited document among its own: name profiles with --profile")
    if profiles and not single:
        raise NewError("--profile says for which profiles a single --level is, and there is none")
    found |= {name: _level(text) for text in single for name in chosen}
    for profile, _, level in (text.partition("=") for text in told if "=" in text):
        expect("--level", [profile], known.profiles)
        found[profile] = _level(level)
    return found


def _level(text: str) -> Level:
    try:
        return Level(text.upper())
    except ValueError:
        raise NewError(f"--level {text!r} is none of {', '.join(Level)}") from None


def expect(option: str, names: Iterable[str], known: Container[str]) -> None:
    """Check names that an option was given.

    Raises:
        NewError: one is unknown.
    """
    for name in names:
        if name not in known:
            raise NewError(f"{option} names the unknown {name!r}{_hint(name, known)}")


def _hint(name: str, known: Container[str]) -> str:
    if not isinstance(known, Iterable):
        return ""
    if _few(known):
        return f": it has {', '.join(known)}"
    close = resembling(name, known)
    return f"; did you mean {', '.join(close)}?" if close else ""


def _few(known: Iterable[str]) -> bool:
    return len([*known]) <= 60  # a screen
