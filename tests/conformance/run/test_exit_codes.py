"""Exit codes: 0 conformant, 1 findings, 2 interrupted, 3 own error, 4 usage, 5 undecided."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

import reports
from reports.model import Report
from tests.conformance.conftest import USERS
from tests.support.forking import Forker, environment
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import ROOT, Server

#: Seconds; the machine may be busy with other tests.
_PATIENCE = 120
_EMBEDDED = "--registry-url=embedded"
_GET, _HEAD = "--requirement=PULL-BLOB-GET-200", "--requirement=PULL-BLOB-HEAD-200"


def test_conformant(suite: Forker, open_registry: Server) -> None:
    """A part of the suite that finds no fault ends with 0, and with no verdict but NOT_TESTED."""
    run = suite.run(open_registry.url, _GET)
    assert run.exit_code == 0
    assert run.report is not None
    assert run.report["run"]["exit_code"] == 0
    assert not run.report["run"]["complete"]
    assert {profile["verdict"] for profile in run.report["profiles"].values()} == {"NOT_TESTED"}
    assert "a part of the suite" in run.stdout


def test_findings(suite: Forker, locked_registry: Server) -> None:
    env = {"REGISTRY_PASSWORD": USERS["ann"]}
    run = suite.run(locked_registry.url, _HEAD, "--username=ann", env=env)
    assert run.exit_code == 1
    assert run.report is not None
    assert run.report["run"]["exit_code"] == 1
    for words in ("FAIL  PULL-BLOB-HEAD-200", "expected", "by  OCI", "curl"):
        assert words in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_known_failures(suite: Forker, locked_registry: Server, open_registry: Server, tmp_path: Path) -> None:
    """What the owner knows of is no failure; an entry for what holds has to go."""
    path = tmp_path / "known.yaml"
    path.write_text("- {id: PULL-BLOB-HEAD-200, why: ticket 7, until: 2099-12-31}\n")
    option = f"--known-failures={path}"
    run = suite.run(locked_registry.url, _HEAD, option, "--username=ann", env={"REGISTRY_PASSWORD": USERS["ann"]})
    assert run.exit_code == 0, run.stdout
    assert "KNOWN_FAILURE  PULL-BLOB-HEAD-200" in run.stdout
    assert "ticket 7" in run.stdout
    run = suite.run(open_registry.url, _HEAD, option)
    assert run.exit_code == 4
    assert "--known-failures: these no longer fail, remove their entries: PULL-BLOB-HEAD-200" in run.stdout
    run = suite.run(open_registry.url, "--requirement=BASE-V2-200", option)
    assert run.exit_code == 0, run.stdout
    assert "--known-failures" not in run.stdout


_MODULE = """
from conformance.verdict.judge import verifies

@verifies("PULL-BLOB-GET-200")
def test_own(judge):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise RuntimeError('a slip of ours')", "RuntimeError: a slip of ours"),
        ("pass", "the scenario ended without judging PULL-BLOB-GET-200"),
        ("judge('PULL-BLOB-HEAD-200', True, 'x')", "PULL-BLOB-HEAD-200 is judged but not named"),
    ],
)
def test_our_own_error_in_a_scenario(
    body: str, words: str, suite: Forker, open_registry: Server, tmp_path: Path
) -> None:
    path = tmp_path / "test_own.py"
    path.write_text(_MODULE.format(body=body))
    run = suite.run(open_registry.url, f"={path}", "-p", "conformance.conftest")
    assert run.exit_code == 3, run.stdout + run.stderr
    assert "ERROR of the suite" in run.stdout
    # The terminal breaks long lines.
    assert words in " ".join(run.stdout.split())
    assert run.report is not None
    assert run.report["run"]["exit_code"] == 3
    assert run.outcomes["PULL-BLOB-GET-200"] == "error"
    assert not run.report["findings"]


def test_our_own_error_in_a_module(suite: Forker, open_registry: Server, tmp_path: Path) -> None:
    path = tmp_path / "test_own.py"
    path.write_text("import a_module_that_is_nowhere\n")
    run = suite.run(open_registry.url, f"={path}", "-p", "conformance.conftest")
    assert run.exit_code == 3, run.stdout + run.stderr
    assert "a_module_that_is_nowhere" in run.stdout
    assert run.report is None


@pytest.mark.parametrize("option", ["--category=notifications", "-knothing_has_this_name"])
def test_nothing_decided(option: str, suite: Forker, open_registry: Server) -> None:
    run = suite.run(open_registry.url, option)
    assert run.exit_code == 5
    assert "Nothing was decided" in run.stdout


