"""Two specifications as one list of changes."""

from __future__ import annotations

from typing import Any

from spec import catalogue, document
from spec.diff import contract, requirements
from spec.diff.changes import Asks, Diff, Kind
from spec.diff.trees import Tree, TreeError
from spec.marks import SpecError


def compare(old: Tree, new: Tree) -> Diff:
    """Give the changes from one specification to another, gravest first.

    Raises:
        TreeError: one of them is malformed.
    """
    (before, its_document), (after, new_document) = _read(old), _read(new)
    found = [*requirements.changes(before, after), *contract.changes(its_document, new_document)]
    kinds, asks = [*Kind], [*Asks]
    found.sort(key=lambda change: (kinds.index(change.kind), asks.index(change.asks)))
    profiles = tuple(dict.fromkeys((*after.profiles, *before.profiles)))
    return Diff((old.name, new.name), tuple(found), profiles)


def _read(tree: Tree) -> tuple[catalogue.Catalogue, dict[str, Any]]:
    try:
        known, problems = catalogue.read(tree.root)
        if problems:
            raise SpecError(problems)
        return known, document.Bundler(tree.root).bundle()
    except SpecError as error:
        raise TreeError(f"{tree.name} is malformed\n{error}") from error
