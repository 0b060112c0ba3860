"""The small changes: what each kind of expression or statement may become."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}

#: A kind of change, and what comes in the place of the node.
Change = tuple[str, ast.AST]


def changes(node: ast.AST) -> Iterator[Change]:
    """Give each small change of one node, its parts left as they are."""
    match node:
        case ast.Compare():
            yield from _comparison(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "connective", ast.BoolOp(other, node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield "negation", node.operand
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _ARITHMETIC:
            changed = copy.copy(node)
            changed.op = _ARITHMETIC[type(node.op)]()
            yield "arithmetic", changed
        case ast.Constant():
            yield from _constant(node)
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "return", ast.Return(ast.Constant(None))
        case ast.If() | ast.While() | ast.IfExp() if isinstance(node.test, ast.Name | ast.Call | ast.Attribute):
            turned = copy.copy(node)
            turned.test = ast.UnaryOp(ast.Not(), node.test)
            yield "condition", turned
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise():
            yield "statement", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement", ast.Pass()
        case ast.Break():
            yield "loop", ast.Continue()
        case ast.Continue():
            yield "loop", ast.Break()


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for number, op in enumerate(node.ops):
        if type(op) in _COMPARISONS:
            ops = [*node.ops]
            ops[number] = _COMPARISONS[type(op)]()
            yield "comparison", ast.Compare(node.left, ops, node.comparators)


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str):
        yield "constant", ast.Constant(f"{value}XX" if value else "XX")
    elif isinstance(value, bytes):
        yield "constant", ast.Constant(value + b"XX")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
