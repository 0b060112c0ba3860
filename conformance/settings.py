"""What a run was asked to do: the options, checked and with their secrets taken out of sight."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.client.curl import Trust
from conformance.client.http.exchange import Response
from conformance.client.login.credentials import Credentials
from conformance.client.settling import ask_until, poll

#: What the suite calls itself in its requests.
USER_AGENT = "registry-conformance/0.1"
#: The prefix of the repositories that a run makes where its owner names none.
NAMESPACE = "conformance"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A breach that the target's owner knows: the requirement, why, and until when (ISO date)."""

    id: str
    why: str
    until: str = ""


@dataclass(slots=True)
class Settings:
    """The options of a run; seconds where a number is a time."""

    url: str
    profile: str = "oci-1.1"
    credentials: Credentials | None = field(default=None, repr=False)
    #: An account that may only pull in the namespace, and one that may do nothing there.
    pull_only: Credentials | None = field(default=None, repr=False)
    other: Credentials | None = field(default=None, repr=False)
    expired_tokens: tuple[str, ...] = field(default=(), repr=False)
    #: Header fields for each request to the target.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_bundle: str | None = None
    insecure: bool = False
    timeout: float = 10.0
    max_time: float = 600.0
    #: Requests a second, over all processes of the run; 0 sets no limit.
    rate: float = 0.0
    #: The most telling scenarios run first, as there may be no time for all.
    telling_first: bool = False
    #: The moment of the monotonic clock at which that time is over, in all processes of the run.
    deadline: float = math.inf
    namespace: str = NAMESPACE
    repositories: tuple[str, ...] = ()
    read_only: bool = False
    existing: tuple[str, ...] = ()
    capabilities: dict[str, bool] = field(default_factory=dict)
    known_failures: tuple[KnownFailure, ...] = ()
    #: Where a list of what is found broken is written.
    known_failures_write: Path | None = None
    settle: float = 0.0
    min_chunk: int = 1
    effort: str = "default"
    seed: int = 0
    #: Chooses the order of the scenarios; without it they run as they stand in their modules.
    shuffle: int | None = None
    keep: bool = False
    #: Host and port of the listener, and the header fields that notifications come with.
    notifications_listen: tuple[str, int] | None = None
    notifications_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: The way to the mailbox of the listener, for the workers of pytest-xdist.
    mailbox: tuple[str | tuple[str, int], bytes] | None = field(default=None, repr=False)
    report: Path = Path("report")
    #: The file for a recording of all exchanges, and the folder that the processes of the run share for it.
    record: Path | None = None
    spool: Path | None = None
    categories: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    product: str = ""
    version: str = ""
    embedded: bool = False
    #: The line for a shell that runs this again, without secrets.
    command: str = ""
    #: Tells this run's repositories from those of any other.
    run_id: str = ""

    @property
    def trust(self) -> Trust:
        """How the certificate of the target is checked, for those who run its commands."""
        return Trust(self.insecure, self.ca_bundle)

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Return whether a condition holds, at once or within ``--settle`` seconds."""
        return poll(self.settle, condition)

    def ask(self, ask: Callable[[], Response], fits: Callable[[Response], bool]) -> Response:
        """Ask until an answer fits, for as long as ``--settle`` allows; return the last answer."""
        return ask_until(self.settle, ask, fits)

    def accounts(self) -> dict[str, Credentials | None]:
        """Return the accounts besides the owner's, by the name of their options."""
        return {"auth-pull-only": self.pull_only, "auth-other": self.other}

    def secrets(self) -> Iterator[str]:
        """Give all that no output may show."""
        for account in filter(None, (self.credentials, *self.accounts().values())):
            yield account.password
            yield f"{account.username}:{account.password}"
        yield from self.expired_tokens
        for _, value in (*self.headers, *self.notifications_headers):
            # Without the scheme too, as Authorization has one before it.
            yield from (value, value.partition(" ")[2])

    def public(self) -> dict[str, Any]:
        """Return the options as a report may show them: no secret, only what was given."""
        shown: dict[str, Any] = {
            "profile": self.profile,
            "timeout": self.timeout,
            "max-time": self.max_time,
            **({"rate": self.rate} if self.rate else {}),
            "namespace": self.namespace,
            "effort": self.effort,
            "settle": self.settle,
            "authentication": "username and password" if self.credentials else "none",
            "insecure": self.insecure,
            "read-only": self.read_only,
            "keep": self.keep,
        }
        lists: dict[str, Any] = {
            "repository": list(self.repositories),
            "existing": list(self.existing),
            "capability": [f"{name}={'yes' if there else 'no'}" for name, there in self.capabilities.items()],
            "known-failures": [failure.id for failure in self.known_failures],
            "category": list(self.categories),
            "requirement": list(self.requirements),
            "accounts": [name for name, given in self.accounts().items() if given],
            "auth-expired-token": bool(self.expired_tokens),
            "header": [name for name, _ in self.headers],
            "ca-bundle": self.ca_bundle or "",
            "notifications-listen": "{}:{}".format(*self.notifications_listen) if self.notifications_listen else "",
            "notifications-header": [name for name, _ in self.notifications_headers],
        }
        shown |= {name: value for name, value in lists.items() if value}
        return shown if self.shuffle is None else shown | {"shuffle": self.shuffle}
