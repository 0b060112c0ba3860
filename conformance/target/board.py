"""What scenarios found out about the target at some length, for others that come upon the same."""

from __future__ import annotations

from typing import Any

#: What was looked into.
Name = tuple[str, ...]


class Board:
    """Knows what was found out in this process."""

    def __init__(self) -> None:
        self._known: dict[Name, Any] = {}

    def ask(self, name: Name) -> Any:
        """Return what was found out, ``None`` where the one who asks has to look into it."""
        return self._known.get(name)

    def tell(self, name: Name, found: object) -> None:
        """Keep what was found out; the first to do so is believed."""
        self._known.setdefault(name, found)
