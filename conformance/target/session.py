"""The session of one process: the client, its repositories, and what is known of the target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance import listener
from conformance.client.client import Client
from conformance.client.http.exchange import Exchange
from conformance.client.http.pace import Pace
from conformance.client.http.transport import Transport, TransportOptions, proxy_secrets
from conformance.client.journal import Journal
from conformance.client.login.authentication import Authenticator, Presented
from conformance.client.login.credentials import Credentials
from conformance.client.redaction import Redactor
from conformance.client.registry import Registry, Repository
from conformance.contract import Contract, ContractResult
from conformance.listener.mailbox import Mailbox
from conformance.recording import Recorder, open_spool
from conformance.settings import USER_AGENT, Settings
from conformance.target.board import Board
from conformance.target.capabilities import UNKNOWN, Capabilities
from conformance.target.content import Maker
from conformance.target.existing import Existing
from conformance.target.policy import Policy
from conformance.target.setup import SetUp
from conformance.verdict.judge import NotTested
from spec.model import Withheld

_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 48


class Session:
    """Everything that the scenarios of one process share."""

    def __init__(self, settings: Settings, capabilities: Capabilities | None = None) -> None:
        self.settings = settings
        self.redactor = Redactor()
        options = TransportOptions(settings.timeout, settings.ca_bundle, settings.insecure)
        self.transport = Transport(options, USER_AGENT)
        self.transport.until = settings.deadline
        self.transport.pace = Pace(settings.rate)
        self.capabilities = capabilities or Capabilities(declared=dict(settings.capabilities))
        self.client = self.new_client()
        self.registry = Registry(self.client, settings.settle, settings.min_chunk)
        self.registry.guard.fixed = frozenset(settings.repositories)
        if not (settings.keep or settings.embedded or settings.read_only):
            journal = Journal(settings.report / f".{settings.run_id}.journal", self.redactor.hide)
            self.registry.journal = self.registry.control.journal = journal
            # At once: the folder may be gone when the first thing is made.
            self.registry.journal.open()
        #: What scenarios found out about the target, for others that come upon the same.
        self.board = Board()
        self.existing = Existing(self.registry, settings.existing)
        self.policy = Policy(self.registry, settings, self.capabilities)
        self._contract: Contract | None = None
        self._second: Transport | None = None
        #: Milliseconds of a round trip to the target, and whether it slows clients down, as far as is known.
        self.round_trip_ms = 0.0
        self.throttled = False
        #: What came to the listener for notifications, where there is one.
        self.mailbox: Mailbox | None = None
        for secret in (*settings.secrets(), *proxy_secrets()):
            self.redactor.add(secret)
        #: Writes all exchanges down, where that is asked for.
        self.recorder = Recorder(settings.spool, self.redactor, self._checked) if settings.spool else None

    @property
    def contract(self) -> Contract:
        """The passive contract check, loaded when it is first needed."""
        if self._contract is None:
            self._contract = Contract.load("kinds" if self.settings.effort == "thorough" else "breaches")
        return self._contract

    def _checked(self, exchange: Exchange) -> ContractResult:
        return self.contract.check(exchange)

    def note(self, what: str) -> None:
        """Write down the exchanges that are no scenario's, and forget them."""
        if self.recorder is not None:
            self.recorder.add(what, self.client.exchanges)
        self.client.exchanges.clear()

    def new_client(self, anonymous: bool = False) -> Client:
        """Return a client of its own record, with the owner's credentials or without any."""
        credentials = None if anonymous else self.settings.credentials
        return self._client(Authenticator(credentials, self.redactor, self.settings.url))

    def caller(self, credentials: Credentials | None) -> Registry:
        """Return the target as seen by another caller who answers its challenges; recorded."""
        return self._seen_by(Authenticator(credentials, self.redactor, self.settings.url))

    def presenting(self, authorization: str | None) -> Registry:
        """Return the target as it answers to one Authorization, or to none."""
        if authorization:
            self.redactor.add(authorization.partition(" ")[2])
        return self._seen_by(Presented(authorization, self.redactor, self.settings.url))

    def apart(self) -> Registry:
        """Return the target over a connection of its own; recorded."""
        if self._second is None:
            self._second = Transport(self.transport.options, USER_AGENT)
            self._second.until, self._second.pace = self.settings.deadline, self.transport.pace
        self._second.close()
        client = Client(self.settings.url, self._second, self.client.authenticator, self.redactor)
        client.extra = self.settings.headers
        client.read_only, client.pull_only = self.client.read_only, self.client.pull_only
        client.exchanges = self.client.exchanges
        return self._beside(client)

    def _seen_by(self, authenticator: Authenticator) -> Registry:
        client = self._client(authenticator)
        client.exchanges = self.client.exchanges
        return self._beside(client)

    def _beside(self, client: Client) -> Registry:
        registry = Registry(client, self.settings.settle, self.settings.min_chunk)
        registry.guard, registry.journal = self.registry.guard, self.registry.journal
        registry.settling, registry.control = self.registry.settling, self.registry.control
        registry.sampled = self.registry.sampled
        return registry

    def _client(self, authenticator: Authenticator) -> Client:
        client = Client(self.settings.url, self.transport, authenticator, self.redactor)
        client.extra = self.settings.headers
        client.read_only = self.settings.read_only
        client.pull_only = self.reads_only
        return client

    @property
    def lock_file(self) -> Path:
        """The file by which the processes of a run hold each other off."""
        return self.settings.report / f".{self.settings.run_id}.lock"

    @contextmanager
    def alone(self, exclusive: bool) -> Iterator[None]:
        """Exclude scenarios that disturb each other, where processes share fixed repositories."""
        if not self.settings.repositories:
            yield
            return
        import fcntl  # noqa: PLC0415  # not everywhere there, and seldom needed

        with self.lock_file.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield

    def forked(self) -> None:
        """Begin in a process that was forked: with connections of its own, and a way to the mailbox."""
        self.transport.reconnect()
        self._second = None
        self.mailbox = listener.enter(self.settings.mailbox)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()
        if self._second is not None:
            self._second.close()

    @property
    def reads_only(self) -> bool:
        """Whether existing content replaces pushes: the owner says so, or pushes are refused."""
        return self.settings.read_only or bool(self.settings.existing and not self.capabilities.has("push"))

    def setup(self, node: str) -> SetUp:
        """Return the set-up of a scenario; its content depends on seed and scenario only."""
        maker = Maker(f"{self.settings.seed}:{node}")
        return SetUp(maker, self.settings, self.existing if self.reads_only else None)


