"""A proof that was interrupted goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import kept
from tests.proof.kept import Kept
from tests.proof.workshop import Result

GOOD = Result("fault", "a", good=True, word="caught", convictions={"s": {"R": ["status 200"]}}, findings=1)
BAD = Result("fault", "b", good=False, word="missed")


def test_what_was_good_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "some" / "results"
    first = Kept(path, "1", whole=False)
    for result in (GOOD, BAD):
        first.add(result)
    with path.open("a") as file:
        file.write('{"kind": "fault", "na')
    again = Kept(path, "1", whole=False)
    assert again.find("fault", "a") == GOOD
    assert again.find("fault", "b") is None
    assert again.find("variant", "a") is None


@pytest.mark.parametrize("other", ["seed", "extent", "commit"])
def test_results_of_another_proof_are_left(other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results"
    Kept(path, "1", whole=False).add(GOOD)
    if other == "commit":
        monkeypatch.setattr(kept, "_commit", lambda: "another")
    later = Kept(path, "2" if other == "seed" else "1", whole=other == "extent")
    assert later.find("fault", "a") is None


def test_nothing_is_kept_without_a_file() -> None:
    none = Kept(None, "1", whole=False)
    none.add(GOOD)
    assert none.find("fault", "a") is None
