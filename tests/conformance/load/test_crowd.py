"""Users as threads, without Locust: what they do, what they see of a fault, and what bounds them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.client.http.exchange import Exchange
from conformance.load import mix, steps
from conformance.load.plan import Budget, Plan, Post
from conformance.load.visitor import Crowd
from conformance.settings import Settings
from conformance.target.capabilities import Capabilities
from tests.support.servers import reference

FAULT = "crowded-blob-spoilt"
BODY = "PULL-BLOB-GET-BODY-EXACT"


def _crowd(url: str, tmp_path: Path, requests: int, against: list[str], **deeds: int) -> Crowd:
    chosen = replace(mix.read(mix.DEFAULT), bytes=64, layers=1, kept=3)
    chosen = replace(chosen, deeds=deeds) if deeds else chosen
    settings = Settings(url, report=tmp_path, keep=True, run_id="0ad15a")
    plan = Plan(settings, Capabilities(), chosen, steps.of(1, 60), requests, 1)

    def told(exchange: Exchange, reason: str) -> None:
        if reason:
            against.append(f"{exchange.operation}: {reason}")

    return Crowd(Post(plan, Budget(requests)), told)


def _drive(crowd: Crowd, users: int) -> None:
    def one(number: int) -> None:
        visitor = crowd.user(str(number))
        while not visitor.done:
            visitor.once()
        visitor.close()

    with ThreadPoolExecutor(users) as pool:
        assert not [*filter(None, pool.map(one, range(users)))]


def test_users_do_everything_and_a_right_registry_is_not_blamed(tmp_path: Path) -> None:
    against: list[str] = []
    with reference(tmp_path) as server:
        crowd = _crowd(server.url, tmp_path, 700, against)
        _drive(crowd, 5)
        sent = server.log.read_text(encoding="utf-8").count("HTTP/1.1")
    found = crowd.post.books
    assert not found.times, found.judgements
    assert {reason.partition(": ")[2] for reason in against} <= {"the requests of the load were used up"}
    assert set(found.deeds) == {"pull", "push", "list", "mount", "delete"}
    # No request more than was agreed to.
    assert found.requests == 700
    assert sent in {0, 700}
    assert {"blob.get", "manifest.put", "upload.mount", "tags.list"} <= {name for name, _ in found.operations()}
    assert {"PULL-BLOB-GET-200", "PUSH-MANIFEST-STATUS-201"} <= found.exercised
    assert found.sent > 0 < found.received


def test_a_fault_that_shows_in_a_crowd_alone_is_counted(tmp_path: Path) -> None:
    with reference(tmp_path, faults=[FAULT]) as server:
        few: list[str] = []
        alone = _crowd(server.url, tmp_path, 100, few, pull=1)
        _drive(alone, 3)
        assert not alone.post.books.times
        many: list[str] = []
        crowd = _crowd(server.url, tmp_path, 700, many, pull=1)
        _drive(crowd, 32)
    times = crowd.post.books.times
    assert set(times) == {BODY}
    assert times[BODY] > 3
    assert many.count(f"blob.get: {BODY}") == times[BODY]
    judged: dict[str, Any] = crowd.post.books.judgements[BODY]
    assert judged["exchanges"][-1]["operation"] == "blob.get"


@pytest.mark.parametrize("missing", ["push", "mount", "delete-manifest"])
def test_what_the_target_lacks_is_not_tried(missing: str, tmp_path: Path) -> None:
    crowd = _crowd("http://127.0.0.1:9", tmp_path, 10, [])
    crowd.post.plan.capabilities.declared[missing] = False
    able = crowd.user("0")._deeds
    gone = {"push": {*able, "push"}, "mount": {"mount"}, "delete-manifest": {"delete"}}[missing]
    assert not gone & set(able)
    assert crowd.user("1").done == (missing == "push")


def test_the_users_share_the_rate(tmp_path: Path) -> None:
    crowd = _crowd("http://127.0.0.1:9", tmp_path, 12, [], push=1)
    crowd.post.budget = Budget(12, rate=20)
    begin = time.monotonic()
    _drive(crowd, 3)
    # The first is sent at once, and what fails is tried twice.
    assert time.monotonic() - begin > 5 / 20


def test_an_overload_and_a_refusal_blame_nobody(tmp_path: Path) -> None:
    # Nobody listens on this port.
    crowd = _crowd("http://127.0.0.1:9", tmp_path, 10, [], push=1)
    crowd.user("0").once()
    found = crowd.post.books
    assert not found.times
    assert {operation for operation, _ in found.unanswered} == {"blob.head", "upload.start"}
