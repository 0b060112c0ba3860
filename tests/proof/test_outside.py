"""Faults in files of other people: read, refused with a sentence, and convicted like any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chance import SEED
from tests.support.configurations import CONFIGURATIONS
from tests.support.outside import OutsideError, fault_from
from tests.support.servers import ROOT

GOOD = '''"""Pulls of blobs are answered 203."""
BREAKS = "PULL-BLOB-GET-200"

def fault(application):
    async def changed(scope, receive, send):
        async def told(message):
            pulls = scope["method"] == "GET" and "/blobs/sha256:" in scope["path"]
            if message["type"] == "http.response.start" and pulls:
                message["status"] = 203
            await send(message)
        await application(scope, receive, told)
    return changed
'''


def _file(folder: Path, text: str) -> Path:
    path = folder / "pulls-203.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_one(tmp_path: Path) -> None:
    found = fault_from(_file(tmp_path, GOOD), CONFIGURATIONS)
    assert (found.name, found.title) == ("pulls-203", "Pulls of blobs are answered 203.")
    assert (found.breaks, found.also, found.configuration) == (("PULL-BLOB-GET-200",), (), "memory")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x =", "does not run (SyntaxError"),
        ("1 / 0", "does not run (ZeroDivisionError"),
        ("BREAKS = 'PULL-BLOB-GET-200'", "has no function fault(application)"),
        (
            GOOD.replace("PULL-BLOB-GET-200", "PULL-BLOB-GET-999"),
            "BREAKS names the unknown requirement PULL-BLOB-GET-999",
        ),
        (GOOD.replace("BREAKS", "BROKEN"), "BREAKS names no requirement"),
        (GOOD + "CONFIGURATION = 'moon'", "CONFIGURATION is none of memory, "),
    ],
)
def test_a_bad_one(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as caught:
        fault_from(_file(tmp_path, text), CONFIGURATIONS)
    assert words in str(caught.value)
    assert str(tmp_path / "pulls-203.py") in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="cannot be read"):
        fault_from(tmp_path / "nowhere.py")


def _prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.proof", "--seed", SEED, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_command(tmp_path: Path) -> None:
    ran = _prove("--fault-from", str(_file(tmp_path, GOOD)), "--jobs", "1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "faults caught: 1/1" in ran.stdout


def test_the_command_with_a_fault_that_breaks_nothing(tmp_path: Path) -> None:
    """What is not convicted ends the proof with 1."""
    ran = _prove("--fault-from", str(_file(tmp_path, GOOD.replace('message["status"] = 203', "pass"))), "--jobs", "1")
    assert ran.returncode == 1
    assert "fault pulls-203: missed" in ran.stderr


def test_the_command_with_a_bad_file(tmp_path: Path) -> None:
    ran = _prove("--fault-from", str(tmp_path / "nowhere.py"))
    assert ran.returncode == 4
    assert ran.stderr.startswith("--fault-from: ")
    assert "Traceback" not in ran.stderr
