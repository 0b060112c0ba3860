"""YAML with line numbers, and problems that name their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong at a line of a file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Give ``file:line: message``, as compilers do."""
        return f"{self.file}:{self.line}: {self.message}"


class SpecError(Exception):
    """The specification's own files are wrong; ``problems`` says where."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, and show them a line each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Marked:
    """A parsed YAML file that knows the line of each of its members."""

    def __init__(self, file: str, value: Any, node: yaml.Node | None) -> None:
        """Keep the value beside the node tree that it was made from."""
        self.file = file
        self.value = value
        self._node = node

    def line(self, *path: str | int) -> int:
        """Give the line (from 1) of the member at a path, or of its nearest ancestor."""
        node, line = self._node, 1
        if node is not None:
            line = node.start_mark.line + 1
        for step in path:
            found = _descend(node, step)
            if found is None:
                break
            node, line = found
        return line

    def problem(self, message: str, *path: str | int) -> Problem:
        """Make a problem at the line of the member at a path."""
        return Problem(self.file, self.line(*path), message)


def _descend(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child, child.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value == str(step):
                return child, key.start_mark.line + 1
    return None


class _Loader(yaml.CSafeLoader):
    """The safe loader without timestamps, which JSON Schema does not know."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, shown_as: str = "") -> Marked:
    """Read a YAML (or JSON) file with its line numbers.

    Raises:
        SpecError: the file cannot be read, is no YAML, or holds a key twice in one mapping.
    """
    file = shown_as or str(path)
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        value = loader.construct_document(node) if node is not None else None
    except OSError as error:
        raise SpecError([Problem(file, 1, f"cannot be read: {error.strerror}")]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SpecError([Problem(file, line, f"is not valid YAML: {error.problem}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError([Problem(file, 1, f"is not valid YAML: {error}")]) from error
    return Marked(file, value, node)


def repeated_keys(document: Marked) -> list[Problem]:
    """List the keys that one mapping has twice, which YAML parsers let pass in silence."""
    problems: list[Problem] = []
    stack = [document._node]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, child in node.value:
                if isinstance(key.value, str) and key.value in seen:
                    problems.append(Problem(document.file, key.start_mark.line + 1, f"key {key.value!r} is repeated"))
                seen.add(str(key.value))
                stack.append(child)
    return problems
