"""Measure a run of the suite of some checkout: seconds, processor time, memory, exchanges."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.support.servers import ROOT

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_PAUSE = 0.05
_LONGEST = 1800.0


class BenchError(Exception):
    """Something that a measurement needs is not there, or a run did not end as it should."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Elapsed seconds, processor seconds of all processes of the suite, MiB of the first one, exchanges."""

    seconds: float
    processor: float
    memory: float
    exchanges: int

    def plain(self) -> dict[str, Any]:
        """Return the figures, rounded."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def checkout(commit: str, folder: Path) -> Path:
    """Return a folder with the files of a commit, made below another one if it is not there.

    Raises:
        BenchError: the repository has no such commit, as in a shallow clone.
    """
    place = folder / commit
    if not place.is_dir():
        done = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=False)
        if done.returncode:
            raise BenchError(f"commit {commit} is not in this clone; git fetch --unshallow gets it")
        part = folder / f"{commit}.part"
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(part, filter="data")
        part.rename(place)
    return place


def run(tree: Path, url: str, effort: str, seed: str, options: Sequence[str] = ()) -> Cost:
    """Run the suite of a checkout against a registry, once.

    Raises:
        BenchError: it wrote no report.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        report = Path(scratch) / "report"
        command = [sys.executable, "-m", "pytest", "conformance", "-q", "-p", "no:cacheprovider", "--effort", effort]
        command += ["--registry-url", url, "--report", str(report), "--seed", seed, "--max-time", "1800", *options]
        if setpriv := shutil.which("setpriv"):
            # Gone even where this process is killed.
            command = [setpriv, "--pdeathsig", "TERM", "--", *command]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "PYTEST_"))}
        with (Path(scratch) / "out").open("wb") as out:
            before, begin = _processor(), time.monotonic()
            process = subprocess.Popen(command, cwd=tree, env=kept, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            memory = _follow(process, begin + _LONGEST)
            seconds, processor = time.monotonic() - begin, _processor() - before
        if not (report / "report.json").is_file():
            said = (Path(scratch) / "out").read_text(encoding="utf-8", errors="replace").strip()
            raise BenchError(f"a run of {tree.name} left no report: {said[-500:]}")
        found = json.loads((report / "report.json").read_text(encoding="utf-8"))
    return Cost(seconds, processor, memory, int(found["run"]["exchanges"]["count"]))


def _processor() -> float:
    """Seconds of processor time of all processes that this one has waited for, and that these have."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _follow(process: subprocess.Popen[bytes], end: float) -> float:
    """Wait for a process; return its peak memory in MiB."""
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    try:
        while process.poll() is None and time.monotonic() < end:
            with suppress(OSError):
                if found := _PEAK.search(status.read_text(encoding="ascii")):
                    peak = int(found[1])
            time.sleep(_PAUSE)
    finally:
        # After an interrupt too, and where it takes too long.
        process.terminate()
        process.wait()
    return peak / 1024