def test_the_first_finding_may_end_the_run(suite: Forker, locked_registry: Server) -> None:
    """A run that stopped early is not whole."""
    env = {"REGISTRY_PASSWORD": USERS["ann"]}
    run = suite.run(locked_registry.url, "--exitfirst", "-kblob_head or blob_get", "--username=ann", env=env)
    assert run.report is not None
    assert not run.report["run"]["complete"]
    assert run.exit_code == 1


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """Run the suite in a process group of its own, as a terminal does; gives its output."""
    command = [sys.executable, "-m", "pytest", "conformance", "-p", "no:cacheprovider", f"--report={folder / 'report'}"]
    path = folder / "out"
    with path.open("wb") as out:
        process = _start([*command, *options], out)
        try:
            yield process, lambda: path.read_text(encoding="utf-8", errors="replace")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(command: list[str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    env = {**environment({}), "PYTHONUNBUFFERED": "1"}

    # What a shell starts in the background ignores interrupts, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, before)


def _wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: signal.Signals, tmp_path: Path, open_registry: Server) -> None:
    """Control-C or SIGTERM ends a run soon, with a report of what was found."""

    def slow(asked: Asked) -> Answer:
        time.sleep(0.02)
        return forward(asked, open_registry.url)

    with serve(slow) as target, running(tmp_path, f"--registry-url={target.url}") as (process, said):
        _wait(lambda: len(target.asked) > 80)
        os.killpg(process.pid, number)
        assert process.wait(_PATIENCE) == 2, said()
    report = reports.load(tmp_path / "report" / "report.json")
    check_interrupted(report, said())
    assert any(entry["outcome"] == "held" for entry in report["requirements"])


def test_interrupted_with_the_embedded_reference(tmp_path: Path) -> None:
    """A terminal interrupts the whole group; the reference stays as long as the run needs it."""
    log = tmp_path / "log"
    with running(tmp_path, _EMBEDDED, f"--log-file={log}", "--log-file-level=DEBUG") as (process, said):
        _wait(lambda: log.is_file() and log.read_text(encoding="utf-8").count("HTTP/1.1") > 60)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(_PATIENCE) == 2, said()
    check_interrupted(reports.load(tmp_path / "report" / "report.json"), said())


def test_a_full_disk(tmp_path: Path, open_registry: Server) -> None:
    """A report that cannot be written is one sentence and no half of a file."""
    folder = tmp_path / "report"
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    command = [sys.executable, "-c", limit + "runpy.run_module('pytest', run_name='__main__')", "conformance"]
    command += ["-p", "no:cacheprovider", "--registry-url", open_registry.url, "--report", str(folder)]
    command += ["--requirement", "BASE-V2-200"]

    env = environment({})
    run = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)

    assert run.returncode == 4, run.stdout + run.stderr
    assert "--report" in run.stdout
    assert "cannot be written" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert not [*folder.glob("*")]


def check_interrupted(report: Report, said: str) -> None:
    """A report is whole and truthful: not complete, nothing passed, nobody blamed."""
    assert report["run"]["exit_code"] == 2
    assert not report["run"]["complete"]
    assert {profile["verdict"] for profile in report["profiles"].values()} == {"NOT_TESTED"}
    assert not [entry["id"] for entry in report["requirements"] if entry["outcome"] in {"broken", "error"}]
    assert "Traceback" not in said


def test_interrupted_before_it_began(tmp_path: Path) -> None:
    def hang(asked: Asked) -> Answer:
        time.sleep(3)
        return Answer(200)

    with serve(hang) as target, running(tmp_path, f"--registry-url={target.url}") as (process, said):
        _wait(lambda: target.asked)
        process.send_signal(signal.SIGINT)
        assert process.wait(_PATIENCE) == 2, said()
    assert "Traceback" not in said()
    assert not (tmp_path / "report" / "report.json").exists()


def test_files_left_out(suite: Forker, open_registry: Server) -> None:
    """A run without some of the modules is not whole, though nothing was deselected."""
    run = suite.run(open_registry.url, "--ignore-glob=*/conformance/[!b]*", "--maxfail=1")
    assert run.report is not None, run.stdout + run.stderr
    assert not run.report["run"]["complete"]
    assert {profile["verdict"] for profile in run.report["profiles"].values()} == {"NOT_TESTED"}


@pytest.mark.needs("setpriv")
def test_killed(tmp_path: Path) -> None:
    """The embedded reference does not outlive a run that is killed."""
    with running(tmp_path, _EMBEDDED) as (process, said):
        _wait(lambda: "Certifying" in said())
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
        assert children
        process.kill()
        _wait(lambda: not any(_runs(child) for child in children))


def _runs(pid: str) -> bool:
    try:
        return "reference" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return False
