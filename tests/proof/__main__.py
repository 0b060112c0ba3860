"""``python -m tests.proof``: prove the suite, show how far it is, and write what was found."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tests.proof import page
from tests.proof.cases import Plan
from tests.proof.kept import Kept
from tests.proof.parts import KINDS, WAITING, Parts
from tests.proof.workshop import Result, Task, Workshop, run
from tests.support.configurations import CONFIGURATIONS
from tests.support.outside import OutsideError, register

USAGE = 4
#: Where the output is no terminal, a line comes after so many seconds.
_PAUSE = 60.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("names", nargs="*", help="only the cases whose name has one of these in it")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these cases (repeatable)")
    parser.add_argument("--whole", action="store_true", help="all cases, and the whole suite against each fault")
    parser.add_argument("--seed", default=datetime.datetime.now(tz=datetime.UTC).date().isoformat(), help="any text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument(
        "--write", type=Path, metavar="DIR", help="write page and data there; with --kind, into those that are there"
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep results there, and run only what is not kept of this commit"
    )
    parser.add_argument(
        "--fault-from", type=Path, action="append", default=[], metavar="FILE", help="a fault of your own (repeatable)"
    )
    return parser


class Proof:
    """One run of the proof: its parts one after the other, its results together."""

    def __init__(self, arguments: argparse.Namespace, progress: Progress) -> None:
        self._arguments = arguments
        self._progress = progress
        self._parts = Parts(arguments.seed, arguments.whole, Plan(arguments.seed, arguments.whole))
        self._kinds = [kind for kind in KINDS if kind in (arguments.kind or KINDS)]
        self._kept = Kept(arguments.resume, arguments.seed, whole=arguments.whole)
        self._said = time.monotonic()
        self.results: list[Result] = []

    def run(self) -> None:
        """Run all parts."""
        if "fault" in self._kinds or "check" in self._kinds:
            self._run("fault", self._parts.faults_and_variants("fault"))
        if "check" in self._kinds:
            matrix = {r.name: r.convictions for r in self.results if r.kind == "fault"}
            self._run("check", self._parts.checks(matrix))
            self.results += self._accepted("check")
        for kind in ("variant", "together", "beside"):
            if kind in self._kinds:
                self._run(kind, self._parts.faults_and_variants(kind))
        if "mutant" in self._kinds:
            from tests.mutation.reach import measure  # noqa: PLC0415  # coverage is wanted here alone

            self._run("mutant", self._parts.mutants(measure(self._arguments.jobs)))
            self.results += self._accepted("mutant")
        if "hostile" in self._kinds:
            self._wait("hostile")
        if "secret" in self._kinds:
            self._wait("secret")

    def _accepted(self, kind: str) -> list[Result]:
        return [] if self._arguments.names else self._parts.accepted(kind)

    def _wait(self, kind: str) -> None:
        names: Sequence[str]
        complaints: Callable[[str, Path], list[str]]
        if kind == "hostile":
            from tests.hostile import trial as hostile  # noqa: PLC0415  # only where they are wanted

            names, complaints = [case.name for case in hostile.CASES], hostile.complaints
        else:
            from tests.secrets import cases, trial  # noqa: PLC0415  # as above

            names, complaints = [*cases.CASES], trial.leaks
        self._run(kind, self._parts.waiting(kind, names, complaints))

    def _run(self, kind: str, tasks: list[Task]) -> None:
        only = self._arguments.names
        tasks = [task for task in tasks if not only or any(name in _name(task) for name in only)]
        before = {task: found for task in tasks if (found := self._kept.find(kind, _name(task))) is not None}
        self.results += before.values()
        bar = self._progress.add_task(page.TITLES[kind], total=len(tasks), completed=len(before))
        jobs = self._arguments.jobs * WAITING.get(kind, 1)
        outside = tuple(str(path) for path in self._arguments.fault_from)
        left = [task for task in tasks if task not in before]
        self.results += run(left, jobs, lambda: Workshop(outside), lambda result: self._done(bar, result))

    def _done(self, bar: TaskID, result: Result) -> None:
        self._progress.advance(bar)
        self._kept.add(result)
        if not result.good:
            self._progress.console.print(page.line(result), markup=False, highlight=False, soft_wrap=True)
        if not self._progress.console.is_terminal and time.monotonic() > self._said + _PAUSE:
            self._said = time.monotonic()
            task = self._progress.tasks[bar]
            print(f"{task.description}: {task.completed:g} of {task.total:g}", file=sys.stderr, flush=True)


def _name(task: Task) -> str:
    first = task.args[0]  # type: ignore[attr-defined]  # each is a partial whose first argument says what it is about
    return str(task.args[1] if isinstance(first, str) else first.name)  # type: ignore[attr-defined]  # as above


def main() -> int:
    """Run it; status 0 if every case is good, 1 if one is not, 4 for a wrong option."""
    arguments = _parser().parse_args()
    try:
        for path in arguments.fault_from:
            arguments.names.append(register(path.resolve(), CONFIGURATIONS).name)
            arguments.kind = arguments.kind or ["fault"]
    except OutsideError as error:
        print(f"--fault-from: {error}", file=sys.stderr)
        return USAGE
    begin = time.monotonic()
    columns = (TextColumn("{task.description:>24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        proof = Proof(arguments, progress)
        proof.run()
    summary = page.summary(proof.results, arguments, time.monotonic() - begin)
    print(page.as_text(summary))
    short = page.falls_short(summary, proof.results)
    if arguments.write:
        results: Sequence[Result] = proof.results
        if arguments.kind and not arguments.names and (arguments.write / "proof.json").is_file():
            summary, results = page.renewed(arguments.write, summary, results)
        page.write(arguments.write, summary, results)
    for sentence in short:
        print(sentence)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
