"""What only a search broke counts, unless something else that it used is broken anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.verdict.rollup import RollUp
from spec.catalogue import load
from spec.model import Outcome

_DIRECT, _SEARCH = (
    "conformance/scenarios/push/uploads/test_put.py::test_x",
    "conformance/scenarios/search/test_search_states.py::test_y",
)
_BLOCKED = "conformance/scenarios/push/uploads/test_put.py::test_z"
_RETAG, _EXACT = "PUSH-MANIFEST-RETAG-MOVES", "PUSH-MANIFEST-BYTES-EXACT"
#: What no profile demands, and what has nothing to do with a tag.
_JSON = "BASE-ERROR-JSON-PRESENT"
#: What no profile demands, and what presumes that a blob can be pulled.
_BLOB, _VALIDATOR = "PULL-BLOB-GET-200", "PULL-CACHE-BLOB-VALIDATOR"


def _judgement(requirement: str, outcome: Outcome) -> dict[str, Any]:
    found = {"requirement": requirement, "outcome": outcome.value, "reason": "", "withheld": ""}
    return found | {"expected": "", "actual": "", "curl": "", "exchanges": [{"operation": "manifest.put"}]}


def _rolled(
    selected: frozenset[str] | None = None,
    blocked: dict[str, Any] | None = None,
    contradictions: Sequence[dict[str, Any]] = (),
    **records: list[dict[str, Any]],
) -> RollUp:
    empty: dict[str, Any] = {
        "blocked": [],
        "error": "",
        "exercised": [],
        "breaches": [],
        "exchanges": 0,
        "contract_seconds": 0.0,
        "contradictions": [],
    }
    names = {"direct": _DIRECT, "search": _SEARCH}
    found = {names[key]: {**empty, "judgements": judgements} for key, judgements in records.items()}
    found.get(_SEARCH, empty)["contradictions"] = [*contradictions]
    if blocked is not None:
        found[_BLOCKED] = {**empty, "judgements": [], "blocked": [blocked]}
    return RollUp(load(), found, selected)


def test_what_a_search_broke_is_a_finding() -> None:
    rolled = _rolled(direct=[_judgement(_RETAG, Outcome.HELD)], search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert [finding.requirement for finding in rolled.findings] == [_RETAG]


def test_what_is_broken_anyway_explains_it() -> None:
    direct = [_judgement(_RETAG, Outcome.HELD), _judgement(_EXACT, Outcome.BROKEN)]
    rolled = _rolled(direct=direct, search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert [finding.requirement for finding in rolled.findings] == [_EXACT]
    assert rolled.results[_RETAG].outcome is Outcome.HELD


def test_what_is_only_done_otherwise_explains_nothing() -> None:
    direct = [_judgement(_RETAG, Outcome.HELD), _judgement(_JSON, Outcome.BROKEN)]
    rolled = _rolled(direct=direct, search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert {finding.requirement for finding in rolled.findings} == {_RETAG, _JSON}
    direct = [_judgement(_BLOB, Outcome.HELD), _judgement(_VALIDATOR, Outcome.BROKEN)]
    rolled = _rolled(direct=direct, search=[_judgement(_BLOB, Outcome.BROKEN)])
    assert [(finding.requirement, finding.also_affected) for finding in rolled.findings] == [(_BLOB, [_VALIDATOR])]


def test_what_a_set_up_saw_broken_was_not_found_by_the_search_alone() -> None:
    direct = [_judgement(_BLOB, Outcome.HELD), _judgement(_EXACT, Outcome.BROKEN)]
    lost = _judgement(_BLOB, Outcome.BROKEN)
    rolled = _rolled(direct=direct, search=[lost], blocked=lost)
    assert {finding.requirement for finding in rolled.findings} == {_BLOB, _EXACT}


def test_what_no_scenario_of_its_own_held_is_a_finding_all_the_same() -> None:
    direct = [_judgement(_EXACT, Outcome.BROKEN)]
    rolled = _rolled(direct=direct, search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert {finding.requirement for finding in rolled.findings} == {_RETAG, _EXACT}


def test_a_search_says_nothing_of_what_was_not_selected() -> None:
    """With --requirement, the scenarios that could explain it were left out."""
    search = [_judgement(_RETAG, Outcome.BROKEN), _judgement(_EXACT, Outcome.BROKEN)]
    rolled = _rolled(frozenset({_EXACT}), search=search)
    assert [finding.requirement for finding in rolled.findings] == [_EXACT]
    assert rolled.results[_RETAG].reason == "it was not selected"


def test_a_search_that_was_named_says_all_that_it_found() -> None:
    """``pytest conformance/scenarios/search`` selects scenarios and no requirements."""
    rolled = _rolled(frozenset(), search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert [finding.requirement for finding in rolled.findings] == [_RETAG]


def test_an_invariant_beside_what_the_search_broke_does_not_explain_it() -> None:
    direct = [_judgement(_RETAG, Outcome.HELD), _judgement(_EXACT, Outcome.HELD)]
    seen = _judgement(_EXACT, Outcome.BROKEN) | {"beside": [_RETAG], "about": []}
    rolled = _rolled(contradictions=[seen], direct=direct, search=[_judgement(_RETAG, Outcome.BROKEN)])
    assert [finding.requirement for finding in rolled.findings] == [_RETAG]
