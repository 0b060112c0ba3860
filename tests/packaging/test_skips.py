"""A missing program skips its tests and is named last; with CI=true it fails them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.servers import ROOT

_TESTS = """
import pytest

@pytest.mark.needs("no-such-program")
def test_one():
    raise AssertionError("was run")

def test_two():
    pytest.skip("a reason")
"""


def _pytest(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_sample.py").write_text(_TESTS)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--color=no"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder / "test_sample.py")]
    return subprocess.run(command, cwd=ROOT, env={**env, "CI": ci}, capture_output=True, text=True, check=False)


def test_missing_program_is_named_at_the_end(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-3:] == [
        "1 skipped, a reason",
        "1 skipped, missing program: no-such-program",
        "2 skipped in " + done.stdout.rpartition("2 skipped in ")[2].strip(),
    ]


def test_skip_fails_with_ci(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci="true")
    assert done.returncode == 1
    assert "missing program: no-such-program (with CI=true a skip is a failure)" in done.stdout
    assert "a reason (with CI=true a skip is a failure)" in done.stdout
    assert "1 failed, 1 error" in done.stdout
