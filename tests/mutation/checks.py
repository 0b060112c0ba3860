"""One weaker check against the faults that it convicts: noticed, or nobody would know."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference.faults import ALL as FAULTS
from tests.mutation.weakening import Weakness
from tests.support.collected import WEAKER, Collected
from tests.support.configurations import configured
from tests.support.launching import Launcher, launched_by
from tests.support.servers import ServerError

#: By fault and requirement, the scenarios that convict the one of breaking the other.
Matrix = Mapping[str, Mapping[str, Sequence[str]]]
#: How many faults are tried for one check.
_MOST = 8


@dataclass(slots=True)
class Noticed:
    """What became of one weaker check: ``word`` is noticed, unnoticed or unwatched (no fault goes through it)."""

    weakness: Weakness
    word: str
    fault: str = ""
    runs: int = 0

    @property
    def good(self) -> bool:
        """Whether the proof saw it."""
        return self.word == "noticed"


def notice(weakness: Weakness, matrix: Matrix, suite: Collected, launcher: Launcher) -> Noticed:
    """Try a weaker check on the faults that are convicted by the scenarios around it, until one is missed."""
    result = Noticed(weakness, "unwatched")
    for fault, by in _watched(weakness, matrix)[:_MOST]:
        result.word = "unnoticed"
        result.runs += 1
        scenarios = sorted({name for names in by.values() for name in names})
        with launched_by(launcher):
            found = _convictions(fault, scenarios, weakness, suite)
        if any(not set(names) <= set(found.get(requirement, ())) for requirement, names in by.items()):
            result.word, result.fault = "noticed", fault
            return result
    return result


def _watched(weakness: Weakness, matrix: Matrix) -> list[tuple[str, dict[str, list[str]]]]:
    """The faults that a check could convict, each with the scenarios that may contain it; the quickest first."""
    found = []
    for fault, by in matrix.items():
        mine = {
            requirement: [name for name in by.get(requirement, ()) if _may_hold(name, weakness)]
            for requirement in weakness.requirements
        }
        mine = {requirement: names for requirement, names in mine.items() if names}
        if mine:
            found.append((fault, mine))
    return sorted(found, key=lambda pair: (sum(map(len, pair[1].values())), pair[0]))


def _may_hold(scenario: str, weakness: Weakness) -> bool:
    """Whether a scenario may come by a check: one of its own module, or any where the module has none."""
    file = weakness.module.replace(".", "/") + ".py"
    if "/test_" not in file:
        return "::" in scenario
    outermost = weakness.place.split(".")[0]
    return scenario.startswith(f"{file}::") and (
        not outermost.startswith("test_") or scenario.split("::")[1].partition("[")[0] == outermost
    )


def _convictions(name: str, scenarios: list[str], weakness: Weakness, suite: Collected) -> Mapping[str, Sequence[str]]:
    fault = FAULTS[name]
    chosen = [f"={scenario}" for scenario in scenarios]
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        try:
            with configured(fault.configuration, Path(folder), faults=[name], variants=fault.variants) as target:
                env = {**target.env, WEAKER: json.dumps([weakness.module, weakness.number])}
                options = (*target.options, *fault.options, "--timeout", "3", "--keep", *chosen)
                ran = suite.run(target.url, *options, env=env)
        except ServerError:
            return {}
    # A run that ends in any other way says nothing of the check: the conviction counts as kept.
    if ran.report is None:
        return dict.fromkeys(weakness.requirements, scenarios)
    found: Mapping[str, Sequence[str]] = ran.report["convicted_by"]
    return found
