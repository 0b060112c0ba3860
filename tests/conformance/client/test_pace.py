"""Requests are sent as fast as the owner and the target allow, over all processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from conformance.client.http.exchange import Headers, Response
from conformance.client.http.pace import Pace

_FAR = 1e12


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _answer(status: int = 200, **fields: str) -> Response:
    return Response(status, "", Headers((name.replace("_", "-"), value) for name, value in fields.items()))


def _waits(pace: Pace, times: int = 1) -> Callable[[], None]:
    def wait() -> None:
        for _ in range(times):
            pace.wait(_FAR)

    return wait


def test_nothing_waits_without_a_limit() -> None:
    pace = Pace()
    assert _seconds(_waits(pace, 1000)) < 0.5
    assert pace.rate == 0


def test_processes_share_the_pace() -> None:
    pace = Pace(rate=50)
    start = time.monotonic()
    children = []
    for _ in range(2):
        if not (child := os.fork()):
            for _ in range(10):
                pace.wait(_FAR)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert 0.35 < time.monotonic() - start < 1.5


def test_nobody_waits_beyond_the_end() -> None:
    pace = Pace(rate=0.1)
    pace.wait(_FAR)
    assert _seconds(lambda: pace.wait(time.monotonic() + 0.1)) < 1


@pytest.mark.parametrize(
    "answer",
    [
        _answer(429, Retry_After="1"),
        _answer(429, RateLimit_Remaining="0", RateLimit_Reset="1"),
        _answer(RateLimit_Remaining="0", RateLimit_Reset="1"),
        _answer(X_RateLimit_Remaining="0;w=60", X_RateLimit_Reset="1"),
        _answer(RateLimit="limit=20, remaining=0, reset=1"),
        _answer(RateLimit='"default";r=0;t=1'),
    ],
)
def test_a_budget_that_is_used_up_is_waited_for(answer: Response, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("conformance.client.http.pace.time.sleep", slept.append)
    pace = Pace()
    pace.heard(answer)
    pace.wait(_FAR)
    assert 0.5 < sum(slept) <= 1


def test_a_budget_is_spread_over_its_time() -> None:
    pace = Pace()
    pace.heard(_answer(RateLimit_Remaining="10", RateLimit_Reset="2"))
    assert 0.3 < _seconds(_waits(pace, 3)) < 1


@pytest.mark.parametrize(
    "answer",
    [
        _answer(429),
        _answer(429, Retry_After="21600"),
        _answer(RateLimit_Limit="100;w=21600", RateLimit_Remaining="0;w=21600"),
        _answer(RateLimit_Remaining="0", RateLimit_Reset="21600"),
        _answer(RateLimit_Remaining="none", RateLimit_Reset="soon"),
        _answer(503, Retry_After="5"),
    ],
)
def test_what_cannot_be_waited_for_holds_nobody(answer: Response) -> None:
    pace = Pace()
    pace.heard(answer)
    assert _seconds(_waits(pace, 10)) < 0.3


def test_what_was_let_through_between_two_waits_is_learned() -> None:
    pace = Pace()
    _waits(pace, 10)()
    pace.heard(_answer(429, Retry_After="0"))
    # One alone may have come of anything.
    assert pace.rate == 0
    time.sleep(0.2)
    _waits(pace, 10)()
    pace.heard(_answer(429, Retry_After="1"))
    # Ten requests in a fifth of a second and a second.
    assert 5 < pace.rate < 10
