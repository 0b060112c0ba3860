"""What a run costs before a registry that is full, as a ratio to the same before one that is not.

``python -m tests.full.measure [--original] [--turns N]`` prints a table for docs/measurements.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.full.filling import REFERRED, REFERRER, SUBJECT, TAGGED, Amount, fill_original
from tests.support.servers import ROOT, Server, docker_registry, run_process, wait_for

#: What is in the registry that is compared with: as little of each kind as all scenarios need.
FEW = Amount(repositories=20, tags=10, referrers=10)
#: Ways to run, and their options.
WAYS = {
    "repositories of its own": (),
    "--repository": ("--repository", TAGGED, "--repository", REFERRED),
    "--read-only": (
        "--read-only",
        *(f"--existing={name}:{tag}" for name, tag in ((TAGGED, "latest"), (REFERRED, SUBJECT), (REFERRED, REFERRER))),
    ),
}
_MEBI = 1 << 20
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds, seconds of processor time, MiB of all its processes, exchanges, bytes, and its report."""

    elapsed: float
    processor: float
    memory: float
    exchanges: int
    sent: int
    report: dict[str, Any]


@contextmanager
def full_reference(folder: Path, amount: Amount, *options: str) -> Iterator[Server]:
    """Run a reference that is filled; options are those of ``python -m reference``."""
    port_file = folder / "full.address"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.full", "--addr", "127.0.0.1:0", "--port-file", str(port_file), *options]
    command += [f"--{kind}={getattr(amount, kind)}" for kind in ("repositories", "tags", "referrers")]
    with run_process(command, folder / "full.log") as (process, log):
        address = wait_for(process, log, lambda: port_file.read_text().strip() if port_file.exists() else "")
        yield Server("reference", address, log, process.pid)


@contextmanager
def full_original(folder: Path, amount: Amount) -> Iterator[Server]:
    """Run Debian's docker-registry on a folder that is filled."""
    fill_original(folder / "content", amount)
    with docker_registry(folder, filesystem=True) as server:
        yield server


def run(server: Server, folder: Path, *options: str) -> Cost:
    """Run the suite once."""
    report = folder / "report"
    command = [sys.executable, "-m", "pytest", "conformance", "-q", "--registry-url", server.url, "--seed", "7"]
    command += ["--report", str(report), *options]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    received = _received(server)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    memory = 0.0
    while process.poll() is None:
        memory = max(memory, _memory(process.pid))
        time.sleep(_PAUSE)
    elapsed, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = report if (report / "report.json").exists() else report / "part"
    document = json.loads((found / "report.json").read_text())
    return Cost(
        elapsed,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        memory,
        document["run"]["exchanges"]["count"],
        _received(server) - received,
        document,
    )


def _received(server: Server) -> int:
    """Bytes that the processes of a server have written so far, to sockets for the most part."""
    return int(psutil.Process(server.pid).io_counters().write_chars)


def _memory(pid: int) -> float:
    """MiB of a process and all below it; what they share counts once."""
    total = 0
    try:
        for process in (root := psutil.Process(pid), *root.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:
        return 0.0
    return total / _MEBI


def compare(way: Sequence[str], *, original: bool, turns: int) -> tuple[list[Cost], list[Cost]]:
    """Run before few and before many things in turns, each time on a server that starts anew."""
    few: list[Cost] = []
    many: list[Cost] = []
    for _ in range(turns):
        for costs, amount in ((few, FEW), (many, Amount())):
            with tempfile.TemporaryDirectory() as name:
                start = full_original if original else full_reference
                with start(Path(name), amount) as server:
                    costs.append(run(server, Path(name), *way))
    return few, many


def _row(name: str, few: list[Cost], many: list[Cost]) -> str:
    cells = [name]
    for member, form in (("elapsed", ".1f"), ("processor", ".1f"), ("exchanges", ",.0f"), ("sent", ",.0f")):
        a, b = (statistics.median(getattr(cost, member) for cost in costs) for costs in (few, many))
        cells.append(f"{a:{form}} / {b:{form}} ({b / a:.2f})")
    cells.append(f"{max(c.memory for c in few):.0f} / {max(c.memory for c in many):.0f}")
    return " | ".join(("", *cells, "")).strip()


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.full.measure", description=__doc__)
    parser.add_argument("--original", action="store_true", help="docker-registry in place of the reference")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, action="append")
    given = parser.parse_args(arguments)
    print("| few / many (ratio) | s | processor, s | exchanges | bytes of the server | memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for name in given.way or WAYS:
        few, many = compare(WAYS[name], original=given.original, turns=given.turns)
        print(_row(name, few, many), flush=True)
        for first, second in zip(few[:1], many[:1], strict=True):
            for before, after in zip(first.report["requirements"], second.report["requirements"], strict=True):
                if before["outcome"] != after["outcome"]:
                    print(f"  {before['id']}: {before['outcome']}, then {after['outcome']} ({after['reason']})")


if __name__ == "__main__":
    main(sys.argv[1:])
