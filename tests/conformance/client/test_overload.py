"""A target that has too much to do is accused of nothing, and no run hangs on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from conformance.client.client import Call
from tests.conformance.client.test_client import client_of
from tests.support.forking import Forker
from tests.support.scripted.server import Answer, Asked, forward, serve
from tests.support.servers import Server

_PROBES = 40
_HINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "silent": (),
    "later": (("Retry-After", "3600"),),
    "now": (("Retry-After", "0"),),
    "date": (("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),),
}


def overloaded(server: Server, status: int, hint: str) -> Callable[[Asked], Answer]:
    """Answer the probes, and refuse everything after them."""
    count = itertools.count()

    def answer(asked: Asked) -> Answer:
        return forward(asked, server.url) if next(count) < _PROBES else Answer(status, b"", _HINTS[hint])

    return answer


@pytest.mark.parametrize(("status", "hint"), [(429, hint) for hint in _HINTS] + [(503, "silent"), (502, "silent")])
def test_an_overload_accuses_nobody(status: int, hint: str, open_registry: Server, suite: Forker) -> None:
    with serve(overloaded(open_registry, status, hint)) as target:
        run = suite.run(target.url, "--category", "pull", "--category", "discovery", "--keep")
    assert run.report is not None, run.stdout + run.stderr
    # That a 429 says how long to wait is a SHOULD.
    assert set(run.broken) <= {"BASE-RATE-RETRY-AFTER"}, run.stdout
    assert "error" not in run.outcomes.values()
    assert "FAIL" not in {profile["verdict"] for profile in run.report["profiles"].values()}
    assert run.seconds < 60


def test_waiting_in_vain_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a client waits unasked is bounded over all of its requests."""
    slept: list[float] = []
    monkeypatch.setattr("conformance.client.client.time.sleep", slept.append)
    with serve(lambda _: Answer(429)) as target, client_of(target.url) as client:
        for _ in range(60):
            assert client.send(Call("GET", f"{target.url}/v2/")).status == 429
        asked = len(target.asked)
        client.send(Call("GET", f"{target.url}/v2/"))
        assert len(target.asked) == asked + 1
    assert 5 < sum(slept) < 20
