"""The folder for OCI's conformance programme: what it has, and what it says is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.__main__ import main
from tests.reports import samples


def _save(folder: Path, **changes: dict[str, Any]) -> str:
    report = samples.report()
    for part, change in changes.items():
        report[part].update(change)
    path = folder / "report.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    return str(path)


def test_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--vendor", "Yoyodyne: 'x'", "--type", "distribution")
    assert main(["submission", _save(tmp_path), "-o", str(tmp_path), *options]) == 0
    folder = tmp_path / "distribution-spec" / "v1.1" / "docker-registry"
    # Those that the programme takes are left to its own tests.
    assert {path.name for path in folder.iterdir()} == {
        "PRODUCT.yaml",
        "README.md",
        "registry-conformance.html",
        "registry-conformance.json",
    }
    product = yaml.safe_load((folder / "PRODUCT.yaml").read_text(encoding="utf-8"))
    assert product == {
        "vendor": "Yoyodyne: 'x'",
        "name": "docker-registry",
        "version": "2.8.2",
        "website_url": "TODO",
        "documentation_url": "TODO",
        "type": "distribution",
        "description": "TODO",
    }
    assert json.loads((folder / "registry-conformance.json").read_bytes()) == samples.report()
    said = capsys.readouterr().out
    assert "the conformance tests of distribution-spec have to be run" in said
    assert "PRODUCT.yaml: website_url is to be filled in" in said and "vendor is" not in said
    assert "is by" not in said
    assert "FAIL" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": {"profile": "docker-v2"}}, "there is nothing to submit by docker-v2"),
        ({"run": {"complete": False}}, "of a part of the suite"),
        ({"target": {"product": None}}, "does not name what was tested"),
    ],
)
def test_what_is_refused(
    changes: dict[str, dict[str, Any]], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["submission", _save(tmp_path, **changes), "-o", str(tmp_path / "out")]) == 4
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
