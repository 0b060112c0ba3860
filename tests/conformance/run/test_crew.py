"""The processes that share the scenarios of a run."""

from __future__ import annotations

import os
import signal
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

import reports
from conformance.run import crew
from tests.conformance.run.test_exit_codes import running
from tests.support.forking import Forker
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import Server

_NEAR, _FAR = 1.0, 50.0


def _size(round_trip_ms: float, **options: object) -> int:
    return crew.size(cast(pytest.Config, SimpleNamespace(option=Namespace(**options))), round_trip_ms)


def test_there_are_more_processes_where_the_target_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    assert _size(_NEAR) == 2
    assert 2 < _size(_FAR / 3) < _size(_FAR) == crew.MOST
    assert _size(1000.0) == crew.MOST


@pytest.mark.parametrize(
    "options", [{"numprocesses": 0}, {"dist": "load"}, {"maxfail": 1}, {"usepdb": True}, {"capture": "no"}]
)
def test_an_option_of_pytest_may_ask_for_one(options: dict[str, Any]) -> None:
    assert _size(_FAR, **options) == 1


def test_several_processes_find_what_one_finds(suite: Forker, open_registry: Server) -> None:
    many, one = (suite.run(open_registry.url, "--category=base", *more) for more in ((), ("-n", "0")))
    assert many.exit_code == one.exit_code == 0, many.stdout + one.stdout
    assert many.outcomes == one.outcomes
    assert many.report is not None
    assert one.report is not None
    assert [entry["scenarios"] for entry in many.report["requirements"]] == [
        entry["scenarios"] for entry in one.report["requirements"]
    ]


def test_what_takes_long_comes_first() -> None:
    """If it came last, one process would work when all others have ended."""
    short = crew.Queue([0, 2, 4])
    assert short.next() == 0
    both = short.behind([3, 1])
    assert [*iter(both.next, None)] == [3, 1, 2, 4]
    both.close()


def test_a_process_that_is_lost_is_our_own_error(tmp_path: Path, open_registry: Server) -> None:
    """The scenario that it was at is named; the rest runs on."""
    held = 80

    def stuck(asked: Asked) -> Answer:
        if len(target.asked) > held:
            _kill_one(process.pid)
        return forward(asked, open_registry.url)

    with (
        serve(stuck) as target,
        running(tmp_path, f"--registry-url={target.url}", "--category=pull") as (process, said),
    ):
        assert process.wait(120) == 3, said()
    assert "RuntimeError: the process that ran it ended" in " ".join(said().split())
    found = reports.load(tmp_path / "report" / "report.json")
    outcomes = [entry["outcome"] for entry in found["requirements"]]
    assert "error" in outcomes
    assert outcomes.count("held") > 10


_killed: list[int] = []


def _kill_one(parent: int) -> None:
    """Kill a process that was forked, once."""
    if not _killed and (children := psutil.Process(parent).children()):
        _killed.append(children[0].pid)
        os.kill(children[0].pid, signal.SIGKILL)
