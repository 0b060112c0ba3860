"""Latencies, their percentiles, and the number of users at which they grow."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

#: Requests without which the percentiles of a step say nothing.
LEAST = 20
#: How many times the p99 of fewer users makes a knee.
_TWICE = 2.0
#: Digits that are kept of a latency.
_DIGITS = 2


class Latencies:
    """Times in milliseconds, rounded to two digits, so that any number of them takes little room."""

    def __init__(self, times: Mapping[float, int] | None = None) -> None:
        self._times = Counter(times or {})

    def add(self, milliseconds: float) -> None:
        """Count one."""
        self._times[_rounded(milliseconds)] += 1

    def take(self, other: Latencies) -> None:
        """Count those of another process."""
        self._times.update(other._times)

    def __len__(self) -> int:
        return sum(self._times.values())

    def percentile(self, part: float) -> float:
        """Return the time that so large a part does not exceed; 0 where there is none."""
        left = math.ceil(len(self) * part)
        for milliseconds in sorted(self._times):
            left -= self._times[milliseconds]
            if left <= 0:
                return milliseconds
        return 0.0

    def plain(self) -> list[list[float]]:
        """Return pairs of a time and how often it came."""
        return [[milliseconds, count] for milliseconds, count in sorted(self._times.items())]

    @classmethod
    def of(cls, plain: Sequence[Sequence[float]]) -> Latencies:
        """Return what `plain` gave."""
        return cls({milliseconds: int(count) for milliseconds, count in plain})

    def shown(self) -> dict[str, float]:
        """Return the percentiles as a report has them, in milliseconds."""
        return {
            "p50_ms": self.percentile(0.5),
            "p95_ms": self.percentile(0.95),
            "p99_ms": self.percentile(0.99),
            "max_ms": self.percentile(1.0),
        }


def _rounded(milliseconds: float) -> float:
    if milliseconds <= 0:
        return 0.0
    return round(milliseconds, _DIGITS - 1 - math.floor(math.log10(milliseconds)))


def knee(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the first step whose p99 is at least twice the least of the steps with fewer users; else nothing.

    Args:
        steps: each with ``users``, ``requests`` and ``p99_ms``; those with few requests are passed over.
    """
    before: Mapping[str, Any] | None = None
    for step in steps:
        if step["requests"] < LEAST:
            continue
        if before is not None and step["p99_ms"] >= _TWICE * before["p99_ms"] > 0:
            shown = {"users": before["users"], "p99_ms": before["p99_ms"]}
            return {"users": step["users"], "p99_ms": step["p99_ms"], "before": shown}
        if before is None or step["p99_ms"] < before["p99_ms"]:
            before = step
    return None
