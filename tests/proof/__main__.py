"""``python -m tests.proof``: run the proof, show how far it is, and write what it found."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.proof import page
from tests.proof.cases import Case, Plan, chosen
from tests.proof.runner import Result, run

KINDS = ("fault", "variant", "together", "beside")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these faults, variants or rows")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these cases (repeatable)")
    parser.add_argument("--whole", action="store_true", help="the whole suite against each fault")
    parser.add_argument("--seed", default=datetime.datetime.now(tz=datetime.UTC).date().isoformat())
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, metavar="DIR", help="write page and data there")
    return parser


def _cases(arguments: argparse.Namespace) -> list[Case]:
    plan = Plan(arguments.seed, arguments.whole)
    makers = {"fault": plan.faults, "variant": plan.variants, "together": plan.together, "beside": plan.beside}
    return chosen([case for kind in arguments.kind or KINDS for case in makers[kind]()], arguments.names)


def main() -> int:
    """Run it; the exit status is 0 where every case is as it should be, else 1."""
    arguments = _parser().parse_args()
    cases = _cases(arguments)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    begin = time.monotonic()
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("proof", total=len(cases))

        def done(result: Result) -> None:
            progress.advance(task)
            if not result.good:
                case = result.case
                beside = f" beside {', '.join(case.variants)}" if case.variants and case.faults else ""
                progress.console.print(f"{case.kind} {case.name}{beside}: {result.word} {' '.join(result.broken)}")

        results = run(cases, arguments.jobs, done)
    summary = page.summary(results, arguments.seed, time.monotonic() - begin)
    print(page.as_text(summary))
    if arguments.write:
        page.write(arguments.write, summary, results)
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
