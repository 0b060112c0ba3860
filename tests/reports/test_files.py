"""Reports are written whole or not at all, and read with one sentence where that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from reports import ReportError, files
from reports.__main__ import main
from tests.reports import samples

NAMES = {"report.json", "report.html", "summary.md"}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for report in (samples.report(), samples.hostile(samples.report())):
        reports.write(report, tmp_path / "a" / "b")
        assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == NAMES
        assert reports.load(tmp_path / "a" / "b" / "report.json") == report
        (tmp_path / "a" / "b" / "report.json").read_bytes().decode("ascii")


def test_the_same_report_gives_the_same_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        reports.write(samples.report(), tmp_path / folder)
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_invalid_report_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    reports.write(samples.report(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = samples.report()
    broken["findings"] = []
    with pytest.raises(ReportError):
        reports.write(broken, tmp_path)
    with pytest.raises(ReportError):
        reports.write(broken, tmp_path / "new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        reports.write(samples.report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.store({"x": "text"}, tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reports", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_page_and_summary_are_made_again(tmp_path: Path) -> None:
    reports.write(samples.report(), tmp_path)
    for form, name in (("html", "report.html"), ("summary", "summary.md")):
        assert main([form, str(tmp_path / "report.json"), "-o", str(tmp_path / "again")]) == 0
        assert (tmp_path / "again").read_bytes() == (tmp_path / name).read_bytes()
    done = _command("summary", str(tmp_path / "report.json"))
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "no valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[]", "is not of type 'object'"),
        (b'{"format": "9"}', 'format is "9"; this program reads format 1'),
        (b'{"format": "1", "format": "1"}', 'member "format" stands twice'),
        (b'{"\x1b[31m": 1', "no valid JSON"),
        (b"<html>", "no valid JSON"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["html", str(path), "-o", str(tmp_path / "page.html")]) == 4
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "\x1b" not in error
    assert not (tmp_path / "page.html").exists()


def test_usage_is_exit_4(tmp_path: Path) -> None:
    done = _command("pdf", str(tmp_path))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports.write(samples.report(), tmp_path)
    assert main(["html", str(tmp_path / "report.json"), "-o", str(tmp_path / "none" / "page.html")]) == 4
    assert "--output" in capsys.readouterr().err


def test_report_json_is_plain_json(tmp_path: Path) -> None:
    reports.write(samples.report(), tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="ascii"))["format"] == "1"
