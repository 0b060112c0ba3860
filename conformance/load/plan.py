"""What the processes of a load have to know, and what each makes of it: a session, and users."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from conformance.client.client import Call, Client
from conformance.client.control import Control
from conformance.client.http.exchange import Response
from conformance.client.http.pace import Pace
from conformance.client.http.transport import Payload, Transport, TransportError, TransportOptions
from conformance.client.login.authentication import Authenticator
from conformance.client.registry import Registry
from conformance.load.books import Books
from conformance.load.mix import Mix
from conformance.load.steps import Steps
from conformance.settings import USER_AGENT, Settings
from conformance.target.capabilities import Capabilities
from conformance.target.session import Session

#: The variable by which Locust's processes get the plan, as others get a password: no file ever has it.
VARIABLE = "CONFORMANCE_LOAD_PLAN"
#: What is said of a request that was over the number that the load may send.
SPENT = "the requests of the load were used up"
_BOOKS = ".books.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """Target and options, what the target has, what users do, and the bounds of the load."""

    settings: Settings
    capabilities: Capabilities
    mix: Mix
    steps: Steps
    #: Requests that the load may send, and processes that drive users on this machine.
    requests: int
    processes: int
    #: Where each process leaves its books; empty where they go to another machine.
    spool: str = ""

    def given(self) -> str:
        """Return the plan as the value of a variable of the environment; it may hold credentials."""
        import pickle  # noqa: PLC0415  # only here and below

        return base64.b64encode(pickle.dumps(self)).decode("ascii")

    @classmethod
    def taken(cls) -> Plan:
        """Return the plan that this process was given."""
        import pickle  # noqa: PLC0415  # as above

        plan = pickle.loads(base64.b64decode(os.environ[VARIABLE]))  # noqa: S301  # our own process made it
        assert isinstance(plan, cls)
        return plan


class Budget:
    """Requests that may still be sent by this process and by all that are forked from it: they take from one number."""

    def __init__(self, requests: int, rate: float = 0.0) -> None:
        self._left = multiprocessing.Value("q", requests)
        #: What ``--rate`` allows to all users together; without it, each obeys the limits that it is told of.
        self.pace = Pace(rate) if rate else None

    @property
    def spent(self) -> bool:
        """Whether there are none left."""
        return bool(self._left.value <= 0)

    def take(self) -> None:
        """Take one.

        Raises:
            TransportError: there is none left.
        """
        with self._left.get_lock():
            if self._left.value <= 0:
                raise TransportError(SPENT)
            self._left.value -= 1


class _Metered(Transport):
    """Sends no more than a budget allows."""

    def __init__(self, options: TransportOptions, budget: Budget) -> None:
        super().__init__(options, USER_AGENT)
        self._budget = budget
        self.pace = budget.pace or self.pace

    def send(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        payload: Payload = None,
        *,
        stream: bool = False,
        max_body: int | None = None,
    ) -> Response:
        self._budget.take()
        return super().send(method, url, headers, payload, stream=stream, max_body=max_body)


class _Uncontrolled(Control):
    """Sends nothing beside a request that failed: under load, an overload is one, and accuses nobody."""

    def look(self, client: Client, call: Call, response: Response) -> None:
        """Leave the answer as it is."""


class Post:
    """What the users of one process share: the session, the books, the requests that are left."""

    def __init__(self, plan: Plan, budget: Budget) -> None:
        self.plan = plan
        self.budget = budget
        self.session = Session(plan.settings, plan.capabilities)
        self.books = Books()

    def registry(self) -> Registry:
        """Return the target as one more user sees it, with connections and a login of its own."""
        settings, session = self.plan.settings, self.session
        transport = _Metered(session.transport.options, self.budget)
        authenticator = Authenticator(settings.credentials, session.redactor, settings.url)
        client = Client(settings.url, transport, authenticator, session.redactor)
        client.extra = settings.headers
        registry = Registry(client, settings.settle, settings.min_chunk)
        registry.guard, registry.journal = session.registry.guard, session.registry.journal
        registry.control = _Uncontrolled(registry.journal)
        return registry

    def names(self) -> tuple[str, ...]:
        """Return the repositories that the users of a load share."""
        settings = self.plan.settings
        made = (f"{settings.namespace}/{settings.run_id}-load-{n}" for n in range(self.plan.mix.repositories))
        return settings.repositories or tuple(made)

    def leave_books(self) -> None:
        """Write the books down for the process that makes the report."""
        path = Path(self.plan.spool) / f"{os.getpid()}{_BOOKS}"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.books.plain()), encoding="utf-8")
        part.replace(path)


def gather(folder: Path) -> Books:
    """Return the books of all processes that left theirs in a folder."""
    books = Books()
    for path in sorted(folder.glob(f"*{_BOOKS}")):
        books.take(json.loads(path.read_text(encoding="utf-8")))
    return books
