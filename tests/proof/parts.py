"""The parts of the proof: which tasks each has, all of them or a sample that the seed chooses."""

from __future__ import annotations

import math
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.mutation import checks, trial
from tests.mutation.accepted import Accepted
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.reach import Reach
from tests.proof import runner
from tests.proof.cases import Case, Plan
from tests.proof.workshop import Result, Task, Workshop
from tests.support.weakening import Weakness, weaknesses

T = TypeVar("T")
#: The kinds of cases in the order in which they run; each needs at most what came before.
KINDS = ("fault", "check", "variant", "together", "beside", "mutant", "hostile", "secret")
#: How many of a kind a short proof takes; all where it is not named.
SAMPLES = {"together": 16, "beside": 80, "mutant": 240, "check": 240, "hostile": 48, "secret": 24}
#: Runs that wait most of their time go side by side, so many on each processor.
WAITING = {"hostile": 4, "secret": 2}


class Parts:
    """Makes tasks; ``whole`` leaves nothing to chance."""

    def __init__(self, seed: str, whole: bool, plan: Plan) -> None:
        self._seed = seed
        self._whole = whole
        self._plan = plan
        self._accepted = Accepted.load()

    def cases(self, kind: str) -> list[Case]:
        """The cases of faults and variants, alone or together."""
        makers = {
            "fault": self._plan.faults,
            "variant": self._plan.variants,
            "together": self._plan.together,
            "beside": self._plan.beside,
        }
        return self._sample(kind, [*makers[kind]()])

    def faults_and_variants(self, kind: str) -> list[Task]:
        """The suite against modified registries."""
        return [partial(runner.one, case) for case in self.cases(kind)]

    def mutants(self, reached: Mapping[str, Reach]) -> list[Task]:
        """The suite against registries that are changed in one place."""
        every = [mutant for module in trial.MODULES for mutant in mutants(module)]
        asked = [mutant for mutant in every if not self._accepted.mutant(mutant.name)]
        return [partial(_mutant, mutant, reached) for mutant in self._sample("mutant", asked)]

    def checks(self, matrix: checks.Matrix) -> list[Task]:
        """Weaker checks against the faults that they convict."""
        asked = [weakness for weakness in weaknesses() if not self._accepted.check(weakness.name)]
        return [partial(_check, weakness, matrix, self._seed) for weakness in self._sample("check", asked)]

    def accepted(self, kind: str) -> list[Result]:
        """The accepted cases, which are not run; of open ones the same share as of the rest is."""
        if kind == "mutant":
            names = [mutant.name for module in trial.MODULES for mutant in mutants(module)]
            reasons = {name: reason for name in names if (reason := self._accepted.mutant(name))}
        else:
            names = [weakness.name for weakness in weaknesses()]
            reasons = {name: reason for name in names if (reason := self._accepted.check(name))}
        found = [Result(kind, name, good=True, word="accepted", reason=reason) for name, reason in reasons.items()]
        still = [result for result in found if not result.unseen]
        asked = len(names) - len(found)
        part = 1.0 if self._whole or not asked else min(1.0, SAMPLES.get(kind, asked) / asked)
        kept = random.Random(f"{self._seed} {kind} open").sample(still, math.ceil(len(still) * part))
        return [*(result for result in found if result.unseen), *kept]

    def waiting(self, kind: str, names: Sequence[str], complaints: Callable[[str, Path], list[str]]) -> list[Task]:
        """Hostile targets and secrets: each is looked at by a function that tells what is wrong."""
        return [partial(_complained, kind, name, complaints) for name in self._sample(kind, names)]

    def _sample(self, kind: str, every: Sequence[T]) -> list[T]:
        size = SAMPLES.get(kind, len(every))
        if self._whole or size >= len(every):
            return [*every]
        return random.Random(f"{self._seed} {kind}").sample(every, size)


def _mutant(mutant: Mutant, reached: Mapping[str, Reach], workshop: Workshop) -> Result:
    begin = time.monotonic()
    found = trial.judge(mutant, reached, workshop.suite, workshop.changing)
    result = Result("mutant", mutant.name, found.killed, found.word, broken=found.requirements, text=found.text)
    result.seconds = round(time.monotonic() - begin, 2)
    return result


def _check(weakness: Weakness, matrix: checks.Matrix, seed: str, workshop: Workshop) -> Result:
    begin = time.monotonic()
    found = checks.notice(weakness, matrix, seed, workshop.suite, workshop.launcher)
    result = Result("check", weakness.name, found.good, found.word, beside=[found.fault] if found.fault else [])
    result.seconds = round(time.monotonic() - begin, 2)
    return result


def _complained(kind: str, name: str, complaints: Callable[[str, Path], list[str]], _workshop: Workshop) -> Result:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{kind}-") as folder:
        found = complaints(name, Path(folder))
    words = {"hostile": ("survived", "fell"), "secret": ("kept", "leaked")}[kind]
    result = Result(kind, name, not found, words[bool(found)], text="\n".join(found))
    result.seconds = round(time.monotonic() - begin, 2)
    return result
