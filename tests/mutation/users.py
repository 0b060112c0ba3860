"""Who uses the names at the top of a module, which are run once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache

from tests.support.weakening import source_of, walk

#: A module and the first and last line of a function in it.
Span = tuple[str, int, int]


@cache
def _functions(module: str) -> tuple[tuple[str, Span, frozenset[str]], ...]:
    """List the functions of a module: its place, its lines, the names in it."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    return tuple(
        (place, (module, node.lineno, node.end_lineno or node.lineno), frozenset(_names(node)))
        for place, node in walk(tree, "")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr


@cache
def _defined(module: str) -> tuple[tuple[frozenset[str], int, int, frozenset[str]], ...]:
    """List what a module defines at its top: the names, the lines, and what they are made of."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    found = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = frozenset(target.id for target in targets if isinstance(target, ast.Name))
            last = statement.end_lineno or statement.lineno
            found.append((names, statement.lineno, last, frozenset(_names(statement)) - names))
    return tuple(found)


def function(module: str, place: str) -> Span | None:
    """Return the lines of a function by its place."""
    return next((span for name, span, _ in _functions(module) if name == place), None)


def users(module: str, line: int, modules: Sequence[str]) -> list[Span]:
    """Return the functions that use a line at the top of a module, also indirectly."""
    names: set[str] = set()
    for defined, first, last, _ in _defined(module):
        if first <= line <= last:
            names |= defined
    for _ in range(3):  # definitions of definitions
        for other in modules:
            for defined, _, _, made_of in _defined(other):
                if made_of & names:
                    names |= defined
    return [span for other in modules for _, span, used in _functions(other) if used & names]