class Repositories:
    """Hands out the repositories of one scenario; names tell the run and the scenario apart."""

    def __init__(self, session: Session, node: str) -> None:
        settings = session.settings
        self._session = session
        self._made: list[Repository] = []
        #: Below this prefix any name belongs to this run.
        self.prefix = f"{settings.namespace}/{settings.run_id}"
        test = node.rpartition("::")[2].removeprefix("test_")
        self._slug = _SLUG.sub("-", test.lower()).strip("-")[:_SLUG_LENGTH].strip("-")

    def __call__(self, suffix: str = "", *, fresh: bool = False) -> Repository:
        """Return a repository of the scenario, of the owner, or with existing content.

        Raises:
            NotTested: ``fresh``, certainly without other content, is asked for but the names are fixed.
        """
        settings = self._session.settings
        if self._session.reads_only:
            if fresh:
                raise NotTested(UNKNOWN[Withheld.WRITING], Withheld.WRITING)
            existing = self._session.existing
            if suffix and not existing.others:
                raise NotTested("--existing names nothing in a second repository", Withheld.CONTENT)
            return self.named(existing.others[0] if suffix else existing.home)
        if settings.repositories:
            if fresh:
                raise NotTested(UNKNOWN[Withheld.REPOSITORIES], Withheld.REPOSITORIES)
            taken = {repository.name for repository in self._made}
            free = [name for name in settings.repositories if name not in taken or not suffix]
            if not free:
                raise NotTested("the owner fixed too few repositories", Withheld.REPOSITORIES)
            return self.named(free[0])
        return self.named(self.own_name + (f"-{suffix}" if suffix else ""))

    @property
    def own_name(self) -> str:
        """A name for this scenario alone; it is unused, and not pushed to if names are fixed."""
        return f"{self.prefix}-{self._slug}"

    def shared(self) -> list[Repository]:
        """Return the repositories that the owner fixed, or those that hold existing content."""
        existing = self._session.existing
        names = (existing.home, *existing.others) if self._session.reads_only else self._session.settings.repositories
        return [self.named(name) for name in dict.fromkeys(names)]

    def named(self, name: str) -> Repository:
        """Return the repository of an exact name."""
        repository = Repository(self._session.registry, name)
        self._made.append(repository)
        return repository


def check_writable(settings: Settings) -> None:
    """Make the report folder and see that it can be written to, and the folder of a recording.

    Raises:
        UsageError: it cannot.
    """
    folder = settings.report
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise pytest.UsageError(f"--report: the folder {folder} cannot be written to ({error.strerror})") from None
    if settings.record is not None:
        try:
            settings.spool = open_spool(settings.record, settings.run_id)
        except OSError as error:
            raise pytest.UsageError(f"--record: {settings.record} cannot be written ({error.strerror})") from None
