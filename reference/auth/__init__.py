"""Who may use the registry: an authenticator looks at each request and refuses it with a challenge."""

from __future__ import annotations

from typing import Protocol

from reference.messages import Request


class Authenticator(Protocol):
    """What the application asks before it answers."""

    async def check(self, request: Request) -> None:
        """Raise ``unauthorized`` where the request may not be answered."""
