"""What is estimated of a run follows from the changes of the requirement, and from nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import reports
from conformance.impact.effects import Effect, Way, effect
from conformance.impact.estimate import Changes, guesses, outlooks
from conformance.impact.replay import Found, Replay
from conformance.impact.runs import Run
from conformance.impact.scenarios import changed
from spec import catalogue
from spec.catalogue import Catalogue
from spec.diff import Tree
from spec.model import Outcome, Verdict
from tests.spec.miniature import Tree as Miniature
from tests.support.servers import ROOT

DOCKER = ROOT / "reports" / "published" / "docker-registry.json.gz"
#: A run in which the contract alone found a breach.
BY_CONTRACT = ROOT / "reports" / "published" / "go-containerregistry.json.gz"
CASE = "PULL-ACCEPT-CASE"


def known(**members: dict[str, Any]) -> Catalogue:
    """The catalogue with other members of some requirements, whose dashes are underscores here."""
    loaded = catalogue.load()
    names = {name.replace("_", "-"): more for name, more in members.items()}
    made = {r.id: dataclasses.replace(r, **names.get(r.id, {})) for r in loaded}
    return dataclasses.replace(loaded, requirements=made)


def estimated(
    new: Catalogue, replayed: Replay | None = None, rewritten: frozenset[str] = frozenset(), path: Path = DOCKER
) -> dict[str, tuple[str, str]]:
    run = Run(path, reports.load(path))
    changes = Changes(catalogue.load(), new, rewritten, frozenset(new.requirements))
    made = guesses(run, changes, replayed)
    return {each.requirement: (each.effect, each.why) for each in outlooks(run, changes, made)}


def test_a_changed_scenario_is_unknown() -> None:
    found = estimated(known(), rewritten=frozenset({CASE}))
    assert found == {CASE: (Effect.UNKNOWN, "a scenario of it changed")}


def test_a_capability_that_is_absent_and_newly_needed_decides() -> None:
    found = estimated(known(PULL_ACCEPT_CASE={"needs": ("referrers",)}))
    assert found == {CASE: (Effect.REPAIRED, "the registry lacks referrers")}


def test_a_capability_that_is_needed_no_more_leaves_it_unknown() -> None:
    requirement = catalogue.load().requirement("DISC-REFERRERS-STATUS-200")
    found = estimated(known(DISC_REFERRERS_STATUS_200={"needs": ()}))
    assert requirement.needs
    assert found["DISC-REFERRERS-STATUS-200"] == (Effect.UNKNOWN, "it needs less than it did")


def test_what_is_newly_presumed_folds_a_breach() -> None:
    presumed = catalogue.load().requirement(CASE).presumes
    found = estimated(known(PULL_ACCEPT_CASE={"presumes": (*presumed, "DISC-TAGS-N-AT-MOST")}))
    assert found == {CASE: (Effect.UNDECIDED, "blocked by DISC-TAGS-N-AT-MOST")}


def test_what_hung_on_a_presumption_that_is_gone_is_unknown() -> None:
    run = reports.load(DOCKER)
    hung = next(
        entry
        for entry in run["requirements"]
        if entry["reason"].startswith("blocked by ")
        and entry["reason"].removeprefix("blocked by ") in catalogue.load().requirement(entry["id"]).presumes
    )
    cause = hung["reason"].removeprefix("blocked by ")
    found = estimated(known(**{hung["id"].replace("-", "_"): {"presumes": ()}}))
    assert found[hung["id"]] == (Effect.UNKNOWN, f"{cause}, which it hung on, is no longer presumed")


def test_a_replay_repairs_what_the_contract_alone_had_found() -> None:
    report = reports.load(BY_CONTRACT)
    name = next(finding["requirement"] for finding in report["findings"] if finding["scenario"] == "contract")
    before, after = Found({name}, {name: "wrong"}), Found({name}, {})
    assert estimated(known(), Replay(before, after, 1), path=BY_CONTRACT)[name][0] is Effect.REPAIRED
    assert estimated(known(), Replay(before, Found(), 1), path=BY_CONTRACT)[name] == (
        Effect.REPAIRED,
        "the condition of the clause never occurred",
    )


def test_a_replay_repairs_nothing_that_a_scenario_found() -> None:
    replayed = Replay(Found({CASE}, {CASE: "wrong"}), Found({CASE}, {}), 1)
    assert estimated(known(), replayed) == {}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, Verdict.FAIL, Effect.FAILS),
        (Verdict.WARNING, Verdict.FAIL, Effect.FAILS),
        (Verdict.PASS, Verdict.WARNING, Effect.WARNS),
        (Verdict.FAIL, Verdict.WARNING, Effect.EASED),
        (Verdict.FAIL, Verdict.PASS, Effect.REPAIRED),
        (Verdict.WARNING, Verdict.UNSUPPORTED, Effect.REPAIRED),
        (Verdict.FAIL, None, Effect.UNASKED),
        (Verdict.PASS, None, Effect.UNASKED),
        (Verdict.PASS, Verdict.INCONCLUSIVE, Effect.UNDECIDED),
        (Verdict.FAIL, Verdict.INCONCLUSIVE, Effect.UNDECIDED),
        (None, Verdict.PASS, Effect.HOLDS),
        (None, Verdict.UNSUPPORTED, None),
        (Verdict.PASS, Verdict.PASS, None),
        (Verdict.INCONCLUSIVE, None, None),
    ],
)
def test_effect_of_two_verdicts(before: Verdict | None, after: Verdict | None, expected: Effect | None) -> None:
    assert effect(before, after) is expected


def test_a_scenario_that_does_the_same_in_other_places_is_unchanged(tmp_path: Path) -> None:
    trees = Miniature(tmp_path / "old"), Miniature(tmp_path / "new")
    scenario = "conformance/scenarios/base/test_base.py"

    def found() -> frozenset[str]:
        old, new = (Tree("a tree", tree.folder) for tree in trees)
        return changed(old, new)

    assert found() == frozenset()
    trees[1].replace(scenario, "\n\n@verifies", "\n# A comment.\n\n\n@verifies")
    assert found() == frozenset()
    trees[1].replace(scenario, '200."""\n', '200."""\n    registry.base()\n')
    assert found() == {"BASE-V2-200"}


def test_outcome_of_a_run_is_that_of_its_report() -> None:
    assert Run(DOCKER, reports.load(DOCKER)).outcome(CASE) is Outcome.BROKEN
    assert Run(DOCKER, reports.load(DOCKER)).outcome("NO-SUCH") is None
    assert Way.WEIGHED.value == "weighed"
