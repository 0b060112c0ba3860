"""A digest of what the pictures in docs/pictures/ show; shown.json has that of the pictures."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections import Counter
from typing import Any

import yaml

from conformance.run import terminal
from reports import check
from reports.html import render
from spec.catalogue import load
from tests.reports import samples
from tests.support.servers import ROOT

PICTURES = ROOT / "docs" / "pictures"
RECORD = PICTURES / "shown.json"
#: The registry that the pictures show, with what it is known to get.
_OUTCOMES = ROOT / "tests" / "real" / "expected" / "docker-registry-delete-on.yaml"


def shown() -> dict[str, Any]:
    """Give counts of catalogue and outcomes, and digests of the page and the terminal of a run."""
    outcomes = yaml.safe_load(_OUTCOMES.read_text(encoding="utf-8"))
    return {
        "requirements": {category: len(found) for category, found in load().by_category.items()},
        "outcomes": dict(sorted(Counter(map(str, outcomes.values())).items())),
        "broken": sorted(name for name, outcome in outcomes.items() if outcome == "broken"),
        "page": _digest(render(check(samples.report()))),
        "terminal": _digest(_code(inspect.getsource(terminal))),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _code(source: str) -> str:
    """Give what a module does: its imports and docstrings may change, and so may its place."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [each for each in body if not isinstance(each, ast.Import | ast.ImportFrom) and not _text(each)]
            node.body = kept  # type: ignore[attr-defined]  # whatever has a body
    return ast.dump(tree)


def _text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
