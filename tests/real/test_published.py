"""The command that publishes runs takes reports over, and what is published can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
from conformance.impact.runs import published
from reports.matrix.columns import read
from reports.matrix.table import build
from spec.catalogue import load as load_catalogue
from tests.real import published as command
from tests.support.servers import ROOT


def test_a_report_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "FOLDER", tmp_path / "published")
    source = ROOT / "reports" / "published" / "olareg.json.gz"
    assert command.main(["--import", str(source)]) == 0
    assert reports.load(tmp_path / "published" / "olareg.json.gz") == reports.load(source)


def test_a_registry_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["quay"])
    assert "there is no 'quay'; choose of docker-registry, docker-registry-delete-off, " in capsys.readouterr().err


def test_what_is_published_can_be_read_and_is_named() -> None:
    runs = {run.path.name: run for run in published([command.FOLDER])}
    assert {name for name, run in runs.items() if run.recording} == {
        "docker-registry.json.gz",
        "docker-registry-delete-off.json.gz",
        "docker-registry-tokens.json.gz",
        "reference.json.gz",
        "zuul-registry.json.gz",
    }
    text = (command.FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in runs)


@pytest.mark.parametrize("path", sorted(command.FOLDER.glob("*.json.gz")), ids=lambda path: path.name)
def test_a_published_report(path: Path) -> None:
    report = reports.load(path)
    assert report["run"]["complete"] and report["run"]["exit_code"] in {0, 1}
    assert not (report["suite"]["commit"] or "").endswith("-dirty"), "made by a suite that nobody else has"
    assert path.with_name(path.name.replace(".json.gz", ".txt")).read_text(encoding="utf-8").strip()


def test_they_make_a_matrix() -> None:
    matrix = build(read([command.FOLDER]))
    assert {"docker-registry", "zuul-registry", "registry-conformance/reference"} <= {c.product for c in matrix.columns}
    assert "delete-off" in {column.variant for column in matrix.columns}
    ids = {row.entry["id"] for row in matrix.rows}
    assert ids - {*load_catalogue().requirements} <= {*load_catalogue().withdrawn}
