"""What Locust runs: `locust -f` this file, started by `conformance.load` with the plan in the environment."""

from __future__ import annotations

import os
from typing import Any

from locust import LoadTestShape, User, between, events
from locust.exception import StopUser

from conformance.client.http.exchange import Exchange
from conformance.load.plan import Budget, Plan, Post
from conformance.load.visitor import Crowd, Visitor

PLAN = Plan.taken()
#: Made before Locust forks its workers, which share it.
BUDGET = Budget(PLAN.requests, PLAN.settings.rate)
#: Users that are started in a second.
_SPAWN_RATE = 1000
#: The member of a worker's report to its master that has the books; only where the worker is on another machine.
_BOOKS = "conformance"


class _Process:
    """The crowd of this process, made when the first user comes: after Locust has forked its workers."""

    def __init__(self) -> None:
        self.environment: Any = None
        self._crowd: Crowd | None = None

    @property
    def crowd(self) -> Crowd:
        """The crowd."""
        if self._crowd is None:
            self._crowd = Crowd(Post(PLAN, BUDGET), self._told)
        return self._crowd

    def _told(self, exchange: Exchange, against: str) -> None:
        """Show an exchange on Locust's page."""
        response = exchange.response
        self.environment.events.request.fire(
            request_type=exchange.request.method,
            name=exchange.operation or "(redirect)",
            response_time=exchange.elapsed_ms,
            response_length=(response.size or len(response.body)) if response else 0,
            exception=_Against(against) if against else None,
            context={},
        )

    def leave(self) -> None:
        """Leave the books for the report."""
        if self._crowd is not None and PLAN.spool:
            self._crowd.post.leave_books()

    def take_to_master(self, data: dict[str, Any]) -> None:
        """Put the books as they are into a report; later ones replace earlier ones."""
        if self._crowd is not None and not PLAN.spool:
            data[_BOOKS] = self._crowd.post.books.plain()


class _Against(Exception):
    """What is held against an exchange, as Locust's page shows it."""


PROCESS = _Process()
#: In the master, the last books of each worker on another machine.
_FAR: dict[str, dict[str, Any]] = {}


def _init(environment: Any, **_: Any) -> None:
    PROCESS.environment = environment


def _begin(environment: Any, **_: Any) -> None:
    runner = type(environment.runner).__name__
    if runner != "MasterRunner":
        PROCESS.crowd.begin()


def _report(data: dict[str, Any], **_: Any) -> None:
    PROCESS.take_to_master(data)


def _reported(client_id: str, data: dict[str, Any], **_: Any) -> None:
    if _BOOKS in data:
        _FAR[client_id] = data[_BOOKS]


def _quit(**_: Any) -> None:
    PROCESS.leave()


def _gone(**_: Any) -> None:
    """Keep what came of other machines; their last reports come while the master quits."""
    if _FAR and PLAN.spool:
        post = Post(PLAN, BUDGET)
        for books in _FAR.values():
            post.books.take(books)
        post.leave_books()


class Shape(LoadTestShape):  # type: ignore[misc]  # Locust is in an environment of its own, without types here
    """The steps of the plan; it ends when they are over, or when all requests are used up."""

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there are to be now."""
        seconds = self.get_run_time()
        if seconds >= PLAN.steps.seconds or self.runner.stats.total.num_requests >= PLAN.requests:
            return None
        return PLAN.steps.users[PLAN.steps.at(seconds)], _SPAWN_RATE


def visit(user: RegistryUser) -> None:
    """Do one thing; an error of ours is counted, and ends the user.

    Raises:
        StopUser: there is nothing more to do.
    """
    if user.visitor.done:
        raise StopUser
    try:
        user.visitor.once()
    except Exception as error:  # whatever it is, the report tells of it, and it is not the target's
        post = PROCESS.crowd.post
        post.books.errors[post.session.redactor.clean(f"{type(error).__name__}: {error}")] += 1
        raise StopUser from error


class RegistryUser(User):  # type: ignore[misc]  # as above
    """A user of the registry."""

    wait_time = between(*PLAN.mix.pause)
    tasks = (visit,)
    visitor: Visitor

    def on_start(self) -> None:
        """Come in."""
        self.visitor = PROCESS.crowd.user(str(os.getpid()))

    def on_stop(self) -> None:
        """Leave."""
        self.visitor.close()


events.init.add_listener(_init)
events.test_start.add_listener(_begin)
events.report_to_master.add_listener(_report)
events.worker_report.add_listener(_reported)
events.test_stop.add_listener(_quit)
events.quitting.add_listener(_quit)
events.quit.add_listener(_gone)
