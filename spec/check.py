"""Whether the specification is consistent in itself and with the code that refers to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema_rs

from spec import catalogue, conditions_check, document, trace
from spec.catalogue import CATEGORIES, PREFIXES, Catalogue
from spec.marks import Marked, Problem, SpecError, read_yaml, repeated_keys
from spec.model import Requirement
from spec.texts import decisions
from spec.ties import Ties, answered

#: The JSON Schema of each kind of catalogue file; the others are requirements.
_KINDS = {
    "profiles.yaml": "profiles",
    "sources.yaml": "sources",
    "capabilities.yaml": "capabilities",
    "withdrawn.yaml": "withdrawn",
}


@dataclass(slots=True)
class Result:
    """What a check found: the problems in the order of files and lines, and the numbers."""

    problems: list[Problem]
    catalogue: Catalogue
    trace: trace.Trace
    decided: frozenset[str] = field(default_factory=frozenset)

    def counts(self) -> list[tuple[str, dict[str, int]]]:
        """Give a row for each category and one for all, with the numbers by name of column."""
        rows = [(name, self._count(self.catalogue.category(name))) for name in CATEGORIES]
        everything = tuple(self.catalogue)
        decided = tuple(requirement for requirement in everything if requirement.id in self.decided)
        return [*rows, ("all", self._count(everything)), ("of these decided", self._count(decided))]

    def _count(self, requirements: tuple[Requirement, ...]) -> dict[str, int]:
        return {
            "all": len(requirements),
            **{profile: sum(profile in r.levels for r in requirements) for profile in self.catalogue.profiles},
            "decided": sum(r.id in self.decided for r in requirements),
            "untestable": sum(bool(r.untestable) for r in requirements),
            "planned": sum(bool(r.planned) for r in requirements),
        }


def check(repository: Path = catalogue.ROOT.parent) -> Result:
    """Check the ``spec`` folder of a repository and its code; list all problems."""
    root = repository / "spec"
    known, problems = catalogue.read(root)
    schema_problems = [*_schemas(root), *_catalogue_files(root, known)]
    off_schema = {problem.file for problem in schema_problems}
    problems = [p for p in problems if not (p.file in off_schema and p.message.startswith("malformed entry"))]
    problems += schema_problems
    operations, openapi_problems = _openapi(root, known)
    problems += openapi_problems
    found = trace.scan(repository, root)
    problems += found.problems
    problems += _references(known, operations)
    problems += _levels(known)
    problems += _stated(known)
    problems += _cycles(known)
    problems += _withdrawn(known)
    problems += _unwritten(known, found)
    problems += _trace(known, operations, found)
    problems += _decisions(known, found)
    problems += _unprovable(known, found)
    problems += _unproven(known, found)
    problems += _coverage(root, known)
    problems += conditions_check.problems(root, known, found)
    decided = {name for scenario in found.scenarios for name in scenario.ids} | {place.id for place in found.places}
    ordered = sorted(set(problems))
    return Result(ordered, known, found, frozenset(decided & known.requirements.keys()))


def _schemas(root: Path) -> Iterator[Problem]:
    for path in sorted((root / "schemas").glob("*.json")):
        file = f"{root.name}/schemas/{path.name}"
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            marked = read_yaml(path, file)
        except json.JSONDecodeError as error:
            yield Problem(file, error.lineno, f"is not valid JSON: {error.msg}")
        except SpecError as error:
            yield from error.problems
        else:
            yield from repeated_keys(marked)
            for wrong in jsonschema_rs.Draft202012Validator(_META).iter_errors(value):
                place = wrong.instance_path
                yield marked.problem(f"is not a valid JSON Schema: {_at(place)}{wrong.message}", *place)


_META: dict[str, Any] = {"$ref": "https://json-schema.org/draft/2020-12/schema"}


def _catalogue_files(root: Path, known: Catalogue) -> Iterator[Problem]:
    for marked in known.files:
        yield from repeated_keys(marked)
        kind = _KINDS.get(marked.file.rpartition("/")[2], "catalogue")
        path = root / "schemas" / f"{kind}.schema.json"
        try:
            schema = json.loads(path.read_text(encoding="utf-8"))
            validator = jsonschema_rs.Draft202012Validator(schema)
        except (OSError, ValueError) as error:
            yield Problem(f"{root.name}/schemas/{path.name}", 1, f"cannot be used: {error}")
            continue
        for wrong in validator.iter_errors(marked.value):
            yield marked.problem(f"{_at(wrong.instance_path)}{wrong.message}", *wrong.instance_path)


def _at(path: Sequence[str | int]) -> str:
    names = [str(step) for step in path if isinstance(step, str)]
    return f"{'.'.join(names)}: " if names else ""


def _openapi(root: Path, known: Catalogue) -> tuple[frozenset[str], list[Problem]]:
    """Give the ids of the operations and what is wrong with the OpenAPI document."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415  `show` does without its slow import

    bundler = document.Bundler(root)
    try:
        bundled = bundler.bundle()
    except SpecError as error:
        return frozenset(), list(error.problems)
    problems = [problem for marked in bundler.files.values() for problem in repeated_keys(marked)]
    try:
        errors = list(OpenAPIV31SpecValidator(bundled).iter_errors())
    except Exception as error:  # whatever the validator stumbles over is a fault of the document
        return frozenset(), [*problems, Problem(f"{root.name}/openapi.yaml", 1, f"is no OpenAPI document: {error}")]
    for wrong in errors:
        file, line = bundler.locate(getattr(wrong, "absolute_path", ()))
        message = str(getattr(wrong, "message", wrong)).splitlines()[0][:300]
        problems.append(Problem(file, line, f"is not valid OpenAPI 3.1: {message}"))
    if problems:
        return frozenset(), problems
    problems += Ties(bundler, bundled, known).problems()
    return frozenset(name for operation in document.operations(bundled) for name in operation.ids), problems


