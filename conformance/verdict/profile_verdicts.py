"""The verdicts of one profile: of each category, and of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from conformance.verdict.rollup import RollUp
from spec.catalogue import CATEGORIES
from spec.model import Level, Requirement, Verdict, Withheld


class ProfileVerdicts:
    """The verdicts of one profile: for each category, and for the whole."""

    def __init__(
        self, rollup: RollUp, profile: str, known: frozenset[str], claimed: Iterable[str], complete: bool
    ) -> None:
        self._rollup = rollup
        self._profile = profile
        self._claimed = frozenset(claimed)
        self._complete = complete
        self.categories: dict[str, dict[str, Any]] = {}
        everything: list[tuple[Requirement, Verdict]] = []
        decisive: list[tuple[Requirement, Verdict]] = []
        for category in CATEGORIES:
            judged = [
                (requirement, Verdict(verdict))
                for requirement in rollup.catalogue.category(category)
                if (verdict := rollup.verdicts(requirement, known).get(profile))
            ]
            if not judged:
                continue
            self.categories[category] = {"verdict": self._verdict(judged).value, "counts": _counts(judged)}
            everything += judged
            if category in self._claimed:
                decisive += judged
        self.verdict = self._verdict(decisive)
        for verdict in (Verdict.FAIL, Verdict.ERROR):
            # What was seen in passing outside the claimed categories is no less broken.
            if any(found is verdict for _, found in everything):
                self.verdict = verdict
        self.counts = _counts(everything)
        causes = Counter(cause for requirement, _ in everything if (cause := self._withheld(requirement)))
        #: How many requirements are out of the run's scope, by what the owner did not give.
        self.withheld = {cause.value: causes[cause.value] for cause in Withheld if causes[cause.value]}

    def plain(self) -> dict[str, Any]:
        """Return the verdicts as ``report.json`` holds them."""
        scope = {"claimed": [c for c in self.categories if c in self._claimed], "withheld": self.withheld}
        return {"verdict": self.verdict.value, "scope": scope, "counts": self.counts, "categories": self.categories}

    def _sum(self, judged: list[tuple[Requirement, Verdict]]) -> Verdict:
        """Pass only where every MUST that a scenario decides is PASS (or its optional part absent).

        What the owner withheld is out of the scope: it neither passes nor stands in the way of what
        does.
        """
        found = {verdict for _, verdict in judged}
        required = [(r, v) for r, v in judged if r.levels.get(self._profile) is Level.MUST and self._decides(r)]
        musts = {v for r, v in required if not self._withheld(r)}
        for verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.KNOWN_FAILURE):
            if verdict in found:
                return verdict
        for verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_TESTED):
            if verdict in musts:
                return verdict
        if found & {Verdict.PASS, Verdict.WARNING}:
            return Verdict.PASS
        nothing = any(self._withheld(requirement) for requirement, _ in required)
        return Verdict.UNSUPPORTED if Verdict.UNSUPPORTED in found and not nothing else Verdict.NOT_TESTED

    def _withheld(self, requirement: Requirement) -> str:
        return self._rollup.results[requirement.id].withheld

    def _verdict(self, judged: list[tuple[Requirement, Verdict]]) -> Verdict:
        """A run of a part of the suite may find fault but never pass, not even in one category."""
        verdict = self._sum(judged)
        return verdict if self._complete or verdict in {Verdict.ERROR, Verdict.FAIL} else Verdict.NOT_TESTED

    def _decides(self, requirement: Requirement) -> bool:
        """Whether the suite can decide a requirement; otherwise it does not count."""
        if requirement.untestable or requirement.planned:
            return False
        result = self._rollup.results[requirement.id]
        return bool(result.scenarios) or self._complete


def _counts(judged: list[tuple[Requirement, Verdict]]) -> dict[str, int]:
    counted = Counter(verdict.value for _, verdict in judged)
    return {verdict.value: counted[verdict.value] for verdict in Verdict if counted[verdict.value]}
