"""Run the suite so many times and compare what it says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """Run the suite against one target once for each name, with its options.

    What it keeps of one run, such as the names of repositories, the next one meets.

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


def unlike(told: Sequence[Told], but: Collection[str] = ()) -> Iterator[str]:
    """Give a line for each requirement whose outcome differs between runs, but for some."""
    for id_ in sorted({id_ for one in told for id_ in one.outcomes} - set(but)):
        runs: dict[str, list[str]] = {}
        for one in told:
            runs.setdefault(one.outcomes.get(id_, "absent"), []).append(one.name)
        if len(runs) > 1:
            # The rarest last: it is the one to look at.
            ordered = sorted(runs.items(), key=lambda pair: -len(pair[1]))
            yield f"{id_}: " + ", ".join(f"{outcome} with {' '.join(names)}" for outcome, names in ordered)


def unlike_reports(told: Sequence[Told], but: Collection[str] = ()) -> Iterator[str]:
    """Give a line for each place where a report differs from the first, but for times and names.

    What is said of the requirements in ``but`` is left out, and how many there are of each verdict.
    """
    first = normal(_without(told[0].report, but))
    for one in told[1:]:
        for line in differences(first, normal(_without(one.report, but))):
            yield f"{told[0].name} and {one.name}: {line}"


def _without(report: Mapping[str, Any], but: Collection[str]) -> Mapping[str, Any]:
    if not but:
        return report
    entries = [entry for entry in report["requirements"] if entry["id"] not in but]
    profiles = {name: profile["verdict"] for name, profile in report["profiles"].items()}
    return {**report, "requirements": entries, "profiles": profiles}
