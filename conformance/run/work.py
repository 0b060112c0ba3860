"""The scenarios of a run as the work of a crew.

A module whose scenarios are long ones may have a function ``prepare``, which does once what they all need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conformance.target.board import Board
from conformance.target.session import Session


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
