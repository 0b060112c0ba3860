"""Run the suite so many times and compare what it says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.real.registries import EXPECTED
from tests.support.forking import Forker
from tests.support.normal import differences, normal
from tests.support.servers import Server, docker_registry, reference

TARGETS: Mapping[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "reference": reference,
    "docker-registry": docker_registry,
}
#: A run that judges ends with one of these.
_VERDICTS = {0, 1}


@dataclass(frozen=True, slots=True)
class Told:
    """What one run said: its name, and the outcome of each requirement with the reason."""

    name: str
    outcomes: Mapping[str, str]
    report: Mapping[str, Any]


class RunError(Exception):
    """A run that ended without a verdict."""


def run(target: str, runs: Mapping[str, Sequence[str]], done: Callable[[Told], None]) -> list[Told]:
    """Run the suite against one target once for each name, with its options; the target stays the same throughout.

    Raises:
        RunError: a run gave no verdict.
    """
    told: list[Told] = []
    forker = Forker()
    try:
        with tempfile.TemporaryDirectory(prefix="repeat-") as folder, TARGETS[target](Path(folder)) as server:
            for name, options in runs.items():
                ran = forker.run(server.url, *options)
                if ran.report is None or ran.exit_code not in _VERDICTS:
                    raise RunError(f"{name}: exit code {ran.exit_code}\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}")
                told.append(Told(name, ran.outcomes, ran.report))
                done(told[-1])
    finally:
        forker.close()
    return told


def timed(target: str) -> frozenset[str]:
    """Return the requirements of which a target's own timing decides: ``tests/real/expected`` names two outcomes."""
    found: set[str] = set()
    for path in EXPECTED.glob(f"{target}-*.yaml"):
        outcomes = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {id_ for id_, outcome in outcomes.items() if " or " in outcome}
    return frozenset(found)


def unlike(told: Sequence[Told], but: Collection[str] = ()) -> Iterator[str]:
    """Give a line for each requirement whose outcome is not the same in all runs, but for some of them."""
    for id_ in sorted({id_ for one in told for id_ in one.outcomes} - set(but)):
        runs: dict[str, list[str]] = {}
        for one in told:
            runs.setdefault(one.outcomes.get(id_, "absent"), []).append(one.name)
        if len(runs) > 1:
            # The rarest last: it is the one to look at.
            ordered = sorted(runs.items(), key=lambda pair: -len(pair[1]))
            yield f"{id_}: " + ", ".join(f"{outcome} with {' '.join(names)}" for outcome, names in ordered)


def unlike_reports(told: Sequence[Told]) -> Iterator[str]:
    """Give a line for each place in which a report differs from the first but for times, ports and names."""
    first = normal(told[0].report)
    for one in told[1:]:
        for line in differences(first, normal(one.report)):
            yield f"{told[0].name} and {one.name}: {line}"
