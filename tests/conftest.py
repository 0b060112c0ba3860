"""What holds for all tests: missing programs are named, and with CI=true nothing may be skipped."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.chance import SAMPLE
from tests.support.together import Together

# The same examples each time; `make nightly` asks for others.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None)
hypothesis.settings.load_profile("default" if SAMPLE != "fixed" else "fixed")

_IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the tests."""
    parser.getgroup("tests").addoption(
        "--update-expected", action="store_true", help="write tests/real/expected/*.yaml anew rather than compare"
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Keep tests that share something in one process."""
    return Together(config, log)


def program(name: str) -> str | None:
    """Where a program is: beside the interpreter (.venv/bin) or on the PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs are not all there."""
    wanted = [name for marker in item.iter_markers("needs") for name in marker.args]
    if missing := [name for name in wanted if program(name) is None]:
        pytest.skip(f"missing program: {', '.join(sorted(set(missing)))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI=true."""
    report = yield
    if _IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{_reason(report)} (with CI=true a skip is a failure)"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself."""
    report = yield
    if _IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{_reason(report)} (with CI=true a skip is a failure)"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last what was skipped, and for want of which program."""
    counts: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = _reason(report)
        counts[reason] = counts.get(reason, 0) + 1
    if counts:
        terminalreporter.section("skipped", sep="-")
    for reason, count in sorted(counts.items()):
        terminalreporter.write_line(f"{count} skipped, {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test was skipped; pytest keeps file, line and reason."""
    text = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
