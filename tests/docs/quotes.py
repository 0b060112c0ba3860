"""Quote a requirement, a scenario, a fault or an example whole, for documents that explain them."""

from __future__ import annotations

import ast
import re
import textwrap
from functools import cache

from spec import catalogue, trace
from tests.support.servers import ROOT


def requirement(name: str) -> str:
    """Quote the entry of a requirement in the catalogue.

    Raises:
        UnknownIdError: there is none.
    """
    found = catalogue.load().requirement(name)
    lines = (ROOT / found.file).read_text(encoding="utf-8").splitlines()
    end = next((n for n in range(found.line, len(lines)) if re.match(r"\S", lines[n])), len(lines))
    return _quoted(found.file, "yaml", "\n".join(lines[found.line - 1 : end]))


def scenario(name: str) -> str:
    """Quote the scenario that verifies a requirement and least else, with the names it uses.

    Raises:
        LookupError: there is none.
    """
    found = min(_trace().scenarios_of(name), key=lambda each: len(each.ids), default=None)
    if found is None:
        raise LookupError(f"no scenario verifies {name}")
    tree = _tree(found.file)
    node = next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == found.name)
    return _with_names(found.file, tree, node)


def fault(name: str) -> str:
    """Quote the declaration of a fault, with what it names of its module.

    Raises:
        LookupError: there is none.
    """
    found = next((each for each in _trace().faults if each.name == name), None)
    if found is None:
        raise LookupError(f"there is no fault {name}")
    tree = _tree(found.file)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno == found.line)
    return _with_names(found.file, tree, next(calls))


def example(name: str) -> str:
    """Quote a file of docs/examples whole, for a page of the folder beside it.

    Raises:
        LookupError: there is none.
    """
    file = ROOT / "docs" / "examples" / name
    if not file.is_file():
        raise LookupError(f"there is no example {name}")
    return f"[docs/examples/{name}](../examples/{name}):\n\n```python\n{file.read_text(encoding='utf-8').rstrip()}\n```"


@cache
def _trace() -> trace.Trace:
    return trace.scan(ROOT, ROOT / "spec")


def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def _with_names(file: str, tree: ast.Module, node: ast.AST) -> str:
    """Quote a part of a module behind the constants and functions of the module that it needs."""
    defined = {name: each for each in tree.body for name in _names(each) if each is not node}
    needed: dict[int, ast.stmt] = {}
    waiting: list[ast.AST] = [node]
    while waiting:
        for used in ast.walk(waiting.pop()):
            found = defined.get(used.id) if isinstance(used, ast.Name) else None
            if found is not None and found.lineno not in needed:
                needed[found.lineno] = found
                waiting.append(found)
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    parts = [_lines(each, lines) for _, each in sorted(needed.items())]
    return _quoted(file, "python", "\n\n\n".join([*parts, _lines(node, lines)]))


def _names(node: ast.stmt) -> list[str]:
    """Give the names that a statement of a module defines, tables of faults left out."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name) and each.id != "FAULTS"]


def _lines(node: ast.AST, lines: list[str]) -> str:
    begins = [each.lineno for each in getattr(node, "decorator_list", ())]
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    whole = lines[min([first, *begins]) - 1 : last]
    # A comma behind it belongs to what is around it.
    whole[-1] = whole[-1].encode()[: getattr(node, "end_col_offset", None)].decode()
    return textwrap.dedent("\n".join(whole))


def _quoted(file: str, language: str, text: str) -> str:
    return f"[{file}]({file}):\n\n```{language}\n{text.rstrip()}\n```"
