"""Merge the results of scenarios: one outcome per requirement, a verdict per profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.verdict.rank import weight
from spec.catalogue import Catalogue
from spec.model import Level, Outcome, Requirement, Verdict, weigh

#: What a scenario leaves: judgements, breaches of contract and invariants, figures. JSON values
#: only.
Record = dict[str, Any]

#: The scenario name under which the passive contract check books.
CONTRACT = "contract"
#: The one under which the invariants book.
INVARIANTS = "invariants"
PASSIVE = frozenset({CONTRACT, INVARIANTS})
#: Where the scenarios are that look for what nobody thought of.
SEARCH = "conformance/scenarios/search/"
#: Where the laws are that are tried under conditions.
CONDITIONS = "conformance/scenarios/conditions/"


@dataclass(slots=True)
class Finding:
    """A broken requirement with the judgement that shows it best."""

    requirement: str
    scenario: str
    judgement: dict[str, Any]
    also_affected: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """The outcome of one requirement over all its scenarios."""

    outcome: Outcome = Outcome.NOT_TESTED
    reason: str = ""
    #: What the owner did not give, where nothing else stood in the way of a test.
    withheld: str = ""
    scenarios: list[str] = field(default_factory=list)
    finding: Finding | None = None
    #: The scenarios that found it held, and those that found it broken.
    held_by: set[str] = field(default_factory=set)
    broken_by: set[str] = field(default_factory=set)

    @property
    def searched(self) -> bool:
        """Whether only the search or a law found a breach that its own scenario did not."""
        direct = {name for name in self.held_by if name not in PASSIVE and not _looks_everywhere(name)}
        return bool(direct) and all(map(_looks_everywhere, self.broken_by))

    @property
    def narrower(self) -> frozenset[str]:
        """The conditions beyond the requirement: a breach under them explains none without them."""
        return frozenset(self.finding.judgement.get("narrower", ()) if self.finding else ())

    @property
    def condition(self) -> frozenset[str]:
        """The conditions that make the difference: what is broken anyway does not explain it."""
        return frozenset(self.finding.judgement.get("condition", ()) if self.finding else ())


def _looks_everywhere(node: str) -> bool:
    """Whether a scenario tries much that has scenarios of its own."""
    return SEARCH in node or CONDITIONS in node


def _tells(scenario: str, judgement: dict[str, Any]) -> int:
    """How well a scenario describes a breach: its own best, then one that knows the condition."""
    if scenario in PASSIVE:
        return 0
    if judgement.get("root"):
        return 1
    return 2 + bool(judgement.get("condition")) if _looks_everywhere(scenario) else 4


class RollUp:
    """Outcomes of a run; the order in which records come in makes no difference.

    ``selected`` has the requirements that the options chose, nothing where they chose scenarios,
    and is ``None`` for a whole run.
    """

    def __init__(
        self, catalogue: Catalogue, records: dict[str, Record], selected: frozenset[str] | None = None
    ) -> None:
        self.catalogue = catalogue
        self.results = {requirement.id: Result() for requirement in catalogue}
        self.errors: list[str] = []
        self.exchanges = 0
        self.contract_seconds = 0.0
        self._folded: dict[str, str] = {}
        #: The rows of conditions that were tried, subject by subject (`Campaign.rows_tried`).
        self.tried: list[dict[str, Any]] = []
        #: What was looked at in part, in words.
        self.sampled: set[str] = set()
        self._selected = selected
        for node in sorted(records):
            self._add(node, records[node])
        self._promote(records)
        self._say_why_not()
        self._explain_invariants(records)
        self._explain()
        self._fold()

    # -- outcomes

    def _add(self, node: str, record: Record) -> None:
        self.exchanges += record["exchanges"]
        self.contract_seconds += record["contract_seconds"]
        if record["error"]:
            self.errors.append(f"{node}: {record['error']}")
        for judgement in record["judgements"]:
            # These speak of much that was not asked for, and whose own scenarios are not there to
            # say more.
            if not (self._selected and _looks_everywhere(node) and judgement["requirement"] not in self._selected):
                self._merge(judgement["requirement"], node, judgement)
        for requirement in record["exercised"]:
            if requirement in self.results:
                self._merge(requirement, CONTRACT, {"outcome": Outcome.HELD, "reason": "", "withheld": ""})
        self.sampled.update(record.get("sampled", ()))
        if record.get("conditions"):
            self.tried.append(record["conditions"])
        for judgement in record["breaches"]:
            if judgement["requirement"] in self.results:
                self._merge(judgement["requirement"], CONTRACT, judgement)
        for judgement in record["contradictions"]:
            self._merge(judgement["requirement"], INVARIANTS, judgement)

    def _merge(self, requirement: str, scenario: str, judgement: dict[str, Any]) -> None:
        result = self.results[requirement]
        outcome = Outcome(judgement["outcome"])
        first = not result.scenarios
        if scenario not in result.scenarios:
            result.scenarios.append(scenario)
        if outcome in {Outcome.HELD, Outcome.BROKEN}:
            (result.held_by if outcome is Outcome.HELD else result.broken_by).add(scenario)
        before = result.finding.judgement.get("root", "") if result.finding else ""
        better = weight(outcome, judgement.get("root", "")) < weight(result.outcome, before)
        # A scenario of its own shows a breach better than a law or the search, and these better
        # than a passive check.
        found = result.finding
        shows = (
            outcome is Outcome.BROKEN
            and found is not None
            and _tells(scenario, judgement) > _tells(found.scenario, found.judgement)
        )
        # What stands in the way of PASS goes before what is merely out of the run's scope.
        graver = outcome is result.outcome is Outcome.NOT_TESTED and result.withheld and not judgement["withheld"]
        if first or better or shows or graver:
            result.outcome, result.reason = outcome, judgement["reason"]
            result.withheld = judgement["withheld"]
            result.finding = Finding(requirement, scenario, judgement) if outcome is Outcome.BROKEN else None

    def _say_why_not(self) -> None:
        selected = self._selected
        for requirement in self.catalogue:
            result = self.results[requirement.id]
            if result.scenarios:
                continue
            if requirement.untestable:
                result.reason = f"no test can decide it: {requirement.untestable}"
            elif requirement.planned:
                result.reason = "no scenario decides it yet"
            elif selected is not None and requirement.id not in selected:
                result.reason = "it was not selected"
            else:
                result.reason = "the condition of the clause never occurred"
                if selected is None:
                    result.outcome = Outcome.UNSUPPORTED

    def _promote(self, records: dict[str, Record]) -> None:
        """A requirement that any scenario saw broken is broken, even if its own found it held."""
        for node in sorted(records):
            for blocked in records[node]["blocked"]:
                result = self.results[blocked["requirement"]]
                result.broken_by.add(node)
                if result.outcome in {Outcome.HELD, Outcome.INCONCLUSIVE, Outcome.NOT_TESTED}:
                    result.outcome, result.reason, result.withheld = Outcome.BROKEN, "", ""
                    if node not in result.scenarios:
                        result.scenarios.append(node)
                    result.finding = Finding(blocked["requirement"], node, blocked)

    def _explain(self) -> None:
        """A held requirement stays held if only a sequence broke it and used something broken.

        A search cannot tell which of its steps went wrong first where one of them goes wrong
        always. What no profile demands (a header, a code) explains nothing: no content is lost by
        it.
        """
        broken = [r for r in self.catalogue if self.results[r.id].outcome is Outcome.BROKEN]
        direct = [r for r in broken if not self.results[r.id].searched]
        for requirement in broken:
            result = self.results[requirement.id]
            if not result.searched or result.finding is None or result.condition:
                continue
            used = {exchange["operation"] for exchange in result.finding.judgement["exchanges"]}
            if any(used & set(cause.operations) and Level.MUST in cause.levels.values() for cause in direct):
                result.outcome, result.finding = Outcome.HELD, None

    def _explain_invariants(self, records: dict[str, Record]) -> None:
        """An invariant and a scenario that contradict the same thing are one finding, the graver.

        The scenario's is better told, so it is the finding where some profile demands as much of
        it. What held by itself stays held then.
        """
        beside: dict[str, list[dict[str, Any]]] = {}
        for node in sorted(records):
            for judgement in records[node]["contradictions"]:
                beside.setdefault(judgement["requirement"], []).append(judgement)
        for name in sorted(name for name in beside if self.results[name].broken_by == {INVARIANTS}):
            near = sorted({other for seen in beside[name] for other in seen["about"]})
            others = [other for other in near if self.results[other].outcome is Outcome.BROKEN]
            graver = [*self._as_grave(name, others), *self._always_there(name, beside[name])]
            for one, cause in [(name, graver[0])] if graver else [(other, name) for other in others]:
                result = self.results[one]
                held = graver and result.held_by
                result.outcome = Outcome.HELD if held else Outcome.INCONCLUSIVE
                result.reason, result.finding = "" if held else f"blocked by {cause}", None

    def _always_there(self, name: str, seen: Iterable[dict[str, Any]]) -> list[str]:
        """The scenarios' findings, if each scenario with the contradiction has one as grave."""
        found = [self._as_grave(name, judgement["beside"]) for judgement in seen]
        return found[0] if all(found) else []

    def _as_grave(self, name: str, others: Iterable[str]) -> list[str]:
        broken = [other for other in others if self.results[other].outcome is Outcome.BROKEN]
        return [other for other in broken if self._weight(other) >= self._weight(name)]

    def _weight(self, name: str) -> int:
        """The most that some profile demands."""
        order = (None, Level.MAY, Level.SHOULD, Level.MUST)
        return max(map(order.index, self.catalogue.requirement(name).levels.values()))

    def _fold(self) -> None:
        """One root cause, one finding: a breach blocks what presumes it and what came of it."""
        broken = {name for name, result in self.results.items() if result.outcome is Outcome.BROKEN}
        for name in sorted(broken):
            found = self.results[name].finding
            told = found.judgement.get("root", "") if found else ""
            # What is a consequence by the catalogue is no cause of what it presumes.
            told = "" if told not in broken or name in self.catalogue.presumes(told) else told
            # What shows under a condition does not explain what shows without it.
            conditional = self.results[name].condition
            roots = [
                p
                for p in (told, *self.catalogue.presumes(name))
                if p in broken and (conditional or not self.results[p].narrower)
            ]
            if not roots:
                continue
            root = next((p for p in roots if not any(q in broken for q in self.catalogue.presumes(p))), roots[0])
            self._block(name, root)
        self._fold_causes()
        self._fold_conditions()
        for name, result in self.results.items():
            cause = result.reason.removeprefix("blocked by ") if result.reason.startswith("blocked by ") else ""
            finding = self.results[cause].finding if cause in self.results else None
            if finding and result.outcome is Outcome.INCONCLUSIVE:
                finding.also_affected.append(name)

    def _fold_causes(self) -> None:
        """Of an operation without answers, the most demanded requirement is the finding."""
        presumed = Counter(p for requirement in self.catalogue for p in self.catalogue.presumes(requirement.id))
        causes: dict[str, list[str]] = {}
        for finding in self.findings:
            if cause := finding.judgement.get("cause"):
                causes.setdefault(cause, []).append(finding.requirement)
        for names in causes.values():
            demanding = {name: [*self.catalogue.requirement(name).levels.values()].count(Level.MUST) for name in names}
            root = max(names, key=lambda name: (demanding[name], presumed[name]))
            for name in names:
                if name != root:
                    self._block(name, root)

    def _block(self, name: str, root: str) -> None:
        result = self.results[name]
        result.outcome, result.reason, result.finding = Outcome.INCONCLUSIVE, f"blocked by {root}", None

    def _fold_conditions(self) -> None:
        """Breaches under one condition have one cause; the widest condition is the finding."""
        found = {name: result.condition for name, result in self.results.items() if result.condition}
        earlier: list[str] = []
        for name, own in found.items():
            wider = [other for other, condition in found.items() if condition < own]
            alike = [other for other in earlier if found[other] == own]
            earlier.append(name)
            if root := next(iter([*wider, *alike]), None):
                self._folded[name] = root
        for name in self._folded:
            root = name
            while root in self._folded:
                root = self._folded[root]
            self._block(name, root)

    @property
    def findings(self) -> list[Finding]:
        """The findings in the order of the catalogue."""
        return [result.finding for result in self.results.values() if result.finding]

    @property
    def decided(self) -> int:
        """How many requirements were found held or broken."""
        return sum(result.outcome in {Outcome.HELD, Outcome.BROKEN} for result in self.results.values())

    # -- verdicts

    def verdicts(self, requirement: Requirement, known: frozenset[str] = frozenset()) -> dict[str, str]:
        """Return a requirement's verdict for each profile that has a level for it."""
        outcome = self.results[requirement.id].outcome
        found: dict[str, str] = {}
        for profile in self.catalogue.profiles:
            verdict = weigh(outcome, requirement.levels.get(profile))
            if verdict is Verdict.FAIL and requirement.id in known:
                verdict = Verdict.KNOWN_FAILURE
            if verdict is not None:
                found[profile] = verdict.value
        return found
