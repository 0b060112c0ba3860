"""Runs with a listener: their secrets, their workers, and targets that send nothing."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.configurations import configured
from tests.support.forking import Forker
from tests.support.notified import FIELD, Hook
from tests.support.servers import Server
from tests.support.suite import SuiteRun, run_suite

_OURS = ("--category", "notifications")


def outcomes(run: SuiteRun) -> dict[str, str]:
    return {id_: outcome for id_, outcome in run.outcomes.items() if id_.startswith("NOTIF-")}


def test_configured_headers_are_shown_nowhere(suite: Forker, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with configured("notifications", tmp_path, faults=["notifications-as-json"]) as target:
        run = suite.run(target.url, *target.options, *_OURS, env=target.env, report=folder)
    assert outcomes(run)["NOTIF-ENVELOPE-MEDIA-TYPE"] == "broken"
    assert run.report is not None
    assert run.report["run"]["options"]["notifications-header"] == [FIELD[0]]
    written = [path.read_text("utf-8") for path in folder.iterdir()]
    assert any(FIELD[0] in text for text in written)
    assert not [text for text in (*written, run.stdout, run.stderr) if FIELD[1] in text]


def test_workers_hear_what_the_listener_hears(tmp_path: Path) -> None:
    with configured("notifications", tmp_path) as target:
        run = run_suite(target.url, *target.options, *_OURS, "-n", "2", env=target.env)
    assert set(outcomes(run).values()) == {"held"}, run.stdout


def test_a_target_that_sends_nothing_costs_one_wait(suite: Forker, open_registry: Server) -> None:
    run = suite.run(open_registry.url, *Hook().options, *_OURS, "--timeout", "1")
    found = outcomes(run)
    assert found.pop("NOTIF-DELIVERED-POST") == "broken"
    assert set(found.values()) == {"inconclusive"}


def test_without_a_listener_nothing_is_tested(suite: Forker, open_registry: Server) -> None:
    run = suite.run(open_registry.url, *_OURS)
    assert set(outcomes(run).values()) == {"not tested"}
    assert run.report is not None
    assert {e["withheld"] for e in run.report["requirements"] if e["id"] in outcomes(run)} == {"listener"}


def test_an_address_that_is_taken_is_one_sentence(suite: Forker, open_registry: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        run = suite.run(open_registry.url, "--notifications-listen", address)
    assert run.exit_code == 4
    assert (
        f"--notifications-listen: {address} cannot be listened on (Address already in use)" in run.stderr + run.stdout
    )
    assert "Traceback" not in run.stderr + run.stdout
