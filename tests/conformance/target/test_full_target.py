"""Before a target that holds much of others a run asks for no more, says what it left out, and judges as before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.full.filling import REFERRED, REFERRER, SUBJECT, TAGGED, Amount
from tests.full.measure import full_reference
from tests.support.forking import Forker
from tests.support.servers import Server

CATALOG = tuple(f"--requirement=DISC-CATALOG-{name}" for name in ("SHAPE", "ORDER", "LISTED-EXISTS", "N-LAST"))
WALK = "DISC-CATALOG-LINK-WALK"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with full_reference(tmp_path_factory.mktemp("full"), Amount(30_000, 20_000, 8_000)) as server:
        yield server


def test_a_long_catalogue_is_looked_at_in_part(suite: Forker, full: Server) -> None:
    run = suite.run(full.url, *CATALOG, "--requirement", WALK)
    assert run.report is not None
    assert {run.outcomes[name.partition("=")[2]] for name in CATALOG} == {"held"}, run.stdout
    assert run.outcomes[WALK] == "held"
    # Three repositories of two scenarios, and little more: two walks of the whole would be 90 pages.
    assert run.report["run"]["exchanges"]["count"] < 110
    assert "of the catalogue the first 4000 repositories" in run.report["run"]["sampled"][0]
    assert "Looked at in part" in run.stdout


def test_the_repositories_that_stay_are_counted(suite: Forker, full: Server) -> None:
    run = suite.run(full.url, "--requirement", WALK)
    assert run.report is not None
    # Those of the probes, and of the scenario.
    assert run.report["run"]["repositories"] == 5
    assert "5 repositories stay" in run.stdout


def test_a_long_list_of_referrers_is_no_fault(suite: Forker, full: Server) -> None:
    existing = [f"--existing={REFERRED}:{tag}" for tag in (SUBJECT, REFERRER)]
    run = suite.run(full.url, "--read-only", *existing, "--requirement", "DISC-REFERRERS-COMPLETE")
    assert run.outcomes["DISC-REFERRERS-COMPLETE"] == "held", run.explain("DISC-REFERRERS-COMPLETE")
    assert not run.broken


@pytest.mark.slow
def test_tags_of_others_are_told_apart_in_little_time(suite: Forker, full: Server) -> None:
    requirement = "DISC-TAGS-DIGEST-NOT-LISTED"
    run = suite.run(full.url, "--repository", TAGGED, "--requirement", requirement)
    assert run.outcomes[requirement] == "held", run.explain(requirement)
    # Each of 20,000 tags was compared with a set that was made for it: a minute.
    assert run.seconds < 20


def test_a_fault_of_the_catalogue_is_found_beside_many_repositories(suite: Forker, tmp_path: Path) -> None:
    amount = Amount(6_000, 1, 1)
    with full_reference(tmp_path, amount, "--fault=catalog-last-inclusive", "--fault=catalog-link-loops") as server:
        run = suite.run(server.url, *CATALOG, "--requirement", WALK)
    assert {"DISC-CATALOG-N-LAST", WALK} & set(run.broken), run.stdout
