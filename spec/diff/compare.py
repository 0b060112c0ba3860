"""Two specifications as one list of changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spec import catalogue, document
from spec.catalogue import Catalogue
from spec.diff import contract, requirements
from spec.diff.changes import Asks, Diff, Kind
from spec.diff.trees import Tree, TreeError
from spec.marks import SpecError


@dataclass(frozen=True, slots=True)
class Specification:
    """A specification that was read: its name for people, its catalogue, and its bundled OpenAPI document."""

    name: str
    known: Catalogue
    document: dict[str, Any]


def read(tree: Tree) -> Specification:
    """Read the specification of a tree, anew each time.

    Raises:
        TreeError: it is malformed; the message has each problem with its file and line.
    """
    known, problems = catalogue.read(tree.root)
    try:
        if problems:
            raise SpecError(problems)
        return Specification(tree.name, known, document.Bundler(tree.root).bundle())
    except SpecError as error:
        raise TreeError(f"{tree.name} is malformed\n{error}") from error


def compare(old: Specification, new: Specification) -> Diff:
    """Give the changes from one specification to another, gravest first."""
    found = [*requirements.changes(old.known, new.known), *contract.changes(old.document, new.document)]
    kinds, asks = [*Kind], [*Asks]
    found.sort(key=lambda change: (kinds.index(change.kind), asks.index(change.asks)))
    profiles = tuple(dict.fromkeys((*new.known.profiles, *old.known.profiles)))
    return Diff((old.name, new.name), tuple(found), profiles)
