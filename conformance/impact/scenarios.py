"""Which requirements are decided by other scenarios than before."""

from __future__ import annotations

import ast
from pathlib import Path

from spec import trace
from spec.diff import Tree

#: What of a revision has to be there: the specification, and what decides it.
PARTS = ("spec", "conformance/scenarios")


def changed(old: Tree, new: Tree) -> frozenset[str]:
    """Return the requirements of which a scenario was added, removed or changed.

    A tree without a suite is taken to have that of the other.
    """
    before, after = _modules(old), _modules(new)
    if not (before and after):
        return frozenset()
    found: set[str] = set()
    for file in before.keys() | after.keys():
        texts = before.get(file, ""), after.get(file, "")
        if texts[0] != texts[1]:
            told = [_codes(file, text) for text in texts]
            found |= {name for name in told[0].keys() | told[1].keys() if told[0].get(name) != told[1].get(name)}
    return frozenset(found)


def decided(tree: Tree) -> frozenset[str]:
    """Return the requirements that scenarios decide."""
    modules = _modules(tree).items()
    return frozenset(
        name for file, text in modules for each in trace.of_module(text, file).scenarios for name in each.ids
    )


def has_suite(tree: Tree) -> bool:
    """Whether there are scenarios beside the specification."""
    return (tree.repository / PARTS[1]).is_dir()


def _modules(tree: Tree) -> dict[str, str]:
    paths = sorted((tree.repository / PARTS[1]).rglob("*.py"))
    return {path.relative_to(tree.repository).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _codes(file: str, text: str) -> dict[str, set[str]]:
    """Give what the scenarios of a module do, by requirement, without places and comments."""
    try:
        module = ast.parse(text)
    except SyntaxError:
        return {}
    found: dict[str, set[str]] = {}
    for scenario in trace.of_module(text, file).scenarios:
        code = f"{scenario.name}: {_code(module, scenario.name)}"
        for name in scenario.ids:
            found.setdefault(name, set()).add(code)
    return found


def _code(module: ast.Module, name: str) -> str:
    """Return a function or class; the whole module for one that it has no name for."""
    node: ast.AST = module
    for part in name.split("."):
        below = (child for child in ast.walk(node) if isinstance(child, ast.FunctionDef | ast.ClassDef))
        node = next((child for child in below if child.name == part), node)
    return ast.dump(node)


def of_suite() -> Tree:
    """Return the tree that this suite is in."""
    return Tree("this suite", Path(__file__).resolve().parents[2])
