"""A whole run of the suite as a process: its exit code, and the report that it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.chance import SEED
from tests.support.servers import ROOT

_LONGEST = 300.0
_PAUSE = 0.02
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What a run left: ``report`` is None where it wrote none; memory in MiB, time in seconds."""

    exit_code: int
    report: dict[str, Any] | None
    stdout: str
    stderr: str
    seconds: float
    peak_memory: float

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each requirement in the report."""
        assert self.report is not None, self.stdout + self.stderr
        return {entry["id"]: entry["outcome"] for entry in self.report["requirements"]}

    @property
    def decided(self) -> dict[str, str]:
        """The outcomes but those of requirements that no scenario is about."""
        return {id_: outcome for id_, outcome in self.outcomes.items() if outcome != "not tested"}

    @property
    def broken(self) -> list[str]:
        """The ids of the requirements that are broken."""
        return sorted(id_ for id_, outcome in self.outcomes.items() if outcome == "broken")

    def explain(self, id_: str) -> str:
        """What the report says of one requirement, for the message of an assertion."""
        assert self.report is not None
        found = [entry for entry in self.report["requirements"] if entry["id"] == id_]
        found += [entry for entry in self.report["findings"] if entry["requirement"] == id_]
        shown = [{name: value for name, value in entry.items() if name != "exchanges"} for entry in found]
        return json.dumps(shown, indent=2)


def run_suite(
    url: str | None,
    *options: str,
    env: Mapping[str, str] | None = None,
    report: Path | None = None,
    limit: float = _LONGEST,
) -> SuiteRun:
    """Run ``pytest conformance`` against a registry.

    Args:
        url: the registry, or ``embedded`` for the reference that the suite starts itself; None names none.
        options: options of the suite.
        env: variables on top of the environment, from which those of pytest and of the suite are taken away, and of a
            seed, which an option may replace.
        report: the folder of the report, where it is to stay; or none, for one that is gone afterwards.
        limit: seconds after which the run is killed.
    """
    with tempfile.TemporaryDirectory(prefix="suite-") as scratch:
        folder = report or Path(scratch) / "report"
        command = [sys.executable, "-m", "pytest", "conformance", "-p", "no:cacheprovider"]
        command += ["--registry-url", url] if url is not None else []
        if not any(option == "--report" or option.startswith("--report=") for option in options):
            command += ["--report", str(folder)]
        with (Path(scratch) / "out").open("w+b") as out, (Path(scratch) / "err").open("w+b") as err:
            begin = time.monotonic()
            process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=_environment(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            peak = _follow(process, begin + limit)
            seconds = time.monotonic() - begin
            stdout, stderr = (_text(Path(stream.name)) for stream in (out, err))
        written = folder / "report.json"
        document = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else None
    return SuiteRun(process.returncode, document, stdout, stderr, seconds, peak)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    ours = ("REGISTRY_", "PYTEST_", "COV_", "ALLURE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name != "CI"}
    return {**kept, "COLUMNS": "120", "REGISTRY_SEED": SEED, **more}


def _follow(process: subprocess.Popen[bytes], end: float) -> float:
    """Wait for the process and return its peak memory in MiB.

    Taken from /proc, since the figure of wait4 has that of the parent as its floor.
    """
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        try:
            if match := _PEAK.search(status.read_text()):
                peak = int(match[1])
        except OSError:
            pass
        if time.monotonic() > end:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(_PAUSE)
    return peak / 1024


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
