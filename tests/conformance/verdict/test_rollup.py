"""From results to verdicts: which outcome wins, what blocks what, what prevents PASS."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from conformance.verdict.profile_verdicts import ProfileVerdicts
from conformance.verdict.rollup import CONTRACT, INVARIANTS, RollUp
from spec.catalogue import Catalogue
from spec.model import Level, Outcome, Requirement, Verdict, weigh

_PROFILE = "oci-1.1"
_MUST = {_PROFILE: Level.MUST}


def requirement(name: str, level: Level = Level.MUST, **more: Any) -> Requirement:
    """Make a requirement of the category that its name begins with."""
    category = {"BASE": "base", "PULL": "pull", "PUSH": "push"}[name.partition("-")[0]]
    return Requirement(name, category, f"{name} holds.", {_PROFILE: level}, (), (), **more)


def catalogue(*requirements: Requirement) -> Catalogue:
    """Make a catalogue with one profile that matters."""
    return Catalogue({_PROFILE: None}, {}, {}, {r.id: r for r in requirements})  # type: ignore[dict-item]  # only its name


def judgement(name: str, outcome: Outcome, reason: str = "", withheld: str = "") -> dict[str, Any]:
    """Make a judgement as a record holds it."""
    return {"requirement": name, "outcome": outcome.value, "reason": reason, "withheld": withheld, "exchanges": []}


def record(*judgements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make the record of a scenario."""
    empty: dict[str, Any] = {
        "blocked": [],
        "error": "",
        "exercised": [],
        "breaches": [],
        "exchanges": 1,
        "contract_seconds": 0.0,
        "contradictions": [],
    }
    return {**empty, "judgements": list(judgements), **more}


_THREE = catalogue(
    requirement("PULL-A"), requirement("PULL-B", presumes=("PULL-A",)), requirement("PULL-C", presumes=("PULL-B",))
)
_BROKEN, _HELD = Outcome.BROKEN, Outcome.HELD


def outcomes(rollup: RollUp) -> dict[str, str]:
    """Return the outcome of each requirement."""
    return {name: result.outcome.value for name, result in rollup.results.items()}


@pytest.mark.parametrize(
    ("outcome", "level", "verdict"),
    [
        (_HELD, Level.MAY, Verdict.PASS),
        (_BROKEN, Level.MUST, Verdict.FAIL),
        (_BROKEN, Level.SHOULD, Verdict.WARNING),
        (_BROKEN, Level.MAY, Verdict.UNSUPPORTED),
        (_BROKEN, None, None),
        (_HELD, None, None),
        (Outcome.UNSUPPORTED, Level.MUST, Verdict.UNSUPPORTED),
        (Outcome.INCONCLUSIVE, Level.MUST, Verdict.INCONCLUSIVE),
        (Outcome.NOT_TESTED, Level.SHOULD, Verdict.NOT_TESTED),
        (Outcome.ERROR, Level.MAY, Verdict.ERROR),
    ],
)
def test_weigh(outcome: Outcome, level: Level | None, verdict: Verdict | None) -> None:
    assert weigh(outcome, level) is verdict


def test_every_outcome_weighs_something_at_every_level() -> None:
    assert all(weigh(outcome, level) is not None for outcome in Outcome for level in Level)


def test_the_worst_outcome_wins_whatever_the_order() -> None:
    ranked = ["error", "broken", "inconclusive", "held", "unsupported", "not tested"]
    for first, second in permutations(ranked, 2):
        records = {f"test_{i}": record(judgement("PULL-A", Outcome(o))) for i, o in enumerate((first, second))}
        assert outcomes(RollUp(_THREE, records))["PULL-A"] == min(first, second, key=ranked.index)


def test_one_root_cause_gives_one_finding() -> None:
    records = {"t": record(*(judgement(name, _BROKEN) for name in ("PULL-C", "PULL-B", "PULL-A")))}
    rollup = RollUp(_THREE, records)
    assert outcomes(rollup) == {"PULL-A": "broken", "PULL-B": "inconclusive", "PULL-C": "inconclusive"}
    assert [(f.requirement, sorted(f.also_affected)) for f in rollup.findings] == [("PULL-A", ["PULL-B", "PULL-C"])]
    assert {rollup.results[name].reason for name in ("PULL-B", "PULL-C")} == {"blocked by PULL-A"}


def test_what_presumes_folds_over_what_held() -> None:
    records = {"t": record(judgement("PULL-C", _BROKEN), judgement("PULL-B", _HELD), judgement("PULL-A", _BROKEN))}
    assert outcomes(RollUp(_THREE, records)) == {"PULL-A": "broken", "PULL-B": "held", "PULL-C": "inconclusive"}


