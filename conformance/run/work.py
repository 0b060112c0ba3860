"""The scenarios of a run as the work of a crew.

A module whose scenarios are long ones may have a function ``prepare``, which does once what they all need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conformance.run import crew
from conformance.target.board import Board
from conformance.target.session import Session

#: Milliseconds of a process between two requests, in which it works.
_BETWEEN_MS = 10.0


def processes(config: pytest.Config, session: Session, count: int) -> int:
    """Return how many processes run so many scenarios beside this one; 0 where this one runs them."""
    possible = crew.size(config, session.round_trip_ms)
    size = min(1 if session.throttled else possible, count)
    if rate := session.transport.pace.rate:
        # As many as it takes to send at that pace.
        size = min(size, math.ceil(rate * (session.round_trip_ms + _BETWEEN_MS) / 1000))
    # One alone is of use where it is slow: this one tells of the progress meanwhile.
    return size if possible > 1 and (size > 1 or session.settings.telling_first) else 0


class Scenarios:
    """The scenarios of a run as the work of a crew."""

    def __init__(
        self,
        items: Sequence[pytest.Item],
        session: Session,
        lost: Callable[[Session, pytest.Item], pytest.TestReport],
        *,
        in_order: bool = False,
    ) -> None:
        self._items = items
        self._session = session
        self._lost = lost
        # What is prepared runs beside the rest, unless the order of all matters: then each prepares itself.
        self.later = [number for number, item in enumerate(items) if not in_order and _preparation(item)]

    def prepare(self) -> None:
        """Prepare each module."""
        for function in dict.fromkeys(_preparation(self._items[number]) for number in self.later):
            function(self._session)

    def begin(self, board: Board) -> None:
        """Have connections of one's own, and ask others what they found out."""
        self._session.forked()
        self._session.board = board

    def give(self) -> list[bytes]:
        """Return what the journal could not write."""
        return self._session.registry.journal.give()

    def take(self, given: list[bytes]) -> None:
        """Keep what a journal could not write."""
        self._session.registry.journal.take(given)

    def lost(self, item: pytest.Item) -> pytest.TestReport:
        """Return the report of a scenario whose process was lost."""
        return self._lost(self._session, item)


def _preparation(item: pytest.Item) -> Any:
    return getattr(getattr(item, "module", None), "prepare", None)
