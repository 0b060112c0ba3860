"""What is decided of the sentences of a source: which requirements cover them, or why none does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spec.catalogue import Catalogue
from spec.marks import Problem, SpecError, read_yaml
from spec.texts.sentences import Sentence

#: Below ``spec/``: a file for each source.
FOLDER = "coverage"


@dataclass(frozen=True, slots=True)
class Decision:
    """One sentence by its section and hash, and the requirements that cover it, or the reason why none does."""

    section: str
    hash: str
    ids: tuple[str, ...]
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The sentences of a document: covered, left out with a reason, undecided; and decisions without a sentence."""

    covered: tuple[tuple[Sentence, Decision], ...]
    reasoned: tuple[tuple[Sentence, Decision], ...]
    undecided: tuple[Sentence, ...]
    gone: tuple[Decision, ...]


def read(path: Path, known: Catalogue) -> tuple[Decision, ...]:
    """Read a file of decisions; none where there is no file.

    Raises:
        SpecError: it is malformed, has a sentence twice, or names a requirement that is unknown or does not cite the
            source.
    """
    if not path.is_file():
        return ()
    marked = read_yaml(path, f"spec/{FOLDER}/{path.name}")
    problems: list[Problem] = []
    found: dict[str, Decision] = {}
    for position, entry in enumerate(marked.value if isinstance(marked.value, list) else []):
        try:
            decision = _decision(entry, marked.line(position))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(marked.problem(f"malformed decision: {error}", position))
            continue
        for name in decision.ids:
            cited = {c.document for c in known.requirements[name].sources} if name in known else set()
            if name not in known:
                problems.append(marked.problem(f"there is no requirement {name}", position, "ids"))
            elif path.stem in known.sources and path.stem not in cited:
                problems.append(marked.problem(f"{name} does not cite {path.stem}", position, "ids"))
        if decision.hash in found:
            problems.append(marked.problem(f"{decision.hash} stands twice", position))
        found[decision.hash] = decision
    if not isinstance(marked.value, list):
        problems.append(marked.problem("is not a list of decisions"))
    if problems:
        raise SpecError(problems)
    return tuple(found.values())


def _decision(entry: Mapping[str, Any], line: int) -> Decision:
    ids, reason = tuple(map(str, entry.get("ids", ()))), str(entry.get("reason", ""))
    if bool(ids) == bool(reason):
        raise ValueError("it has ids or a reason, and not both")
    if strangers := sorted(entry.keys() - {"section", "hash", "ids", "reason"}):
        raise ValueError(f"unknown member {strangers[0]}")
    return Decision(str(entry["section"]), str(entry["hash"]), ids, reason, line)


def cover(found: Iterable[Sentence], decisions: Iterable[Decision]) -> Coverage:
    """Say what is decided of some sentences; one that stands in several places is counted at the first."""
    by_hash = {decision.hash: decision for decision in decisions}
    covered: list[tuple[Sentence, Decision]] = []
    reasoned: list[tuple[Sentence, Decision]] = []
    undecided: list[Sentence] = []
    seen: set[str] = set()
    for sentence in found:
        if sentence.hash in seen:
            continue
        seen.add(sentence.hash)
        decision = by_hash.get(sentence.hash)
        if decision is None:
            undecided.append(sentence)
        else:
            (covered if decision.ids else reasoned).append((sentence, decision))
    gone = tuple(decision for decision in by_hash.values() if decision.hash not in seen)
    return Coverage(tuple(covered), tuple(reasoned), tuple(undecided), gone)


def candidates(sentence: Sentence, source: str, known: Catalogue) -> tuple[str, ...]:
    """Give the requirements that cite the section of a sentence, in the source."""
    last = sentence.section.rpartition(" > ")[2].lower()
    cited = {
        requirement.id: [c.section.lower() for c in requirement.sources if c.document == source]
        for requirement in known
    }
    return tuple(name for name, sections in cited.items() if last and any(last in section for section in sections))
