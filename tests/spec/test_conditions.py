"""What is wrong with laws and conditions is told with its file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spec import conditions_check
from spec.catalogue import ROOT, load
from spec.trace import Trace


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hides: [arrival]", "hides: [arrivals]", "hides the unknown dimension arrivals"),
        ("needs: [single-post]", "needs: [single-posts]", "needs the unknown capability single-posts"),
        (
            "- {id: one-byte, phrase: of 1 byte}",
            "- {id: empty, phrase: of 1 byte}",
            "the dimension content has the value empty twice",
        ),
    ],
)
def test_a_mistake_is_one_problem(tmp_path: Path, old: str, new: str, told: str) -> None:
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    text = (ROOT / "conditions.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "conditions.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    found = [str(problem) for problem in conditions_check.problems(tmp_path, load(), Trace())]
    assert any(told in problem and "conditions.yaml:" in problem for problem in found)
