"""Check laws and conditions against each other, the catalogue and the scenarios."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs

from spec import conditions
from spec.catalogue import Catalogue
from spec.marks import Marked, Problem, SpecError, read_yaml
from spec.trace import Trace

#: Where the scenarios are that try the laws.
FOLDER = "conformance/scenarios/conditions/"


def problems(root: Path, known: Catalogue, found: Trace) -> Iterator[Problem]:
    """List what is wrong with ``conditions.yaml``; a specification without it has no laws."""
    path = root / conditions.FILE
    if not path.is_file():
        return
    file = f"{root.name}/{conditions.FILE}"
    try:
        document = read_yaml(path, file)
    except SpecError as error:
        yield from error.problems
        return
    schema = json.loads((root / "schemas" / "conditions.schema.json").read_text(encoding="utf-8"))
    errors = [*jsonschema_rs.Draft202012Validator(schema).iter_errors(document.value)]
    for wrong in errors:
        yield document.problem(wrong.message, *wrong.instance_path)
    if not errors:
        yield from _dimensions(document, known)
        yield from _laws(document, known, found)


def _dimensions(document: Marked, known: Catalogue) -> Iterator[Problem]:
    names = [entry["id"] for entry in document.value["dimensions"]]
    for number, entry in enumerate(document.value["dimensions"]):
        place = ("dimensions", number)
        if names.count(entry["id"]) > 1:
            yield document.problem(f"the dimension {entry['id']} is there twice", *place)
        if sum("plain" in value for value in entry["values"]) != 1:
            yield document.problem(f"the dimension {entry['id']} needs one plain value", *place)
        for name, count in Counter(value["id"] for value in entry["values"]).items():
            if count > 1:
                yield document.problem(f"the dimension {entry['id']} has the value {name} twice", *place)
        for need in (need for value in entry["values"] for need in value.get("needs", ())):
            if need not in known.capabilities:
                yield document.problem(f"needs the unknown capability {need}", *place)
        for name in (name for value in entry["values"] for name in value.get("hides", ())):
            if name not in names:
                yield document.problem(f"hides the unknown dimension {name}", *place)
    for number, entry in enumerate(document.value["subjects"]):
        for name in entry["dimensions"]:
            if name not in names:
                yield document.problem(f"names the unknown dimension {name}", "subjects", number)


def _laws(document: Marked, known: Catalogue, found: Trace) -> Iterator[Problem]:
    subjects = {entry["id"] for entry in document.value["subjects"]}
    tried = {name for scenario in found.scenarios if scenario.file.startswith(FOLDER) for name in scenario.ids}
    named: set[str] = set()
    for number, entry in enumerate(document.value["laws"]):
        if entry["subject"] not in subjects:
            yield document.problem(f"speaks of the unknown subject {entry['subject']}", "laws", number)
        for name in entry["requirements"]:
            named.add(name)
            if name not in known:
                yield document.problem(f"names the unknown requirement {name}", "laws", number)
            elif name not in tried:
                yield document.problem(f"names {name}, which no scenario in {FOLDER} verifies", "laws", number)
    for name in sorted(tried - named):
        yield document.problem(f"has no law for {name}, which a scenario in {FOLDER} verifies", "laws")
