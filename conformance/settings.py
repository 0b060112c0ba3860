"""What a run was asked to do: the options, checked and with their secrets taken out of sight."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .client.credentials import Credentials
from .client.exchange import Response

#: Pauses between two looks at a target that settles, in seconds.
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A breach that the target's owner knows of: the requirement, why, and until when (ISO date)."""

    id: str
    why: str
    until: str = ""


@dataclass(slots=True)
class Settings:
    """The options of a run; seconds where a number is a time."""

    url: str
    profile: str = "oci-1.1"
    credentials: Credentials | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    insecure: bool = False
    timeout: float = 10.0
    max_time: float = 600.0
    namespace: str = "conformance"
    repositories: tuple[str, ...] = ()
    read_only: bool = False
    existing: str = ""
    capabilities: dict[str, bool] = field(default_factory=dict)
    known_failures: tuple[KnownFailure, ...] = ()
    settle: float = 0.0
    effort: str = "default"
    seed: int = 0
    keep: bool = False
    report: Path = Path("report")
    categories: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    product: str = ""
    version: str = ""
    embedded: bool = False
    #: Tells this run's repositories from those of any other.
    run_id: str = ""

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Return whether a condition holds, at once or within ``--settle`` seconds."""
        end = time.monotonic() + self.settle
        while not condition():
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL)
        return True

    def ask(self, ask: Callable[[], Response], fits: Callable[[Response], bool]) -> Response:
        """Ask until an answer fits, for as long as ``--settle`` allows; return the last answer."""
        answers: list[Response] = []

        def there() -> bool:
            answers.append(ask())
            return fits(answers[-1])

        self.wait(there)
        return answers[-1]

    def public(self) -> dict[str, Any]:
        """Return the options as a report may show them: no secret, only what was given."""
        shown: dict[str, Any] = {
            "profile": self.profile,
            "timeout": self.timeout,
            "max-time": self.max_time,
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
            "existing": self.existing,
            "capability": [f"{name}={'yes' if there else 'no'}" for name, there in self.capabilities.items()],
            "known-failures": [failure.id for failure in self.known_failures],
            "category": list(self.categories),
            "requirement": list(self.requirements),
            "ca-bundle": self.ca_bundle or "",
        }
        return shown | {name: value for name, value in lists.items() if value}