def test_what_presumes_stands_alone_where_its_presumption_held() -> None:
    records = {"t": record(judgement("PULL-B", _BROKEN), judgement("PULL-A", _HELD))}
    assert [f.requirement for f in RollUp(_THREE, records).findings] == ["PULL-B"]


@pytest.mark.parametrize("own", [_HELD, Outcome.INCONCLUSIVE, None])
def test_what_a_set_up_saw_broken_is_broken(own: Outcome | None) -> None:
    records = {"blocked": record(judgement("PULL-B", Outcome.INCONCLUSIVE, "blocked by PULL-A"))}
    records["blocked"]["blocked"] = [judgement("PULL-A", _BROKEN)]
    if own is not None:
        records["own"] = record(judgement("PULL-A", own))
    rollup = RollUp(_THREE, records)
    assert outcomes(rollup)["PULL-A"] == "broken"
    assert [(f.requirement, f.also_affected) for f in rollup.findings] == [("PULL-A", ["PULL-B"])]


def test_a_breach_of_the_contract_is_not_undone_by_what_comes_after_it() -> None:
    breach = record(breaches=[judgement("PULL-A", _BROKEN)], exercised=["PULL-A"])
    fine = record(exercised=["PULL-A"])
    for records in ({"a": breach, "b": fine}, {"a": fine, "b": breach}):
        assert outcomes(RollUp(_THREE, records))["PULL-A"] == "broken"


def test_a_success_of_another_kind_explains_only_what_it_broke() -> None:
    """A breach by a wrong success is folded only if that success is broken and its sole cause."""
    folded = judgement("PULL-C", _BROKEN) | {"root": "PULL-A"}
    other = catalogue(requirement("PULL-A"), requirement("PULL-C"))
    broken = {"t": record(folded), "own": record(judgement("PULL-A", _BROKEN))}
    assert [f.requirement for f in RollUp(other, broken).findings] == ["PULL-A"]
    held = {"t": record(folded), "own": record(judgement("PULL-A", _HELD))}
    assert [f.requirement for f in RollUp(other, held).findings] == ["PULL-C"]
    cycle = catalogue(requirement("PULL-A", presumes=("PULL-C",)), requirement("PULL-C"))
    assert [f.requirement for f in RollUp(cycle, broken).findings] == ["PULL-C"]
    more = {**broken, "u": record(judgement("PULL-C", _BROKEN))}
    assert [f.requirement for f in RollUp(other, more).findings] == ["PULL-A", "PULL-C"]


def test_a_scenario_shows_a_breach_better_than_the_contract() -> None:
    breach = record(breaches=[judgement("PULL-A", _BROKEN)])
    own = record(judgement("PULL-A", _BROKEN))
    for records in ({"a": breach, "b": own}, {"a": own, "b": breach}):
        findings = RollUp(_THREE, records).findings
        assert [f.scenario for f in findings] == [next(node for node, r in records.items() if r is own)]
    assert RollUp(_THREE, {"a": breach}).findings[0].scenario == CONTRACT


def test_the_contract_decides_what_no_scenario_does() -> None:
    assert outcomes(RollUp(_THREE, {"t": record(exercised=["PULL-A", "ELSE"])}))["PULL-A"] == "held"


def test_the_order_of_records_makes_no_difference() -> None:
    records = {
        "a": record(judgement("PULL-A", _HELD), breaches=[judgement("PULL-C", _BROKEN)]),
        "b": record(judgement("PULL-A", _BROKEN), exchanges=3),
        "c": record(judgement("PULL-B", _BROKEN), error="ours"),
    }
    seen = {
        (str(outcomes(rollup)), str([(f.requirement, f.scenario) for f in rollup.findings]), str(rollup.errors))
        for order in permutations(records)
        for rollup in [RollUp(_THREE, {name: records[name] for name in order})]
    }
    assert len(seen) == 1


def test_why_a_requirement_was_not_tested() -> None:
    some = catalogue(
        requirement("PULL-A", untestable="it leaves no trace"),
        requirement("PULL-B", planned="4"),
        requirement("PULL-C"),
    )
    assert [r.reason for r in RollUp(some, {}).results.values()] == [
        "no test can decide it: it leaves no trace",
        "no scenario decides it yet",
        "the condition of the clause never occurred",
    ]
    result = RollUp(some, {}, frozenset()).results["PULL-C"]
    assert (result.outcome, result.reason) == (Outcome.NOT_TESTED, "it was not selected")


