"""What the commands say to input and output that cannot be used: a sentence, 4, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from conformance.command.main import run
from reports.commands.calling import Unusable, writable
from tests.reports import samples
from tests.support.servers import ROOT

_READ = (
    ("report", "html"),
    ("report", "junit"),
    ("report", "allure", "FOLDER"),
    ("compare", "GOOD"),
    ("badge",),
    ("badge", "--all", "FOLDER"),
    ("certificate", "--key", "KEY"),
    ("verify", "--key", "KEY"),
    ("matrix", "-o", "FOLDER"),
    ("submission", "-o", "FOLDER"),
)
_WRITING = (
    ("report", "html", "GOOD"),
    ("compare", "GOOD", "GOOD"),
    ("badge", "GOOD"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with the report GOOD."""
    (tmp_path / "GOOD").write_text(json.dumps(samples.report()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _content(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _sentence(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if not line.startswith("Usage:")]
    assert len(lines) == 1 and not told.out, told
    return lines[0]


@pytest.mark.parametrize("words", _READ, ids=" ".join)
def test_what_cannot_be_read(words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in (("text", b"{"), ("list", b"[]"), ("bytes", b"\xff\x00"), ("deep", b"[" * 100_000)):
        (folder / name).write_bytes(data)
    (folder / "directory").mkdir()
    before = _content(folder)
    for name in ("none", "directory", "text", "list", "bytes", "deep", "x" * 5000):
        if words[0] == "verify" and (folder / name[:99]).is_file():
            continue  # it is no certificate, which is a verdict
        order = [*words[:2], name, *words[2:]] if words[0] == "report" else [words[0], name, *words[1:]]
        assert run(order) == 4, name
        assert _sentence(capsys).startswith("registry-conformance")
    assert _content(folder) == before


@pytest.mark.parametrize("words", _WRITING, ids=" ".join)
def test_what_cannot_be_written(words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "directory").mkdir()
    before = _content(folder)
    for place in ("directory", "none/out", "GOOD/out", "y" * 5000):
        assert run([*words, "-o", place]) == 4
        assert "--output" in _sentence(capsys)
        with pytest.raises(Unusable, match="--output"):
            writable(Path(place))
    for place in ("GOOD", "new"):
        writable(Path(place))
    assert _content(folder) == before


def test_a_pipe_and_a_link_are_left_what_they_are(folder: Path) -> None:
    """Where a file is renamed over /dev/null, the machine has no /dev/null any more."""
    pipe, link = folder / "pipe", folder / "link"
    os.mkfifo(pipe)
    link.symlink_to("target")
    read: list[str] = []
    junit: Callable[[Path], None] = lambda path: reports.write_junit(samples.report(), path)  # noqa: E731  # as below
    for write in (lambda path: run(["badge", "GOOD", "-o", str(path)]), junit):
        reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
        reader.start()
        writable(pipe)
        write(pipe)
        reader.join(10)
        assert pipe.is_fifo()
        write(link)
        assert link.is_symlink() and (folder / "target").read_text(encoding="utf-8") == read[-1]


def test_a_full_disk_behind_standard_output(folder: Path) -> None:
    """It has the code of what cannot be used, and not 1, which is a verdict."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "conformance.command", "badge", "GOOD"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == "registry-conformance: standard output cannot be used: No space left on device.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("completion",), "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"),
        (("compare", "GOOD", "GOOD", "--profile", "oci-9"), "--profile: OLD has no profile oci-9"),
        (("attach", "GOOD", "http://[::1/a:b"), "expected the image as https://HOST/NAME:TAG"),
        (("attach", "GOOD", "http://h:99999/a:b"), "expected the image as https://HOST/NAME:TAG"),
        (("attach", "GOOD", "http://h:x/a:b"), "expected the image as https://HOST/NAME:TAG"),
        (("attach", "GOOD", "https://h/a:b", "--ca-bundle", "none"), "--ca-bundle: none cannot be used (No such file"),
        (("attach", "GOOD", "https://h/a:b", "--ca-bundle", "GOOD"), "it holds no certificate in PEM"),
    ],
)
def test_options_that_cannot_be_used(
    words: tuple[str, ...], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 4
    assert said in _sentence(capsys)
    assert _content(folder) == {"GOOD"}
