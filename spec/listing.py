"""``python -m spec list``: the requirements that a profile, a level, a section or a gap chooses."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from spec import catalogue, document, trace
from spec.catalogue import CATEGORIES, Catalogue, resembling
from spec.model import Level, Requirement

_USAGE = 4
_LEVELS = tuple(Level)


class _WrongError(Exception):
    """An argument names nothing; the message is one sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--profile", metavar="NAME", help="with a level in this profile")
    add("--level", type=str.upper, choices=_LEVELS, help="with this level, in --profile or in any")
    add("--category", metavar="NAME", help="of this category")
    add(
        "--section",
        metavar="TEXT",
        help="that cite a section with this text, as 'Deleting tags' or 'oci-main: Pushing'",
    )
    add("--operation", metavar="NAME", help="about this operation")
    add("--uncovered", action="store_true", help="that nothing decides, or that no fault breaks")
    add("--format", choices=("text", "ids", "json"), default="text", help="text by default; ids for other commands")


def run(options: argparse.Namespace) -> int:
    """Print the requirements; 0, or 4 where an argument names nothing."""
    root: Path = options.root / "spec"
    known = catalogue.load(root)
    try:
        found = [*_chosen(options, known, root)]
    except _WrongError as error:
        print(f"python -m spec list: {error}", file=sys.stderr)
        return _USAGE
    told = _gaps(options.root, root, known) if options.uncovered else {}
    if options.uncovered:
        found = [requirement for requirement in found if requirement.id in told]
    for line in _lines(found, known, options.format, told):
        print(line)
    return 0


def _chosen(options: argparse.Namespace, known: Catalogue, root: Path) -> Iterator[Requirement]:
    _expect("--profile", options.profile, [*known.profiles])
    _expect("--category", options.category, CATEGORIES)
    if options.operation:
        _expect("--operation", options.operation, sorted(document.operation_ids(root)))
    for requirement in known:
        levels = [requirement.levels.get(options.profile)] if options.profile else [*requirement.levels.values()]
        cited = [f"{each.document}: {each.section}".lower() for each in requirement.sources]
        if (
            any(level is not None and options.level in {None, str(level)} for level in levels)
            and options.category in {None, requirement.category}
            and (not options.section or any(options.section.lower() in each for each in cited))
            and (not options.operation or options.operation in requirement.operations)
        ):
            yield requirement


def _expect(option: str, name: str | None, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        close = resembling(name, known)
        hint = f"; did you mean {', '.join(close)}?" if close else f": it is one of {', '.join(known)}"
        raise _WrongError(f"{option}: there is no {name!r}{hint}")


def _gaps(repository: Path, root: Path, known: Catalogue) -> dict[str, str]:
    """Give what is not covered, and why."""
    found = trace.scan(repository, root)
    decided = {name for scenario in found.scenarios for name in scenario.ids} | {place.id for place in found.places}
    broken = {name for fault in found.faults for name in fault.ids}
    told: dict[str, str] = {}
    for requirement in known:
        if requirement.id not in decided:
            told[requirement.id] = f"nothing decides it: {requirement.untestable or requirement.planned or 'no reason'}"
        elif requirement.id not in broken:
            told[requirement.id] = f"no fault breaks it: {requirement.unprovable or 'no reason'}"
    return told


def _lines(found: Sequence[Requirement], known: Catalogue, form: str, told: dict[str, str]) -> Iterator[str]:
    if form == "ids":
        yield from (requirement.id for requirement in found)
        return
    if form == "json":
        yield json.dumps([_plain(requirement, told) for requirement in found], indent=1, ensure_ascii=True)
        return
    width = max((len(requirement.id) for requirement in found), default=0)
    for requirement in found:
        levels = " ".join(f"{requirement.levels.get(profile) or '-':6}" for profile in known.profiles)
        yield f"{requirement.id:{width}}  {levels}  {requirement.statement}"
        if requirement.id in told:
            yield f"{'':{width}}  {told[requirement.id]}"
    yield f"{len(found)} of {len(known)} requirements; levels in {', '.join(known.profiles)}"


def _plain(requirement: Requirement, told: dict[str, str]) -> dict[str, object]:
    return {
        "id": requirement.id,
        "category": requirement.category,
        "statement": requirement.statement,
        "levels": {profile: str(level) for profile, level in requirement.levels.items()},
        "sources": [f"{each.document}: {each.section}" for each in requirement.sources],
        **({"gap": told[requirement.id]} if requirement.id in told else {}),
    }