_MIXED = catalogue(
    requirement("BASE-A"),
    requirement("PULL-A"),
    requirement("PULL-S", Level.SHOULD),
    requirement("PULL-M", Level.MAY),
    requirement("PUSH-A"),
    requirement("PUSH-U", untestable="why"),
)
_ALL = ("base", "pull", "push")


def verdicts(
    found: dict[str, Outcome], *, known: tuple[str, ...] = (), claimed: tuple[str, ...] = _ALL, complete: bool = True
) -> ProfileVerdicts:
    """Weigh outcomes; what is not named held."""
    names = [r.id for r in _MIXED if not r.untestable]
    rollup = RollUp(_MIXED, {"t": record(*(judgement(name, found.get(name, _HELD)) for name in names))})
    return ProfileVerdicts(rollup, _PROFILE, frozenset(known), claimed, complete)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"PULL-A": _BROKEN}, Verdict.FAIL),
        ({"PULL-S": _BROKEN}, Verdict.PASS),
        ({"PULL-M": _BROKEN}, Verdict.PASS),
        ({"PULL-A": Outcome.UNSUPPORTED}, Verdict.PASS),
        ({"PULL-A": Outcome.INCONCLUSIVE}, Verdict.INCONCLUSIVE),
        ({"PULL-A": Outcome.NOT_TESTED}, Verdict.NOT_TESTED),
        ({"PULL-S": Outcome.NOT_TESTED}, Verdict.PASS),
        ({"PULL-A": Outcome.INCONCLUSIVE, "PUSH-A": _BROKEN}, Verdict.FAIL),
        ({"PULL-A": Outcome.ERROR, "PUSH-A": _BROKEN}, Verdict.ERROR),
        ({"PULL-M": Outcome.ERROR}, Verdict.ERROR),
    ],
)
def test_a_profile_passes_where_every_must_does(found: dict[str, Outcome], verdict: Verdict) -> None:
    assert verdicts(found).verdict is verdict


def test_a_part_of_the_suite_may_find_fault_but_never_passes() -> None:
    found = verdicts({}, complete=False)
    assert found.verdict is Verdict.NOT_TESTED
    assert {category["verdict"] for category in found.categories.values()} == {"NOT_TESTED"}
    assert verdicts({"PULL-A": _BROKEN}, complete=False).verdict is Verdict.FAIL
    assert verdicts({"PULL-A": Outcome.ERROR}, complete=False).verdict is Verdict.ERROR
    assert verdicts({"PULL-A": _BROKEN}, known=("PULL-A",), complete=False).verdict is Verdict.NOT_TESTED


def test_a_known_failure_is_no_failure_and_no_pass() -> None:
    found = verdicts({"PULL-A": _BROKEN}, known=("PULL-A",))
    assert found.verdict is Verdict.KNOWN_FAILURE
    assert verdicts({"PULL-A": _BROKEN, "PUSH-A": _BROKEN}, known=("PULL-A",)).verdict is Verdict.FAIL


def scoped(*judgements: dict[str, Any]) -> dict[str, Any]:
    """Weigh judgements of a few requirements of the mixed catalogue in a whole run."""
    return ProfileVerdicts(RollUp(_MIXED, {"t": record(*judgements)}), _PROFILE, frozenset(), _ALL, True).plain()


def test_what_the_owner_withheld_is_counted_beside_the_verdict() -> None:
    withheld = judgement("PUSH-A", Outcome.NOT_TESTED, "the target is read-only", "writing")
    found = scoped(judgement("PULL-A", _HELD), withheld)
    assert found["verdict"] == "PASS"
    assert found["scope"] == {"claimed": ["base", "pull", "push"], "withheld": {"writing": 1}}
    assert found["categories"]["push"]["verdict"] == "NOT_TESTED"
    assert found["counts"]["NOT_TESTED"] == 2


def test_nothing_passes_where_everything_was_withheld() -> None:
    names = ("BASE-A", "PULL-A", "PULL-S", "PULL-M", "PUSH-A")
    found = scoped(*(judgement(name, Outcome.NOT_TESTED, "why", "content") for name in names))
    assert found["verdict"] == "NOT_TESTED"


def test_what_was_not_tested_for_another_reason_stands_in_the_way() -> None:
    late = judgement("PUSH-A", Outcome.NOT_TESTED, "the time was over")
    withheld = judgement("PUSH-A", Outcome.NOT_TESTED, "the target is read-only", "writing")
    for first, second in ((late, withheld), (withheld, late)):
        rollup = RollUp(_MIXED, {"a": record(first), "b": record(second), "c": record(judgement("PULL-A", _HELD))})
        assert rollup.results["PUSH-A"].withheld == ""
        assert ProfileVerdicts(rollup, _PROFILE, frozenset(), _ALL, True).verdict is Verdict.NOT_TESTED
    rollup = RollUp(_MIXED, {"a": record(withheld), "b": record(judgement("PUSH-A", _HELD))})
    assert (rollup.results["PUSH-A"].outcome, rollup.results["PUSH-A"].withheld) == (_HELD, "")


