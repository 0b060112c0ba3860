"""Several clients at the same time: a bounded number of threads with connections of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from conformance.client.http.exchange import OVERLOADED, Response
from conformance.settings import Settings
from conformance.verdict.judge import Judge, describe

#: Clients at the same time, by effort: enough to meet each other, too few to be a load.
_CLIENTS = {"quick": 4, "default": 5, "thorough": 16}
#: Seconds in which all clients of a crowd have started.
_GATHERING = 2.0
#: Seconds that one client waits for the answer to another before it goes on with its own request:
#: so many times what the target takes for a small one, within bounds.
_TIMES, _LEAST, _MOST = 40, 0.1, 1.0
#: Seconds in which a target takes up a request whose head it has, before the body comes.
_TAKEN_UP = 0.02
_INTERNAL_ERROR = 500

T = TypeVar("T")


def clients(settings: Settings) -> int:
    """Return how many clients act at the same time."""
    return _CLIENTS[settings.effort]


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make some calls at the same time; return what they gave, in their order."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], T]) -> T:
        with suppress(threading.BrokenBarrierError):
            gate.wait(_GATHERING)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(one, call) for call in calls]]


class Meanwhile:
    """A body that is sent in two parts, and what another client is answered between them.

    The other client is waited for only so long, by what an answer took before: a target may well
    answer it after the first. ``lead`` is how many bytes the first part has; with none, the target
    gets a moment to read the head of the request.
    """

    def __init__(self, body: bytes, call: Callable[[], list[Response]], lead: int, before: Response) -> None:
        self._parts = body[:lead], body[lead:]
        self._call = call
        taken = before.trail[-1].elapsed_ms / 1000 if before.trail else 0.0
        self._patience = min(max(_TIMES * taken, _LEAST), _MOST)
        self._others: list[Future[list[Response]]] = []
        #: Whether the other client was answered before the second part was sent.
        self.between = False

    def __call__(self) -> Iterator[bytes]:
        """Give the parts; the call is made once, however often the body is sent."""
        yield self._parts[0]
        if not self._others:
            if not self._parts[0]:
                time.sleep(_TAKEN_UP)
            future: Future[list[Response]] = Future()
            self._others.append(future)
            threading.Thread(target=_fill, args=(future, self._call), daemon=True).start()
            self.between = bool(wait(self._others, self._patience).done)
        yield self._parts[1]

    @property
    def answers(self) -> list[Response]:
        """What the other client was answered; nothing where the body was never sent so far."""
        return [answer for future in self._others for answer in future.result()]


def _fill(future: Future[list[Response]], call: Callable[[], list[Response]]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # it is raised again where the result is read
        future.set_exception(error)


def judge_available(judge: Judge, requirement: str, *answers: Response) -> None:
    """Judge that no concurrent request was answered 500; an overload accuses nobody."""
    failed = [answer for answer in answers if answer.status == _INTERNAL_ERROR]
    if not failed and not any(answer.status and answer.status not in OVERLOADED for answer in answers):
        judge.inconclusive(requirement, "every request was answered with an overload")
        return
    expected = "no status 500 to one of several requests at the same time"
    judge(requirement, not failed, expected, *failed, actual=f"{len(failed)} of {len(answers)} had {describe(failed)}")
