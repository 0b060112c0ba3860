"""Whether the registry is in order: what the configuration has looked at, now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("reference")


@dataclass(slots=True)
class Check:
    """One thing to look at: what it is called, how, how often in seconds, and how many failures in a row count."""

    name: str
    look: Callable[[], None]
    interval: float = 10.0
    threshold: int = 1
    failures: int = 0
    reason: str = ""

    def run(self) -> None:
        """Look once; what is raised is a failure."""
        try:
            self.look()
        except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, it is not in order
            self.failures += 1
            self.reason = str(error)
            log.warning("health: %s: %s", self.name, error)
        else:
            self.failures = 0

    @property
    def failed(self) -> bool:
        """Whether it failed often enough."""
        return self.failures >= self.threshold


class Health:
    """All checks."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def failures(self) -> dict[str, str]:
        """The reasons by name; empty where everything is in order."""
        return {check.name: check.reason for check in self.checks if check.failed}


def absent(path: Path) -> None:
    """A file by which somebody takes the registry out of service; raises where it is there."""
    if path.exists():
        raise OSError(f"{path} exists")
