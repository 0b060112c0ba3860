"""A run that can be interrupted, and what has to hold of it afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import reports
from reports.model import Report
from tests.support.forking import environment
from tests.support.servers import ROOT

#: Seconds; the machine may be busy with other tests.
PATIENCE = 240.0
_PAUSE = 0.02
REPORT = {"report.json", "report.html", "summary.md"}


@dataclass(frozen=True, slots=True)
class Started:
    """A running suite: its process, the folder of its report, and a file with what it says."""

    process: subprocess.Popen[bytes]
    report: Path
    out: Path

    @property
    def said(self) -> str:
        """Both outputs."""
        return self.out.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals, group: bool = False) -> None:
        """Send a signal to the process, or to its group, as a terminal and a supervisor do."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end and return the exit code; no process or partial file is left."""
        code = self.process.wait(PATIENCE)
        wait_for(lambda: not _of_session(self.process.pid), self)
        assert "Traceback" not in self.said, self.said
        assert "INTERNALERROR" not in self.said, self.said
        if self.report.is_dir():
            assert {path.name for path in self.report.iterdir()} in (set(), REPORT), self.said
        return code

    def truth(self) -> Report:
        """Return the report of an interrupted run: valid, incomplete, no pass, no finding."""
        report = reports.load(self.report / "report.json")
        assert report["run"]["exit_code"] == 2
        assert not report["run"]["complete"]
        assert {profile["verdict"] for profile in report["profiles"].values()} == {"NOT_TESTED"}
        assert not [entry["id"] for entry in report["requirements"] if entry["outcome"] in {"broken", "error"}]
        return report


@contextmanager
def started(folder: Path, *options: str, before: Sequence[str] = ()) -> Iterator[Started]:
    """Run the suite in a session of its own; ``before`` are words in front of its command."""
    report, out = folder / "report", folder / "out"
    command = [*before, sys.executable, "-m", "pytest", "conformance", "-p", "no:cacheprovider", f"--report={report}"]
    # What a shell starts in the background ignores interrupts, and so would all that it starts.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with out.open("wb") as file:
            process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env={**environment({}), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
    finally:
        signal.signal(signal.SIGINT, handler)
    try:
        yield Started(process, report, out)
    finally:
        for pid in _of_session(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], object], run: Started) -> None:
    """Wait until something is so; the run must not have failed before."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, run.said
        time.sleep(_PAUSE)


def _of_session(session: int) -> list[int]:
    """Return the processes of a session that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, owner = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(owner) == session and state != "Z":
            found.append(int(path.parent.name))
    return found
