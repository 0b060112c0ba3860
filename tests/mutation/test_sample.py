"""A sample of mutants and weaker checks by PROOF_SAMPLE; `make prove-all` takes all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from tests.mutation.accepted import Accepted
from tests.mutation.checks import Matrix, notice
from tests.mutation.mutants import mutants
from tests.mutation.reach import Reach, measure
from tests.mutation.serving import Changing
from tests.mutation.trial import MODULES, judge
from tests.support.collected import Collected
from tests.support.forked.launching import Launcher
from tests.support.sampling import sampled
from tests.support.servers import ROOT
from tests.support.weakening import weaknesses

_ACCEPTED = Accepted.load()
_MUTANTS = {m.key: m for module in MODULES for m in mutants(module) if not _ACCEPTED.mutant(m.name)}
_PROOF = json.loads((ROOT / "docs" / "proof" / "proof.json").read_text(encoding="utf-8"))
_MATRIX: Matrix = {case["name"]: case.get("convictions", {}) for case in _PROOF["cases"] if case["kind"] == "fault"}
#: Those that the last whole proof noticed.
_NOTICED = {case["name"] for case in _PROOF["cases"] if case["kind"] == "check" and case["good"]}
_CHECKS = {weakness.name: weakness for weakness in weaknesses() if weakness.name in _NOTICED}


@pytest.fixture(scope="module")
def suite() -> Iterator[Collected]:
    with closing(Collected()) as forker:
        yield forker


@pytest.fixture(scope="module")
def reached() -> Mapping[str, Reach]:
    return measure(1)


@pytest.mark.parametrize("key", sampled(_MUTANTS, 3))
def test_a_mutant_is_killed(key: str, reached: Mapping[str, Reach], suite: Collected) -> None:
    with closing(Changing()) as launcher:
        found = judge(_MUTANTS[key], reached, suite, launcher)
    assert found.killed, f"{found.mutant.name}: {found.word}\n{found.text}"


@pytest.mark.parametrize("name", sampled(_CHECKS, 3))
def test_a_weaker_check_is_noticed(name: str, suite: Collected) -> None:
    with closing(Launcher()) as launcher:
        word = notice(_CHECKS[name], _MATRIX, _PROOF["summary"]["seed"], suite, launcher).word
    # What the last whole proof has under another name, the next one watches again.
    assert word in {"noticed", "unwatched"}
