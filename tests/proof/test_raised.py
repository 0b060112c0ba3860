"""A scenario that raises: the proof shows where, in bounds, and without the secrets of the run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.proof import runner
from tests.support.chance import SEED
from tests.support.servers import ROOT
from tests.support.suite import SuiteRun
from tests.support.tokens import OWNER

_SCENARIO = Path("conformance/scenarios/base/test_version_check.py")
_NAME = "test_challenge_of_the_version_check"
_RAISES = '    raise RuntimeError(__import__("os").environ["REGISTRY_PASSWORD"] + " and more" * 1000)\n'


def _copy(folder: Path) -> None:
    for name in ("spec", "conformance", "reference", "reports", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)


def test_the_command_shows_the_traceback(tmp_path: Path) -> None:
    _copy(tmp_path)
    before, name, after = (tmp_path / _SCENARIO).read_text(encoding="utf-8").partition(f"def {_NAME}(")
    after = after.replace('    """', f'{_RAISES}    """', 1)
    (tmp_path / _SCENARIO).write_text(before + name + after, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.proof", "--seed", SEED, "--kind", "fault", "--jobs", "1", "login-base-in-text"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1, said
    assert "fault login-base-in-text: exit 3" in said
    at = (before + name + after).partition(_RAISES)[0].count("\n") + 1
    assert f"{_SCENARIO}:{at}: in {_NAME}" in said
    assert "RuntimeError: (removed) and more" in said
    assert OWNER.password not in said
    assert " characters ..." in said
    assert len(said) < 3 * runner._LONGEST + 2000


def _ended(report: dict[str, object] | None, stdout: str = "") -> SuiteRun:
    return SuiteRun(3, report, stdout, "", 0.0, 0.0)


def test_many_scenarios_that_raise_are_counted() -> None:
    raised = {f"test_{number}.py::test": "E  KeyError" for number in range(7)}
    told = runner._error(_ended({"raised": raised}))
    assert told.count("KeyError") == 3
    assert told.endswith("and 4 more scenarios")


def test_without_a_scenario_the_end_of_the_output_is_shown() -> None:
    """A suite that cannot be collected leaves no report."""
    assert runner._error(_ended(None, "x" * 5000 + "ImportError")) == "x" * 2989 + "ImportError"
    assert runner._error(_ended({"raised": {}}, "ERROR of the suite")) == "ERROR of the suite"
