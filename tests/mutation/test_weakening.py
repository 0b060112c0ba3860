"""Weaker checks: put into a run of the suite, they let the fault that they convict go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.mutation.checks import notice
from tests.support.collected import Collected
from tests.support.forked.launching import Launcher
from tests.support.weakening import Weakness, weaknesses

_HEAD = "conformance/scenarios/pull/test_blob_head.py::test_head_of_a_blob"


@pytest.fixture(scope="module")
def suite() -> Iterator[Collected]:
    with closing(Collected()) as forker:
        yield forker


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with closing(Launcher()) as forker:
        yield forker


def _of(requirement: str) -> Weakness:
    return next(w for w in weaknesses() if w.requirements == (requirement,) and w.kind == "removed")


def test_each_has_its_own_name() -> None:
    assert not [name for name, count in Counter(weakness.name for weakness in weaknesses()).items() if count > 1]


def test_a_removed_check_is_noticed(suite: Collected, launcher: Launcher) -> None:
    matrix = {"blob-head-405": {_HEAD: {"PULL-BLOB-HEAD-200": ["status #"]}}}
    found = notice(_of("PULL-BLOB-HEAD-200"), matrix, "a seed", suite, launcher)
    assert (found.word, found.fault) == ("noticed", "blob-head-405")


def test_a_check_without_a_fault_is_unwatched(suite: Collected, launcher: Launcher) -> None:
    assert notice(_of("PULL-BLOB-HEAD-200"), {}, "a seed", suite, launcher).word == "unwatched"
