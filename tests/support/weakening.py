"""The weaker checks of the suite: a judgement that always holds, or compares less."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from spec.trace import ID
from tests.support.servers import ROOT

#: Methods of a judge that say held or broken, by the position of the answer that they look at.
_JUDGEMENTS = {"status": 1, "refused": 1, "header": 1, "code": 1, "gives": 1, "require": None, "require_status": 1}
#: How many of its requirements the name of a weaker check has.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Weakness:
    """A weaker check: ``requirements`` that it may decide, ``number`` within its module."""

    module: str
    number: int
    place: str
    line: int
    requirements: tuple[str, ...]
    kind: str
    occurrence: int

    @property
    def name(self) -> str:
        """What identifies it, whatever else changes in the file."""
        twin = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.module}:{self.place}: {' or '.join(self.requirements[:_SHOWN])}: {self.kind}{twin}"


def weaknesses() -> list[Weakness]:
    """List all of them, by module and place."""
    named = _Named()
    found: list[Weakness] = []
    for path in sorted((ROOT / "conformance").rglob("*.py")):
        if path.parent.name == "search":
            continue  # The search decides no requirement of its own.
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = named.trees[path]
        twins: Counter[tuple[Any, ...]] = Counter()
        for number, (place, call, kind, _) in enumerate(_opportunities(tree)):
            requirements = _requirements(call, place, tree, named)
            twin = (place, requirements[:_SHOWN], kind)
            twins[twin] += 1
            found.append(Weakness(module, number, place, call.lineno, requirements, kind, twins[twin]))
    return found


def weaken(module: str, number: int) -> None:
    """Put a weaker check into a module of the suite that is loaded already.

    Raises:
        LookupError: there is no such check, or the function that it is in cannot be found.
    """
    path = source_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for index, (place, call, _, weaker) in enumerate(_opportunities(tree)):
        if index == number:
            _replace(tree, call, weaker)
            ast.fix_missing_locations(tree)
            _swap(module, place, compile(tree, str(path), "exec", dont_inherit=True))
            return
    raise LookupError(f"{module} has no check {number}")


# -- where they are


def _opportunities(tree: ast.Module) -> Iterator[tuple[str, ast.Call, str, ast.expr]]:
    """Give each judgement with what it may become."""
    for place, node in walk(tree, ""):
        if isinstance(node, ast.Call) and node.args and place:
            for kind, weaker in _weaker(node):
                yield place, node, kind, weaker


def walk(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """Give each node below one, with the name of the function or class that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{place}.{child.name}".lstrip(".")
        yield inner, child
        yield from walk(child, inner)


def _weaker(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    match call.func:
        case ast.Name(id="judge") if len(call.args) > 1 and not _is_true(call.args[1]):
            yield "removed", _held(call)
            yield from _conjuncts(call)
        case ast.Attribute(value=ast.Name(id="judge"), attr=method) if method in _JUDGEMENTS:
            yield "removed", _held(call)
            if method == "require":
                yield from _conjuncts(call)
            if method == "header" and (len(call.args) > 3 or any(k.arg == "wanted" for k in call.keywords)):
                yield "any value", ast.Call(call.func, call.args[:3], [])
            if method == "gives":
                status = ast.Attribute(call.args[1], "status", ast.Load())
                fits = ast.Compare(status, [ast.Eq()], [ast.Constant(200)])
                yield "any content", ast.Call(_judge(), [call.args[0], fits, ast.Constant("")], [])


def _is_true(node: ast.expr) -> bool:
    """Whether a judgement notes what was found before."""
    return isinstance(node, ast.Constant) and node.value is True


def _guards(node: ast.expr) -> bool:
    """Whether a part of a condition only keeps the rest of it from failing."""
    match node:
        case ast.Compare(ops=[ast.IsNot() | ast.Is()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Call(func=ast.Name(id="isinstance" | "bool")):
            return True
    return False


def _held(call: ast.Call) -> ast.expr:
    return ast.Call(_judge(), [call.args[0], ast.Constant(True), ast.Constant("")], [])


def _judge() -> ast.expr:
    return ast.Name("judge", ast.Load())


def _conjuncts(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Leave one part of a condition out."""
    condition = call.args[1]
    if not isinstance(condition, ast.BoolOp) or not isinstance(condition.op, ast.And):
        return
    for number, part in enumerate(condition.values):
        if _guards(part):
            continue
        left = [value for value in condition.values if value is not part]
        rest = left[0] if len(left) == 1 else ast.BoolOp(ast.And(), left)
        yield f"without part {number + 1}", ast.Call(call.func, [call.args[0], rest, *call.args[2:]], call.keywords)


# -- which requirements they decide


def _requirements(call: ast.Call, place: str, tree: ast.Module, named: _Named) -> tuple[str, ...]:
    """The requirement that a judgement names; where it is a variable, all that may be in it."""
    first = call.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return (first.value,)
    if isinstance(first, ast.Name) and (found := named.constant(first.id, tree)):
        return tuple(sorted(found))
    outermost = place.split(".", maxsplit=1)[0]
    own = {id_ for node in tree.body if getattr(node, "name", "") == outermost for id_ in named.ids(node, tree)}
    return tuple(sorted({*named.handed.get(outermost, ()), *own} or {*named.ids(tree, tree)}))


class _Named:
    """The requirements behind names: constants of modules, and arguments of callers."""

    def __init__(self) -> None:
        paths = (ROOT / "conformance").rglob("*.py")
        self.trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
        self._of: dict[ast.Module, dict[str, set[str]]] = {tree: {} for tree in self.trees.values()}
        self._of_all: dict[str, set[str]] = {}
        for tree, own in self._of.items():
            for statement in tree.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    for constants in (own, self._of_all):
                        constants.setdefault(statement.targets[0].id, set()).update(_ids(statement))
        self.handed: dict[str, set[str]] = {}
        for tree in self._of:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    self._calls(node, tree)

    def constant(self, name: str, tree: ast.Module) -> set[str]:
        """Return the ids in a constant of a module, or of the module that it is imported from."""
        own = self._of[tree]
        return own[name] if name in own else self._of_all.get(name, set())

    def _calls(self, function: ast.FunctionDef, tree: ast.Module) -> None:
        around = {*self.ids(function, tree)}
        for child in ast.walk(function):
            if isinstance(child, ast.Call):
                name = getattr(child.func, "id", getattr(child.func, "attr", ""))
                handed = {id_ for part in (*child.args, *child.keywords) for id_ in self.ids(part, tree)}
                self.handed.setdefault(name, set()).update(handed or around)

    def ids(self, node: ast.AST, tree: ast.Module) -> Iterator[str]:
        """Give the ids in a part of a module, by themselves or by the names of constants."""
        yield from _ids(node)
        for child in ast.walk(node):
            if isinstance(child, ast.Name):
                yield from self.constant(child.id, tree)


def _ids(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and ID.fullmatch(child.value):
            yield child.value


# -- how they are put in place


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, ast.copy_location(new, old))
                return
            if isinstance(value, list) and any(item is old for item in value):
                setattr(parent, field, [ast.copy_location(new, old) if item is old else item for item in value])
                return
    raise LookupError("the call is not in the tree")


def _swap(module: str, place: str, code: CodeType) -> None:
    """Give the function at a place, or the one around it, in the code of a changed module."""
    owner: Any = sys.modules[module]
    for name in place.split("."):
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
        owner = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)
        owner = getattr(owner, "__func__", owner)
        if hasattr(owner, "__code__"):
            owner.__code__ = code
            return
    raise LookupError(f"{module} has no function {place}")


def source_of(module: str) -> Path:
    """Return the file of a module of this project."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