def test_a_breach_decides_wherever_it_was_seen() -> None:
    found = verdicts({"PUSH-A": _BROKEN}, claimed=("base", "pull"))
    assert found.verdict is Verdict.FAIL
    assert found.categories["push"]["verdict"] == "FAIL"
    assert found.counts == {"PASS": 4, "FAIL": 1, "NOT_TESTED": 1}


def test_nothing_at_all_is_no_pass() -> None:
    rollup = RollUp(_MIXED, {})
    assert ProfileVerdicts(rollup, _PROFILE, frozenset(), _ALL, True).verdict is not Verdict.PASS
    assert not rollup.decided


def test_an_operation_without_answers_is_one_finding() -> None:
    """Of breaches by one cause, the most demanded is the finding; others keep their own."""
    cause = {"cause": "blob.get: 503"}
    known = catalogue(requirement("PUSH-MAY", Level.MAY), requirement("PUSH-A"), requirement("PUSH-B"))
    rolled = RollUp(
        known,
        {
            "a::one": record(judgement("PUSH-MAY", _BROKEN) | cause, judgement("PUSH-A", _BROKEN) | cause),
            "a::two": record(judgement("PUSH-B", _BROKEN)),
        },
    )
    assert [finding.requirement for finding in rolled.findings] == ["PUSH-A", "PUSH-B"]
    assert rolled.results["PUSH-MAY"].reason == "blocked by PUSH-A"


def contradiction(name: str, *beside: str) -> dict[str, Any]:
    """Make what an invariant saw, beside what the scenario holds against the same thing."""
    return {**judgement(name, _BROKEN), "beside": list(beside), "about": list(beside)}


_PAIR = catalogue(requirement("PULL-A"), requirement("PULL-B"), requirement("PULL-C", Level.SHOULD))


def test_an_invariant_accuses_where_no_scenario_does() -> None:
    records = {"t": record(judgement("PULL-A", _HELD), contradictions=[contradiction("PULL-A")])}
    assert [(f.requirement, f.scenario) for f in RollUp(_PAIR, records).findings] == [("PULL-A", INVARIANTS)]


@pytest.mark.parametrize(("other", "finding"), [("PULL-B", "PULL-B"), ("PULL-C", "PULL-A")])
def test_what_an_invariant_and_a_scenario_hold_against_one_thing_is_one_finding(other: str, finding: str) -> None:
    """It is the scenario's, unless that is of a lower level."""
    records = {
        "one": record(judgement(other, _BROKEN), contradictions=[contradiction("PULL-A", other)]),
        "two": record(judgement("PULL-A", _HELD), contradictions=[contradiction("PULL-A")]),
    }
    rollup = RollUp(_PAIR, records)
    affected = [other] if finding == "PULL-A" else []
    assert [(f.requirement, f.also_affected) for f in rollup.findings] == [(finding, affected)]
    assert outcomes(rollup)[({"PULL-A", other} - {finding}).pop()] == ("inconclusive" if affected else "held")


def test_what_a_scenario_broke_is_not_explained_away_beside_an_invariant() -> None:
    both = record(*(judgement(name, _BROKEN) for name in ("PULL-A", "PULL-B")))
    both["contradictions"] = [contradiction("PULL-A", "PULL-B")]
    assert [f.requirement for f in RollUp(_PAIR, {"t": both}).findings] == ["PULL-A", "PULL-B"]


def test_an_invariant_is_explained_by_nothing_that_was_not_broken_in_the_end() -> None:
    records = {"t": record(judgement("PULL-B", _HELD), contradictions=[contradiction("PULL-A", "PULL-B")])}
    assert [f.requirement for f in RollUp(_PAIR, records).findings] == ["PULL-A"]


@pytest.mark.parametrize(("more", "findings"), [((), ["PULL-B"]), (("PULL-A",), ["PULL-A", "PULL-B"])])
def test_a_scenario_explains_what_an_invariant_sees_in_no_other(more: tuple[str, ...], findings: list[str]) -> None:
    elsewhere = {**contradiction("PULL-A", "PULL-B"), "about": []}
    records = {"one": record(judgement("PULL-B", _BROKEN), contradictions=[elsewhere])}
    records["two"] = record(contradictions=[contradiction(name) for name in more])
    assert [f.requirement for f in RollUp(_PAIR, records).findings] == findings