def _references(known: Catalogue, operations: frozenset[str]) -> Iterator[Problem]:
    for marked in known.files:
        for position, entry in enumerate(marked.value if isinstance(marked.value, list) else ()):
            name = str(entry.get("id")) if isinstance(entry, dict) else ""
            if marked.file.endswith("/profiles.yaml") and name in known.profiles:
                for index, source in enumerate(known.profiles[name].sources):
                    if source not in known.sources:
                        yield marked.problem(f"unknown source {source}", position, "sources", index)
            requirement = known.requirements.get(name)
            if requirement and (requirement.file, requirement.line) == (marked.file, marked.line(position)):
                yield from _entry(marked, position, requirement, known, operations)


def _entry(
    marked: Marked, position: int, requirement: Requirement, known: Catalogue, operations: frozenset[str]
) -> Iterator[Problem]:
    prefix = PREFIXES.get(requirement.category)
    if prefix is None:
        yield marked.problem(f"unknown category {requirement.category}", position)
    elif not requirement.id.startswith(f"{prefix}-"):
        yield marked.problem(f"id {requirement.id} does not begin with {prefix}-", position, "id")
    for profile in marked.value[position]["level"]:
        if profile not in known.profiles:
            yield marked.problem(f"unknown profile {profile}", position, "level", profile)
    if not requirement.levels:
        yield marked.problem(f"{requirement.id} has no level in any profile", position, "level")
    for index, citation in enumerate(requirement.sources):
        if citation.document not in known.sources:
            yield marked.problem(f"unknown source {citation.document}", position, "sources", index)
    lists: tuple[tuple[str, str, tuple[str, ...], Callable[[str], bool]], ...] = (
        ("operation", "operations", requirement.operations, lambda name: not operations or name in operations),
        ("capability", "needs", requirement.needs, known.capabilities.__contains__),
        ("requirement", "presumes", requirement.presumes, known.requirements.__contains__),
    )
    for what, member, names, exists in lists:
        for index, name in enumerate(names):
            if not exists(name):
                verb = "presumes unknown" if member == "presumes" else "unknown"
                yield marked.problem(f"{verb} {what} {name}", position, member, index)


def _levels(known: Catalogue) -> Iterator[Problem]:
    """Check that a profile has what its requirements presume, or that the entry says why it may lack it."""
    needed: dict[tuple[str, str], list[str]] = {}
    for requirement in known:
        for name in requirement.presumes:
            presumed = known.requirements.get(name)
            for profile in requirement.levels if presumed else ():
                if presumed and profile not in presumed.levels:
                    needed.setdefault((name, profile), []).append(requirement.id)
    for (name, profile), ids in needed.items():
        if profile not in known.requirements[name].presumed_beyond:
            for requirement in map(known.requirement, ids):
                message = (
                    f"{requirement.id} ({requirement.levels[profile]} in {profile}) presumes {name}, which has no "
                    f"level there: give it one, or list {profile} in its presumed_beyond with the reason"
                )
                yield Problem(requirement.file, requirement.line, message)
    for requirement in known:
        for profile in requirement.presumed_beyond:
            if (requirement.id, profile) not in needed:
                message = f"{requirement.id} says why it is presumed beyond {profile}, where nothing does so"
                yield Problem(requirement.file, requirement.line, message)


def _stated(known: Catalogue) -> Iterator[Problem]:
    """Check that the statuses that a statement names are those of its data."""
    for requirement in known:
        data = {status for statuses in requirement.statuses.values() for status in statuses}
        if left := [status for status in answered(requirement.statement) if status not in data]:
            message = f"the statement of {requirement.id} names {', '.join(map(str, left))}, its statuses do not"
            yield Problem(requirement.file, requirement.line, message)


def _coverage(root: Path, known: Catalogue) -> Iterator[Problem]:
    """Check what is decided of the sentences of sources."""
    for path in sorted((root / decisions.FOLDER).glob("*.yaml")):
        if path.stem not in known.sources:
            yield Problem(f"{root.name}/{decisions.FOLDER}/{path.name}", 1, "has the name of no source")
        try:
            decisions.read(path, known)
        except SpecError as error:
            yield from error.problems


