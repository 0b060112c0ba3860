"""What a scenario reaches in each set-up of the reference, and what the reference has there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage

from tests.mutation import lines
from tests.support.configurations import Target, configured
from tests.support.forked.launching import Launcher, launched_by
from tests.support.suite import run_suite
from tests.support.weakening import source_of

#: Where mutants are tried, each a set-up of the reference and variants that lead to code which
#: nothing else reaches: everything shows in the first, unless it is about what only another one
#: has.
SET_UPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "memory": ("memory", ()),
    "pages": ("memory", ("referrers-in-small-pages",)),
    "schema1": ("schema1", ()),
    "delete-off": ("delete-off", ()),
    "pull-only": ("pull-only", ()),
    "htpasswd": ("htpasswd", ()),
    "token": ("token", ()),
    "token-public": ("token-public", ()),
    "notifications": ("notifications", ()),
}
USUAL = "memory"


@dataclass(frozen=True, slots=True)
class Reach:
    """A set-up: the scenarios that reach each line, their times, and the run without a change."""

    #: By file and line, the scenarios; by scenario and file, the lines.
    lines: Mapping[tuple[str, int], frozenset[str]]
    reached_by: Mapping[tuple[str, str], frozenset[int]]
    seconds: Mapping[str, float]
    #: The scenarios that judged something.
    passed: frozenset[str]
    outcomes: Mapping[str, str]
    capabilities: Mapping[str, bool]

    def of(self, module: str, span: Iterable[int]) -> frozenset[str]:
        """Return the scenarios that reach one of some lines of a module."""
        file = str(source_of(module))
        return frozenset().union(*(self.lines.get((file, line), frozenset()) for line in span))

    def adds(self, scenario: str, module: str, usual: Reach) -> bool:
        """Whether a scenario can show here what it does not show in the usual set-up."""
        pair = (scenario, str(source_of(module)))
        new = scenario in self.passed and scenario not in usual.passed
        return new or self.reached_by.get(pair) != usual.reached_by.get(pair)


def measure(jobs: int) -> dict[str, Reach]:
    """Measure all set-ups."""
    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(SET_UPS, pool.map(_of, SET_UPS), strict=True))


def set_up_in(name: str, folder: Path) -> AbstractContextManager[Target]:
    """Run the reference in a set-up."""
    configuration, variants = SET_UPS[name]
    return configured(configuration, folder, variants=variants)


def _of(name: str) -> Reach:
    with (
        tempfile.TemporaryDirectory(prefix="reach-") as scratch,
        closing(Launcher("tests.mutation.serving")) as launcher,
    ):
        folder = Path(scratch)
        data, times = folder / "lines", folder / "times"
        launcher.more = {"lines": str(data)}
        with launched_by(launcher), set_up_in(name, folder) as target:
            service = folder / "tokens.address"
            addresses = [target.url, *([f"http://{service.read_text().strip()}"] if service.exists() else [])]
            env = {**target.env, lines.ADDRESSES: " ".join(addresses), lines.TIMES: str(times)}
            # One process: with several, the lines of one scenario would be taken for those of another.
            alone = ("-n", "0", "-p", "tests.mutation.lines")
            run = run_suite(target.url, *target.options, *alone, "--keep", "--seed", "1", env=env)
        assert run.report is not None, run.stdout + run.stderr
        told = json.loads(times.read_text())
        found = _reached([*folder.glob("lines.*")], told["order"])
        return Reach(
            found,
            _by_scenario(found),
            told["seconds"],
            frozenset(told["passed"]),
            run.outcomes,
            {name: entry["present"] for name, entry in run.report["target"]["capabilities"].items()},
        )


def _reached(files: list[Path], order: list[str]) -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], frozenset[str]] = {}
    for data in files:
        counted = coverage.CoverageData(str(data))
        counted.read()
        for file in counted.measured_files():
            by_line: dict[int, list[Any]] = counted.contexts_by_lineno(file)
            for line, contexts in by_line.items():
                scenarios = frozenset(order[int(name)] for name in contexts if name.isdecimal())
                found[file, line] = found.get((file, line), frozenset()) | scenarios
    return found


def _by_scenario(found: Mapping[tuple[str, int], frozenset[str]]) -> dict[tuple[str, str], frozenset[int]]:
    lines: dict[tuple[str, str], set[int]] = {}
    for (file, line), scenarios in found.items():
        for scenario in scenarios:
            lines.setdefault((scenario, file), set()).add(line)
    return {pair: frozenset(reached) for pair, reached in lines.items()}
