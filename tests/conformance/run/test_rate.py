"""A run within a rate: it decides, the most telling first, and says how long it takes."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.run.progress import Progress, rank
from spec.catalogue import load
from tests.support.forking import Forker
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import Server


def _item(node: str, *names: str) -> pytest.Item:
    mark = SimpleNamespace(args=names)
    return cast(pytest.Item, SimpleNamespace(nodeid=node, iter_markers=lambda _name: [mark]))


_MUST = _item("conformance/scenarios/pull/a.py::must", "PULL-BLOB-GET-200")
_SHOULD = _item("conformance/scenarios/pull/a.py::should", "MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT")
_DEAR = _item("conformance/scenarios/conditions/test_blobs.py::dear", "PULL-BLOB-GET-200")


def test_must_comes_before_should_and_cheap_before_dear() -> None:
    catalogue = load()
    items = [_DEAR, _SHOULD, _MUST]
    assert sorted(items, key=lambda item: rank(catalogue, "oci-1.1", item)) == [_MUST, _SHOULD, _DEAR]


def test_the_estimate_is_of_rate_and_requests() -> None:
    progress = Progress(
        [_item(f"conformance/scenarios/pull/a.py::{n}", "PULL-BLOB-GET-200") for n in range(100)], "default"
    )
    told = progress.expected(rate=2, round_trip=0.001, processes=2, most=100)
    assert told.startswith("About 720 requests at 2 a second, some 5 min 59 s; --max-time ends it after 1 min 40 s")
    assert progress.expected(0, 0.001, 2, most=100) == "About 720 requests, some 1 s"


def test_progress_counts_requirements_and_findings() -> None:
    progress = Progress([_MUST, _SHOULD], "default")
    judgement = {"requirement": "PULL-BLOB-GET-200", "outcome": "broken"}
    progress.add(_MUST.nodeid, {"judgements": [judgement, judgement]})
    assert progress.line().startswith("1 of 2 requirements, 1 with findings")


def test_a_rate_limits_the_whole_run(suite: Forker, open_registry: Server) -> None:
    moments: list[float] = []

    def answer(asked: Asked) -> Answer:
        moments.append(time.monotonic())
        return forward(asked, open_registry.url)

    with serve(answer) as target:
        run = suite.run(target.url, "--rate", "30", "--requirement", "DISC-CATALOG-N-INVALID-400", "--keep")
    assert run.outcomes["DISC-CATALOG-N-INVALID-400"] == "held", run.stdout
    assert len(moments) / (moments[-1] - moments[0]) < 35
    assert "at 30 a second" in run.stdout


def test_a_target_with_a_limit_is_judged(suite: Forker, open_registry: Server) -> None:
    """Each tenth request is refused, and so are all for some time."""
    count, until = itertools.count(1), [0.0]

    def answer(asked: Asked) -> Answer:
        now = time.monotonic()
        if next(count) % 10 == 0:
            until[0] = now + 0.3
        if now < until[0]:
            return Answer(429, b"", (("Retry-After", "1"),))
        return forward(asked, open_registry.url)

    with serve(answer) as target:
        run = suite.run(target.url, "--requirement", "DISC-CATALOG-N-INVALID-400", "--keep")
    assert run.outcomes["DISC-CATALOG-N-INVALID-400"] == "held", run.stdout


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e9", "nan"])
def test_a_rate_that_is_none_is_refused(text: str, suite: Forker, open_registry: Server) -> None:
    run = suite.run(open_registry.url, "--rate", text)
    assert run.exit_code == 4
    assert "--rate: expected requests a second" in run.stdout + run.stderr