def _cycles(known: Catalogue) -> Iterator[Problem]:
    """Name each cycle of ``presumes`` once, at the requirement of it that comes first."""
    done: set[str] = set()
    for start in known.requirements:
        path: list[str] = []
        stack = [(start, 0)]
        while stack:
            name, depth = stack.pop()
            del path[depth:]
            if name in path:
                cycle = path[path.index(name) :]
                first = min((known.requirements[n] for n in cycle), key=lambda r: (r.file, r.line))
                shown = cycle[cycle.index(first.id) :] + cycle[: cycle.index(first.id)]
                yield Problem(first.file, first.line, f"cycle of presumes: {' > '.join([*shown, first.id])}")
                continue
            if name in done or name not in known.requirements:
                continue
            path.append(name)
            stack.extend((presumed, depth + 1) for presumed in known.requirements[name].presumes)
        done.add(start)


def _withdrawn(known: Catalogue) -> Iterator[Problem]:
    for requirement in known:
        if requirement.id in known.withdrawn:
            message = f"{requirement.id} was withdrawn and must not be used again"
            yield Problem(requirement.file, requirement.line, message)


def _unwritten(known: Catalogue, found: trace.Trace) -> Iterator[Problem]:
    """What `python -m spec new` left to its author, and a fault without its change."""
    for marked in known.files:
        for position, entry in enumerate(marked.value if isinstance(marked.value, list) else ()):
            for member, text in entry.items() if isinstance(entry, dict) else ():
                if isinstance(text, str) and text.startswith(trace.UNWRITTEN):
                    yield marked.problem(text, position, member)
    for text, file, line in found.unwritten:
        yield Problem(file, line, text)
    for fault in found.faults:
        if not fault.changes:
            yield Problem(fault.file, fault.line, f"fault {fault.name} changes nothing: give it apply, layer or tokens")


def _trace(known: Catalogue, operations: frozenset[str], found: trace.Trace) -> Iterator[Problem]:
    for place in found.places:
        if place.id not in known:
            yield Problem(place.file, place.line, f"x-requirement names nothing: {place.id}")
        if place.operation and operations and place.operation not in operations:
            yield Problem(place.file, place.line, f"unknown operation {place.operation}")
    reported: set[tuple[str, str]] = set()
    for scenario in found.scenarios:
        for name in scenario.ids:
            if name not in known:
                reported.add((name, scenario.file))
                yield Problem(scenario.file, scenario.line, f"@verifies on {scenario.name} names nothing: {name}")
    for name, file, line in found.mentions:
        exists = name in known or ("*" in name and any(fnmatchcase(known_id, name) for known_id in known.requirements))
        if not exists and (name, file) not in reported:
            yield Problem(file, line, f"there is no requirement {name}")


def _decisions(known: Catalogue, found: trace.Trace) -> Iterator[Problem]:
    scenarios = {name: scenario for scenario in reversed(found.scenarios) for name in scenario.ids}
    places = {place.id: place for place in reversed(found.places)}
    for requirement in known:
        stated = [name for name in ("untestable", "planned") if getattr(requirement, name)]
        file, line, name = requirement.file, requirement.line, requirement.id
        if len(stated) > 1:
            yield Problem(file, line, f"{name} is both untestable and planned")
        by = scenarios.get(name) or places.get(name)
        if by is None and not stated:
            message = f"{name} is decided by no scenario and no x-requirement, and is neither untestable nor planned"
            yield Problem(file, line, message)
        elif by is not None and stated:
            what = "a scenario" if name in scenarios else "an x-requirement"
            yield Problem(file, line, f"{name} has {what} ({by.file}:{by.line}) and yet is {' and '.join(stated)}")


def _unprovable(known: Catalogue, found: trace.Trace) -> Iterator[Problem]:
    """A reason why nothing can be shown stands only where something could be, and nothing is."""
    broken = {name: fault for fault in reversed(found.faults) for name in fault.ids}
    for requirement in known:
        if not requirement.unprovable:
            continue
        file, line, name = requirement.file, requirement.line, requirement.id
        if name in broken:
            fault = broken[name]
            yield Problem(
                file, line, f"{name} is broken by {fault.name} ({fault.file}:{fault.line}) and yet unprovable"
            )
        if requirement.untestable or requirement.planned:
            yield Problem(file, line, f"{name} is unprovable although nothing decides it")


def _unproven(known: Catalogue, found: trace.Trace) -> Iterator[Problem]:
    """What is decided must be seen to fail: a fault breaks it, or the entry says why none can."""
    broken = {name for fault in found.faults for name in fault.ids}
    decided = {name for scenario in found.scenarios for name in scenario.ids} | {place.id for place in found.places}
    for requirement in known:
        if requirement.id in decided and requirement.id not in broken and not requirement.unprovable:
            yield Problem(requirement.file, requirement.line, f"no fault breaks {requirement.id}")
