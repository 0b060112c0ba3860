"""Percentiles, steps, the knee, and the books of several processes."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, cast

import pytest

import reports
from conformance.load import books, figures, outcome, plan, steps
from conformance.load.mix import DEFAULT, read
from conformance.run.report_document import Run
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from reports import summary
from reports.model import Report
from spec.catalogue import load

BODY, LISTED = "PULL-BLOB-GET-BODY-EXACT", "DISC-TAGS-COMPLETE-AFTER-PUSH"


def test_percentiles_are_of_the_whole() -> None:
    found = figures.Latencies()
    for milliseconds in range(1, 101):
        found.add(milliseconds)
    found.take(figures.Latencies.of(json.loads(json.dumps(found.plain()))))
    assert len(found) == 200
    assert found.shown() == {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99, "max_ms": 100}
    assert figures.Latencies().shown()["p99_ms"] == 0


@pytest.mark.parametrize(
    ("users", "seconds", "expected"),
    [(8, 60, (1, 2, 4, 8)), (8, 4, (4, 8)), (1, 60, (1,)), (100, 1, (100,)), (5, 60, (1, 2, 3, 5))],
)
def test_each_step_has_twice_the_users(users: int, seconds: float, expected: tuple[int, ...]) -> None:
    found = steps.of(users, seconds)
    assert found.users == expected
    assert found.seconds == pytest.approx(seconds)
    assert [found.at(t) for t in (0, seconds * 2)] == [0, len(expected) - 1]


def _steps(*found: tuple[int, int, float]) -> list[dict[str, Any]]:
    return [{"users": users, "requests": requests, "p99_ms": p99} for users, requests, p99 in found]


def test_the_knee_is_where_the_p99_doubles() -> None:
    # The first step pays for connections, and the second has too few requests.
    assert figures.knee(_steps((1, 50, 30), (2, 3, 500), (4, 100, 20), (8, 100, 39), (16, 100, 40), (32, 9, 900))) == {
        "users": 16,
        "p99_ms": 40,
        "before": {"users": 4, "p99_ms": 20},
    }
    assert figures.knee(_steps((1, 50, 30), (2, 50, 59))) is None
    assert figures.knee([]) is None


def _broken(requirement: str, actual: str) -> dict[str, Any]:
    fixed = {"outcome": "broken", "reason": "", "cause": "", "root": "", "withheld": "", "curl": "", "script": ""}
    return {
        **fixed,
        "requirement": requirement,
        "expected": "the bytes",
        "actual": actual,
        "exchanges": [],
        "condition": [],
        "narrower": [],
    }


def _of_two_processes() -> books.Books:
    whole = books.Books()
    for number in (1, 2):
        each = books.Books()
        for _ in range(30):
            each.answered("blob.get", 0, 2.0, 0, 100)
        each.answered("blob.get", 1, 9.0, 0, 100)
        for _ in range(number):
            each.breach(BODY, lambda: _broken(BODY, "other bytes"))
        each.unanswered["blob.get", "status 503"] += 1
        each.exercised |= {"PULL-BLOB-GET-200", BODY}
        whole.take(json.loads(json.dumps(each.plain())))
    whole.breach(LISTED, lambda: _broken(LISTED, "a tag was missing"))
    return whole


def _report(found: books.Books) -> dict[str, Any]:
    settings = Settings("http://registry.example", report=Path("report/load"), run_id="abc123")
    made = plan.Plan(settings, Capabilities(), read(DEFAULT), steps.of(2, 4), 1000, 2)
    run = Run(settings, Capabilities(), datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC), 4.0, complete=False)
    return outcome.report(load(), made, found, run)


def test_each_breach_is_booked_with_the_number_of_times() -> None:
    report = _report(_of_two_processes())
    reports.check(report)
    found = {finding["requirement"]: finding for finding in report["findings"]}
    assert {name: finding["times"] for name, finding in found.items()} == {BODY: 3, LISTED: 1}
    assert found[BODY]["note"] == "3 times under load"
    outcomes = {entry["id"]: entry["outcome"] for entry in report["requirements"]}
    assert outcomes[BODY] == "broken"
    assert outcomes["PULL-BLOB-GET-200"] == "held"
    assert outcomes["PUSH-START-STATUS-202"] == "not tested"
    assert report["run"]["exit_code"] == 1
    assert report["load"]["breaches"] == [{"requirement": LISTED, "times": 1}, {"requirement": BODY, "times": 3}]
    assert report["load"]["unanswered"] == [{"operation": "blob.get", "reason": "status 503", "times": 2}]
    assert [step["requests"] for step in report["load"]["steps"]] == [60, 2]
    assert report["load"]["requests"] == 64
    assert f"{BODY}  3 times" in outcome.text(report)
    told = summary.render(cast("Report", report))
    assert "Under load: 64 requests in 4 s, 16 in a second. There was no knee." in told
    assert "| `blob.get` | 62 | 2 | 2 | 9 | 9 |" in told
    assert "3 times under load" in told


def test_an_error_of_ours_blames_nobody() -> None:
    found = books.Books()
    found.answered("base.get", 0, 1.0, 0, 2)
    found.errors["IndexError: of a test"] += 2
    report = _report(found)
    reports.check(report)
    assert not report["findings"]
    assert report["run"]["exit_code"] == 3
    assert "ERROR of the suite: IndexError: of a test (2 times)" in outcome.text(report)


def test_a_load_that_decided_nothing_is_none() -> None:
    assert _report(books.Books())["run"]["exit_code"] == 5
