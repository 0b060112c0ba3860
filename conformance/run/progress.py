"""How far a run is: which scenarios tell most, how many requests they take, and when the end will be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from conformance.verdict.rollup import CONDITIONS, SEARCH
from spec.catalogue import Catalogue
from spec.model import Level

#: Requests of one scenario on average, by where it is and by effort (measured on the reference).
_OTHER = 5.7
_ROWS = {"quick": 40.0, "default": 174.0, "thorough": 400.0}
_SEARCH = {"quick": 4.0, "default": 4.0, "thorough": 700.0}
#: What a run removes in the end, as a part of that.
_REMOVED = 0.26
_LEVELS = (Level.MUST, Level.SHOULD, Level.MAY)
#: Seconds of a request beside its round trip, and seconds between two lines where there is no terminal.
_WORK = 0.002
EACH = 10.0


def requirements(item: pytest.Item) -> list[str]:
    """Return the ids of the requirements that a scenario decides."""
    return [str(name) for mark in item.iter_markers("verifies") for name in mark.args]


def requests(item: pytest.Item, effort: str) -> float:
    """Return how many requests a scenario takes, as far as that is known before."""
    node = item.nodeid
    if CONDITIONS in node:
        return _ROWS[effort]
    return _SEARCH[effort] if SEARCH in node else _OTHER


def rank(catalogue: Catalogue, profile: str, item: pytest.Item) -> tuple[int, float]:
    """Return where a scenario stands in an order by what it tells: MUST before SHOULD, and cheap before dear."""
    levels = [catalogue.requirement(name).levels.get(profile) for name in requirements(item)]
    best = min((_LEVELS.index(level) for level in levels if level is not None), default=len(_LEVELS))
    # The dear ones come last, whatever they decide: what they look at was decided by others before.
    dear = requests(item, "default")
    return (best if dear <= _OTHER else len(_LEVELS) + 1, dear)


def duration(seconds: float) -> str:
    """Return a time in words, as exact as an estimate is."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 10 else f"{minutes} min"


class Progress:
    """What was decided and found so far, and when the end will be."""

    def __init__(self, items: Sequence[pytest.Item], effort: str) -> None:
        self._cost = {item.nodeid: requests(item, effort) for item in items}
        #: Requests that the whole run is expected to take.
        self.requests = sum(self._cost.values())
        self._wanted = {name for item in items for name in requirements(item)}
        self._decided: set[str] = set()
        self._broken: set[str] = set()
        self._done = 0.0
        self._started = time.monotonic()
        self._told = self._started

    def add(self, node: str, record: dict[str, Any]) -> None:
        """Take what a scenario found."""
        self._done += self._cost.get(node, 0.0)
        for judgement in record["judgements"]:
            self._decided.add(judgement["requirement"])
            if judgement["outcome"] == "broken":
                self._broken.add(judgement["requirement"])

    def expected(self, rate: float, round_trip: float, processes: int, most: float) -> str:
        """Say how long the run will take: ``rate`` requests a second, 0 without a limit; ``most`` is its time."""
        count = self.requests * (1 + _REMOVED)
        seconds = count * (round_trip + _WORK) / max(1, processes)
        told = ""
        if rate:
            seconds, told = max(seconds, count / rate), f" at {rate:.3g} a second"
        text = f"About {round(count, -1 if count > 100 else 0):,.0f} requests{told}, "
        text += f"some {duration(seconds)}"
        if seconds > most:
            text += f"; --max-time ends it after {duration(most)}, the most telling requirements first"
        return text

    def line(self) -> str:
        """Return one line on the progress: decided, found, and the time that is left."""
        text = f"{len(self._decided)} of {len(self._wanted)} requirements, {len(self._broken)} with findings"
        elapsed = time.monotonic() - self._started
        if self._done > 0.02 * self.requests:
            left = elapsed * (self.requests - self._done) / self._done
            text += f", about {duration(left)} left" if left > 1 else ""
        return text

    def due(self) -> bool:
        """Return whether it is time for another line where there is no terminal."""
        now = time.monotonic()
        if now - self._told < EACH:
            return False
        self._told = now
        return True
