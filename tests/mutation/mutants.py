"""The mutants of a module: one small change at one place each, with a stable name."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import changes
from tests.support.weakening import source_of

ROOT = Path(__file__).resolve().parents[2]
_SHOWN = 70
#: What is said to people who look at the server, and to type checkers.
_SKIPPED_CALLS = ("log", "logging")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed place: ``number`` counts the changes of its module."""

    module: str
    number: int
    place: str
    #: The lines that are run with it.
    lines: tuple[int, ...]
    operator: str
    before: str
    after: str
    #: Among those that are alike in all but the line.
    occurrence: int = 1

    @property
    def name(self) -> str:
        """What identifies it, whatever else changes in the file."""
        twin = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.module}:{self.place}: {self.operator}: {self.before} -> {self.after}{twin}"

    @property
    def key(self) -> str:
        """The name in short, for file names and tables."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:10]


def mutants(module: str) -> list[Mutant]:
    """List the mutants of a module, in the order of its text."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    found: list[Mutant] = []
    twins: Counter[tuple[str, ...]] = Counter()
    statements = _statements(tree)
    for number, (place, node, operator, after) in enumerate(_opportunities(tree)):
        told = (place, operator, _short(node), _short(after))
        twins[told] += 1
        lines = _lines(node, statements.get(node, node))
        found.append(Mutant(module, number, place, lines, told[1], told[2], told[3], twins[told]))
    return found


def _statements(tree: ast.Module) -> dict[ast.AST, ast.stmt]:
    """Find for each expression the innermost statement that it is in."""
    found: dict[ast.AST, ast.stmt] = {}
    for statement in ast.walk(tree):  # from outside to inside: the last word is the innermost's
        if isinstance(statement, ast.stmt):
            for child in ast.walk(statement):
                if not isinstance(child, ast.stmt):
                    found[child] = statement
    return found


def _lines(node: ast.AST, statement: ast.AST) -> tuple[int, ...]:
    own = (getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0)
    if isinstance(node, ast.If | ast.While):
        own = (node.lineno, node.test.end_lineno or node.lineno)
    return tuple(sorted({getattr(statement, "lineno", own[0]), *range(own[0], own[1] + 1)}))


def mutated(module: str, number: int) -> ast.Module:
    """Return the tree of a module with one change."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    for index, (_, node, _, after) in enumerate(_opportunities(tree)):
        if index == number:
            _replace(tree, node, after)
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{module} has no mutant {number}")


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 12] + ".." + hashlib.sha256(text.encode()).hexdigest()[:10]


def _opportunities(tree: ast.Module) -> Iterator[tuple[str, ast.AST, str, ast.AST]]:
    """Give each place and change, in a fixed order."""
    for place, node in _walk(tree, ""):
        for operator, after in changes(node):
            yield place, node, operator, after


def _walk(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """Give the nodes that run when a request is answered, each with its function or class."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "type_comment", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            yield place, child
            inner = place
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{place}.{child.name}".lstrip(".")
            yield from _walk(child, inner)


def _is_left_out(node: ast.AST) -> bool:
    """Whether a node answers nothing: docstrings, imports, logging, type checking."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _SKIPPED_CALLS
        case ast.Assign(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _SKIPPED_CALLS
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if item is old:
                        value[index] = ast.copy_location(new, old) if hasattr(old, "lineno") else new
                        return
    raise LookupError("the node is not in the tree")
