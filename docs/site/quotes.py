"""Directives that quote a requirement, a scenario or a fault whole, from wherever it stands in the repository."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from docs.site.facts import Facts


class _Quote(SphinxDirective):
    """Quotes a part of a file."""

    required_arguments = 1
    has_content = False
    language = "python"

    def find(self, facts: Facts, name: str) -> tuple[str, int, int]:
        """Give the file, and its first and last line.

        Raises:
            LookupError: nothing has this name.
        """
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Give the caption and the text."""
        root = Path(self.env.srcdir).parent
        try:
            file, first, last = self.find(Facts(root), self.arguments[0])
        except LookupError as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(str(root / file))
        lines = (root / file).read_text(encoding="utf-8").splitlines()[first - 1 : last]
        text = "\n".join(lines).rstrip()
        block = nodes.literal_block(text, text, language=self.language)
        return [nodes.paragraph("", "", nodes.literal(file, file), nodes.Text(":")), block]


class Requirement(_Quote):
    """Quotes the entry of a requirement in the catalogue, by its id."""

    language = "yaml"

    def find(self, facts: Facts, name: str) -> tuple[str, int, int]:
        """Give the place of the entry."""
        found = facts.known.requirement(name)
        lines = (facts.repository / found.file).read_text(encoding="utf-8").splitlines()
        following = (n for n, line in enumerate(lines, 1) if n > found.line and re.match(r"- |#|\s*$", line))
        return found.file, found.line, next(following, len(lines) + 1) - 1


class Scenario(_Quote):
    """Quotes a scenario, by the name of its function and, after a space, a requirement that it decides."""

    required_arguments = 2

    def find(self, facts: Facts, name: str) -> tuple[str, int, int]:
        """Give the place of the function, its decorators included."""
        for scenario in facts.scenarios.get(self.arguments[1], ()):
            if scenario.name == name:
                return _innermost(facts, scenario.file, scenario.line, (ast.FunctionDef, ast.ClassDef))
        raise LookupError(f"no scenario {name} decides {self.arguments[1]}")


class Fault(_Quote):
    """Quotes the declaration of a fault, by its name."""

    def find(self, facts: Facts, name: str) -> tuple[str, int, int]:
        """Give the place of the call that declares it."""
        found = next((each for each in facts.trace.faults if each.name == name), None)
        if found is None:
            raise LookupError(f"there is no fault {name}")
        return _innermost(facts, found.file, found.line, (ast.Call,))


def _innermost(facts: Facts, file: str, line: int, kinds: tuple[type[ast.AST], ...]) -> tuple[str, int, int]:
    """Give the lines of the largest node of some kinds that begins at a line, or of the least one around it."""
    tree = ast.parse((facts.repository / file).read_text(encoding="utf-8"))
    spans = [_span(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    begins = [span for span in spans if span[0] == line]
    first, last = max(begins) if begins else _least(span for span in spans if span[0] <= line <= span[1])
    return file, first, last


def _least(spans: Iterable[tuple[int, int]]) -> tuple[int, int]:
    return min(spans, key=lambda span: span[1] - span[0])


def _span(node: ast.AST) -> tuple[int, int]:
    decorators = [each.lineno for each in getattr(node, "decorator_list", ())]
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    return min([first, *decorators]), last
