"""Registries that send notifications to the listener, configured as the original is."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from dataclasses import dataclass, field
from typing import Any

#: What the registry is told to send with each notification, and the suite to expect.
FIELD = ("X-Notified-By", "the-secret-of-the-hook")
_FIRST, _PORTS = 20_000, 12_000
_STEPS = itertools.count()


def _port() -> int:
    """A port that nobody listens on, outside of the ephemeral ports.

    Tests in other processes look for one at the same time, so each process begins elsewhere.
    """
    for step in itertools.islice(_STEPS, _PORTS):
        port = _FIRST + (os.getpid() * 97 + step) % _PORTS
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


@dataclass(frozen=True, slots=True)
class Hook:
    """A listener that is to come: its port, where the suite will listen."""

    port: int = field(default_factory=_port)

    def section(self) -> dict[str, Any]:
        """The section ``notifications`` of the configuration file."""
        endpoint = {
            "name": "suite",
            "url": f"http://127.0.0.1:{self.port}/events",
            "headers": {FIELD[0]: [FIELD[1]]},
            "timeout": "500ms",
            "threshold": 5,
            "backoff": "100ms",
        }
        return {"notifications": {"endpoints": [endpoint]}}

    @property
    def options(self) -> tuple[str, ...]:
        """What the suite is told."""
        return ("--notifications-listen", f"127.0.0.1:{self.port}", "--notifications-header", ": ".join(FIELD))
