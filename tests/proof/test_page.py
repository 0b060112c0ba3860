"""Some kinds of the proof run again take the place of what was there, and say so."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.proof import page
from tests.proof.workshop import Result

_OPTIONS = argparse.Namespace(whole=False, seed="1")
_MISSED = Result("fault", "tags-n-ignored", good=False, word="missed")
_KEPT = Result("secret", "token", good=True, word="kept")


def test_a_kind_that_was_run_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    first = [_MISSED, _KEPT]
    page.write(tmp_path, page.summary(first, _OPTIONS, 9.0), first)
    again = [Result("fault", "tags-n-ignored", good=True, word="caught", findings=1)]
    found, results = page.renewed(tmp_path, page.summary(again, _OPTIONS, 2.0), again)
    page.write(tmp_path, found, results)
    assert [*results] == [*again, _KEPT]
    assert (found["fault"], found["secret"]) == ({"good": 1, "all": 1}, {"good": 1, "all": 1})
    assert page.source_of(found, "faults caught")["command"] == "python -m tests.proof --kind fault"
    assert page.source_of(found, "secrets kept")["command"] == "make prove"
    assert json.loads((tmp_path / "proof.json").read_text("utf-8"))["summary"] == found
    assert (
        "faults caught were run again by `python -m tests.proof --kind fault`" in (tmp_path / "README.md").read_text()
    )
