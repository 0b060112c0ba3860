"""The one way to wait for a target that takes a while until a write shows: to ask again, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

from conformance.client.http.exchange import Response

#: Seconds between two looks: the first pause, and the longest.
_FIRST = 0.05
_LONGEST = 0.4


def poll(seconds: float, there: Callable[[], bool]) -> bool:
    """Return whether a condition holds, at once or within some seconds; pauses grow."""
    end = time.monotonic() + seconds
    pause = _FIRST
    while not there():
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST)
    return True


def ask_until(seconds: float, ask: Callable[[], Response], fits: Callable[[Response], bool]) -> Response:
    """Ask until an answer fits, for some seconds at most; return the last answer."""
    answers: list[Response] = []

    def there() -> bool:
        answers.append(ask())
        return fits(answers[-1])

    poll(seconds, there)
    return answers[-1]


class Settling:
    """What was accepted and may not show yet: each piece of content is waited for once, from its push on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[tuple[str, str], float] = {}

    def pushed(self, name: str, *references: str) -> None:
        """Remember that content was accepted under references of a repository."""
        if self._seconds:
            end = time.monotonic() + self._seconds
            self._until.update({(name, reference): end for reference in references})

    def deleted(self, name: str, reference: str) -> None:
        """Forget it: a 404 is right from now on."""
        self._until.pop((name, reference), None)

    def left(self, name: str, reference: str) -> float:
        """Return the seconds for which a 404 may still be early; none for what is lost or was never pushed."""
        return max(0.0, self._until.get((name, reference), 0.0) - time.monotonic())
