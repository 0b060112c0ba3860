"""``spec list`` chooses requirements by what its options say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spec import catalogue
from spec.__main__ import main

from .miniature import Tree

BASE = "spec/requirements/base.yaml"


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["list", *words, "--format", "ids"]) == 0
    return capsys.readouterr().out.split()


def test_options_choose_together(capsys: pytest.CaptureFixture[str]) -> None:
    known = catalogue.load()
    assert listed(capsys) == [*known.requirements]
    assert listed(capsys, "--profile", "oci-1.0") == [r.id for r in known.of_profile("oci-1.0")]
    chosen = listed(capsys, "--profile", "oci-1.1", "--level", "must", "--section", "deleting tags")
    assert "MGMT-TAG-DELETE-202" in chosen
    assert all(known.requirement(name).levels["oci-1.1"] == "MUST" for name in chosen)
    assert set(listed(capsys, "--category", "auth")) == {r.id for r in known.category("auth")}
    assert all("blob.delete" in known.requirement(n).operations for n in listed(capsys, "--operation", "blob.delete"))


def test_what_is_not_covered_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(tmp_path)
    assert main(["list", "--uncovered", "--root", str(tmp_path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["id"], each["gap"]) for each in found] == [("BASE-V2-FREE", "nothing decides it: It cannot fail.")]
    tree.replace("reference/faults/base.py", "BASE-V2-HEADER", "BASE-V2-200")
    assert main(["list", "--uncovered", "--root", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "BASE-V2-HEADER" in told
    assert "no fault breaks it: no reason" in told
    assert told.endswith("2 of 3 requirements; levels in docker-v2\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--profile", "oci-1.3"), "--profile: there is no 'oci-1.3'; did you mean oci-1.1"),
        (("--category", "pulls"), "--category: there is no 'pulls'; did you mean pull"),
        (("--operation", "blob.got"), "--operation: there is no 'blob.got'; did you mean blob.get"),
    ],
)
def test_a_wrong_name_is_answered_with_close_ones(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert main(["list", *words]) == 4
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
