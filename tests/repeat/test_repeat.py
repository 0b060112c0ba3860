"""Outcomes do not depend on chance, on the order of scenarios, or on the number of workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.real.registries import timed
from tests.repeat import order_of
from tests.repeat.runs import Told, run, unlike, unlike_reports
from tests.support.forking import Forker
from tests.support.normal import differences, normal
from tests.support.servers import reference

_TARGETS = pytest.mark.parametrize(
    "target",
    ["reference", pytest.param("docker-registry", marks=[pytest.mark.slow, pytest.mark.needs("docker-registry")])],
)


def _ignore(_: Told) -> None:
    """Nobody looks at a run before all have ended."""


@pytest.mark.slow  # the next one has two whole runs, too
@_TARGETS
def test_outcomes_do_not_depend_on_the_order(target: str) -> None:
    plan = {"in order": ("--seed", "7")} | {f"shuffle {n}": ("--seed", "7", "--shuffle", str(n)) for n in range(1, 4)}
    assert not [*unlike(run(target, plan, _ignore), timed(target))]


@_TARGETS
def test_same_seed_same_report(target: str) -> None:
    one = ("--seed", "7", "-n", "0")
    plan = {"first": one, "second": one, "processes": ("--seed", "7"), "workers": ("--seed", "7", "-n", "2")}
    told = [run(target, {name: options}, _ignore)[0] for name, options in plan.items()]
    # With several processes, what a target lists of the whole run is another at the same point.
    alike = told if target == "reference" else told[:2]
    assert not [*unlike_reports(alike, timed(target)), *unlike(told, timed(target))]


def test_the_order_is_the_one_of_the_seed(tmp_path: Path) -> None:
    forker = Forker()
    try:
        with reference(tmp_path) as server:

            def order(*options: str) -> list[str]:
                path = tmp_path / "order"
                env = {order_of.FILE: str(path)}
                ran = forker.run(server.url, "--category=base", "-n", "0", "-p", order_of.__name__, *options, env=env)
                assert ran.exit_code == 0, ran.stdout + ran.stderr
                return path.read_text(encoding="utf-8").splitlines()

            plain, first, again = order(), order("--shuffle=1"), order("--shuffle=1")
    finally:
        forker.close()
    assert first == again != plain
    assert sorted(first) == sorted(plain)


def test_a_difference_is_told() -> None:
    told = [Told(f"seed {n}", {"A": "held", "B": outcome}, {}) for n, outcome in enumerate(("held", "broken", "held"))]
    assert [*unlike(told)] == ["B: held with seed 0 seed 2, broken with seed 1"]
    assert not [*unlike(told[:1])]


def _report(run_id: str, port: int, status: int = 200) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/v2/conformance/{run_id}-tags/blobs/uploads/{run_id * 6}?_state={run_id}"
    exchange = {"url": url, "headers": [["Date", run_id], ["Etag", "e"]], "status": status, "elapsed_ms": port}
    return {"run": {"started": run_id, "options": {"shuffle": port}}, "findings": [{"exchanges": [exchange]}]}


def test_what_a_report_owes_to_the_moment_is_left_out() -> None:
    one, other = normal(_report("abc123", 1)), normal(_report("def456", 2))
    assert not [*differences(one, other)]
    assert [*differences(one, normal(_report("abc123", 1, 404)))] == ["/findings/0/exchanges/0/status: '200' and '404'"]
