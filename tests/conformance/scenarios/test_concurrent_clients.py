"""Clients at the same time: they really meet, and each is answered what is its own."""

from __future__ import annotations

import threading
import time

import pytest

from conformance.client.http.exchange import Exchange, Headers, Request, Response
from conformance.scenarios.shared.concurrent_clients import Meanwhile, at_once, clients, judge_available
from conformance.settings import Settings
from conformance.target.session import Session
from conformance.verdict.judge import Judge
from spec.model import Outcome
from tests.support.scripted.server import Answer, Asked, serve

ID = "BASE-CONCURRENT-NO-500"


def _answer(status: int, taken: float = 0.0) -> Response:
    answer = Response(status, "", Headers())
    request = Request("GET", "http://localhost/", Headers())
    answer.trail = (Exchange("", {}, request, answer, elapsed_ms=taken * 1000),)
    return answer


def test_calls_are_under_way_together() -> None:
    """Each of several calls sees all the others begin before it ends; answers keep their order."""
    gate = threading.Barrier(8)

    def call(number: int) -> int:
        gate.wait(5)
        return number

    assert at_once(*(lambda number=number: call(number) for number in range(8))) == [*range(8)]


def test_an_exception_of_a_call_is_raised() -> None:
    """What stops one call stops all of them, when they have ended."""
    with pytest.raises(ValueError, match="invalid literal"):
        at_once(lambda: 1, lambda: int("x"))


def test_exchanges_of_threads_are_all_recorded() -> None:
    """The recording client loses no exchange, and mixes up no answers, when threads share it."""

    def echo(asked: Asked) -> Answer:
        return Answer(200, asked.path.encode())

    with serve(echo) as tiny:
        session = Session(Settings(tiny.url, run_id="x"))
        paths = [f"/v2/{number}" for number in range(16)]
        answers = at_once(*(lambda path=path: session.registry.request("GET", path) for path in paths))
        session.close()
    assert [answer.body.decode() for answer in answers] == paths
    assert sorted(e.request.url for e in session.client.exchanges) == sorted(tiny.url + path for path in paths)
    assert all(answer.trail[-1].response is answer for answer in answers)


def test_another_client_is_answered_between_two_parts() -> None:
    """The call is made once, after the first part, and its answers are there in the end."""
    seen: list[str] = []

    def other() -> list[Response]:
        seen.append("asked")
        return [_answer(404)]

    body = Meanwhile(b"abcd", other, 1, _answer(202))
    pieces = iter(body())
    assert next(pieces) == b"a"
    assert not seen
    assert next(pieces) == b"bcd"
    assert body.between
    assert [*body()] == [b"a", b"bcd"]
    assert seen == ["asked"]
    assert [answer.status for answer in body.answers] == [404]


def test_a_client_that_has_to_wait_is_not_waited_for() -> None:
    """A target that answers one client after the other makes nobody wait for ever."""
    release = threading.Event()

    def late() -> list[Response]:
        release.wait(5)
        return [_answer(404)]

    body = Meanwhile(b"abcd", late, 2, _answer(202))
    started = time.monotonic()
    assert [*body()] == [b"ab", b"cd"]
    assert time.monotonic() - started < 2
    assert not body.between
    release.set()
    assert [answer.status for answer in body.answers] == [404]


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((201, 404, 202), Outcome.HELD),
        ((201, 503), Outcome.HELD),
        ((503, 429), Outcome.INCONCLUSIVE),
        ((0, 0), Outcome.INCONCLUSIVE),
        ((201, 500), Outcome.BROKEN),
    ],
)
def test_an_overload_accuses_nobody(statuses: tuple[int, ...], outcome: Outcome) -> None:
    """Only a 500 is a breach; where nothing but overloads came nothing is known."""
    judge = Judge([ID])
    judge_available(judge, ID, *map(_answer, statuses))
    assert judge.judgements[ID].outcome is outcome


@pytest.mark.parametrize("effort", ["quick", "default", "thorough"])
def test_a_crowd_is_bounded(effort: str) -> None:
    """More than 16 clients never act at the same time, and always enough to meet."""
    assert 4 <= clients(Settings("http://localhost", effort=effort)) <= 16
