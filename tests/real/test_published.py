"""The command that publishes runs takes reports over, and what is published can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
from conformance.impact.runs import published
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
    assert "there is no 'quay'; choose of docker-registry, zuul-registry, reference" in capsys.readouterr().err


def test_what_is_published_can_be_read_and_is_named() -> None:
    runs = {run.path.name: run for run in published([command.FOLDER])}
    assert {name for name, run in runs.items() if run.recording} == {
        "docker-registry.json.gz",
        "reference.json.gz",
        "zuul-registry.json.gz",
    }
    text = (command.FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in runs)
