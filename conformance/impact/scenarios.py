"""Which requirements are decided by other scenarios than before."""

from __future__ import annotations

import ast
from pathlib import Path

from spec import trace
from spec.catalogue import Catalogue
from spec.diff import Tree


def changed(old: Tree, new: Tree, known: Catalogue) -> frozenset[str]:
    """Return the requirements of which a scenario was added, removed or changed.

    A tree without a suite is taken to have that of the other.
    """
    if not all((tree.repository / "conformance").is_dir() for tree in (old, new)):
        return frozenset()
    before, after = (trace.scan(tree.repository, tree.root) for tree in (old, new))
    modules: dict[Path, ast.Module] = {}
    found: set[str] = set()
    for name in known.requirements:
        told = [
            {(s.file, s.name, _code(modules, tree.repository / s.file, s.name)) for s in each}
            for tree, each in ((old, before.scenarios_of(name)), (new, after.scenarios_of(name)))
        ]
        if told[0] != told[1]:
            found.add(name)
    return frozenset(found)


def decided(tree: Tree) -> frozenset[str]:
    """Return the requirements that scenarios decide."""
    return frozenset(name for scenario in trace.scan(tree.repository, tree.root).scenarios for name in scenario.ids)


def _code(modules: dict[Path, ast.Module], path: Path, name: str) -> str:
    """Return what a scenario does, without places and comments; the whole module for one that it has no name for."""
    if path not in modules:
        modules[path] = ast.parse(path.read_text(encoding="utf-8"))
    node: ast.AST = modules[path]
    for part in name.split("."):
        below = (child for child in ast.walk(node) if isinstance(child, ast.FunctionDef | ast.ClassDef))
        node = next((child for child in below if child.name == part), node)
    return ast.dump(node)
