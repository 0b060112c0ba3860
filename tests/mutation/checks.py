"""One weaker check against the faults that it convicts: noticed, or nobody would know."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference.faults import ALL as FAULTS
from tests.support.collected import WEAKER, Collected
from tests.support.configurations import configured
from tests.support.forked.launching import Launcher, launched_by
from tests.support.sampling import number_of
from tests.support.servers import ServerError
from tests.support.weakening import Weakness

#: By scenario and requirement, what was expected where it was found broken.
Convictions = Mapping[str, Mapping[str, Sequence[str]]]
#: The convictions of each fault.
Matrix = Mapping[str, Convictions]
#: How many faults are tried for one check.
_MOST = 12


@dataclass(slots=True)
class Noticed:
    """The result of a weaker check: noticed, unnoticed or unwatched (no fault meets it)."""

    weakness: Weakness
    word: str
    fault: str = ""
    runs: int = 0

    @property
    def good(self) -> bool:
        """Whether the proof saw it."""
        return self.word == "noticed"


def notice(weakness: Weakness, matrix: Matrix, seed: str, suite: Collected, launcher: Launcher) -> Noticed:
    """Try a weaker check on the faults convicted around it, until one is convicted of less.

    ``seed`` is that of the matrix: the runs send the same.
    """
    result = Noticed(weakness, "unwatched")
    for fault, before in _watched(weakness, matrix)[:_MOST]:
        result.runs += 1
        with launched_by(launcher):
            after = _convictions(fault, sorted(before), weakness, seed, suite)
        if after is None:
            # The matrix is older than the fault, or than the names of the scenarios.
            continue
        result.word = "unnoticed"
        if _lacks(after, before):
            result.word, result.fault = "noticed", fault
            return result
    return result


def _lacks(after: Convictions, before: Convictions) -> bool:
    """Whether a breach, or one of the sentences about it, is no longer found."""
    return any(
        requirement not in after.get(scenario, {}) or _fewer(after[scenario][requirement], told, requirement)
        for scenario, of in before.items()
        for requirement, told in of.items()
    )


def _fewer(after: Sequence[str], before: Sequence[str], requirement: str) -> bool:
    """Whether a sentence is missing or less frequent; races make counts a matter of chance."""
    if "CONCURRENT" in requirement:
        return not {*before} <= {*after}
    return bool(Counter(before) - Counter(after))


def _watched(weakness: Weakness, matrix: Matrix) -> list[tuple[str, Convictions]]:
    """The faults that a check could convict, with its convictions; new ones first."""
    found: list[tuple[str, Convictions]] = []
    for fault, convictions in matrix.items():
        mine: dict[str, Mapping[str, Sequence[str]]] = {}
        for scenario, of in convictions.items():
            of_mine = {requirement: of[requirement] for requirement in weakness.requirements if requirement in of}
            if of_mine and _may_hold(scenario, weakness):
                mine[scenario] = of_mine
        if mine:
            found.append((fault, mine))
    found.sort(key=lambda pair: (len(pair[1]), pair[0]))
    seen: set[str] = set()
    later: list[bool] = []
    for _, convictions in found:
        told = {sentence for of in convictions.values() for sentences in of.values() for sentence in sentences}
        later.append(told <= seen)
        seen |= told
    return [pair for _, pair in sorted(zip(later, found, strict=True), key=lambda ranked: ranked[0])]


def _may_hold(scenario: str, weakness: Weakness) -> bool:
    """Whether a scenario may use a check: one of its module, or any if there is none."""
    file = weakness.module.replace(".", "/") + ".py"
    if "/test_" not in file:
        return "::" in scenario and ("/search/" in scenario) == ("/search/" in file)
    outermost = weakness.place.split(".")[0]
    return scenario.startswith(f"{file}::") and (
        not outermost.startswith("test_") or scenario.split("::")[1].partition("[")[0] == outermost
    )


def _convictions(
    name: str, scenarios: list[str], weakness: Weakness, seed: str, suite: Collected
) -> Convictions | None:
    """Return a fault's convictions by some scenarios; ``None`` if the check was not met."""
    fault = FAULTS[name]
    chosen = [f"={scenario}" for scenario in scenarios]
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        try:
            with configured(fault.configuration, Path(folder), faults=[name], variants=fault.variants) as target:
                env = {**target.env, WEAKER: json.dumps([weakness.module, weakness.number])}
                bounds = ("--seed", number_of(seed, "fault", name), "--timeout", "3", "--keep")
                options = (*target.options, *fault.options, *bounds, *chosen)
                ran = suite.run(target.url, *options, env=env)
        except ServerError:
            return None
    found: Convictions | None = ran.report["convictions"] if ran.report is not None else None
    return found
