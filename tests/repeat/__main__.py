"""Many runs: ``python -m tests.repeat --runs 20 --seeds different --target docker-registry``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.real.registries import timed
from tests.repeat.runs import TARGETS, RunError, Told, run, unlike, unlike_reports


def main(words: Sequence[str] | None = None) -> int:
    """Return 0 where every run said the same."""
    parser = argparse.ArgumentParser(prog="python -m tests.repeat", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, metavar="NUMBER", help="how many runs")
    parser.add_argument("--seeds", choices=("different", "same"), default="different", help="seeds 0, 1, ..., or all 0")
    parser.add_argument("--target", choices=tuple(TARGETS), default="reference", help="what is run against")
    parser.add_argument("--shuffle", action="store_true", help="each run but the first in an order of its own")
    parser.add_argument("--workers", type=int, default=0, metavar="NUMBER", help="processes of each run")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a folder for the reports")
    arguments = parser.parse_args(words)
    plan: dict[str, tuple[str, ...]] = {}
    for number in range(arguments.runs):
        seed = number if arguments.seeds == "different" else 0
        shuffle = ("--shuffle", str(number)) if arguments.shuffle and number else ()
        workers = ("-n", str(arguments.workers)) if arguments.workers else ()
        name = f"seed {seed}" if arguments.seeds == "different" else f"run {number}"
        plan[name] = ("--seed", str(seed), *shuffle, *workers)
    begin = time.monotonic()

    def done(told: Told) -> None:
        broken = sum(outcome == "broken" for outcome in told.outcomes.values())
        print(f"{told.name}: {broken} broken, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            (arguments.keep / f"{told.name.replace(' ', '-')}.json").write_text(json.dumps(told.report), "utf-8")

    try:
        told = run(arguments.target, plan, done)
    except RunError as error:
        print(error)
        return 1
    free = timed(arguments.target)
    found = [*unlike(told, free)]
    for line in unlike(told):
        if line.partition(":")[0] in free:
            print(f"by the timing of the target, {line}")
    # Other content, or another order, makes another report of the same outcomes.
    if arguments.seeds == "same" and not arguments.shuffle:
        found += unlike_reports(told, free)
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(told)} runs against {arguments.target}, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
