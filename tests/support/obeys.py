"""Which test shows that a key of the reference's configuration is obeyed; docs/configuration.md lists it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

_Test = TypeVar("_Test", bound=Callable[..., object])


def obeys(*_names: str) -> Callable[[_Test], _Test]:
    """Mark a test that shows what keys do, by their dotted names."""
    return lambda test: test


def marked(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Each key that a mark below a folder names, with the file and the name of the test; nothing is imported."""
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "@obeys(" not in text:
            continue
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "obeys":
                    for name in mark.args:
                        yield str(ast.literal_eval(name)), path, node.name
