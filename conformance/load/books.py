"""What a load found: latencies by operation and step, breaches with their number, and what had no answer.

Each process has books of its own; they are plain data on their way to the process that makes the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.load.figures import Latencies

Judgement = dict[str, Any]


class Books:
    """Counts of one process, or of all after `take`."""

    def __init__(self) -> None:
        self._latencies: dict[tuple[str, int], Latencies] = {}
        self.exercised: set[str] = set()
        #: By requirement, how often it was broken, and the first judgement of it.
        self.times: Counter[str] = Counter()
        self.judgements: dict[str, Judgement] = {}
        #: Requests that nobody is blamed for, by operation and reason; refusals of whole deeds by status.
        self.unanswered: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[str] = Counter()
        #: What departs from the document where no requirement stands.
        self.unbooked: Counter[str] = Counter()
        self.deeds: Counter[str] = Counter()
        self.sent = self.received = 0
        self.contract_seconds = 0.0
        #: Errors of our own, by their text.
        self.errors: Counter[str] = Counter()

    # -- what is counted

    def answered(self, operation: str, step: int, milliseconds: float, sent: int, received: int) -> None:
        """Count a request that was answered, and the bytes of its body and of the answer's."""
        self._latencies.setdefault((operation, step), Latencies()).add(milliseconds)
        self.sent += sent
        self.received += received

    def breach(self, requirement: str, judgement: Callable[[], Judgement]) -> None:
        """Count a breach; the judgement is made for the first of a requirement alone."""
        self.times[requirement] += 1
        if requirement not in self.judgements:
            self.judgements[requirement] = judgement()

    # -- from process to process

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "latencies": [[name, step, found.plain()] for (name, step), found in self._latencies.items()],
            "exercised": sorted(self.exercised),
            "times": dict(self.times),
            "judgements": self.judgements,
            "unanswered": [[*key, count] for key, count in self.unanswered.items()],
            "refused": dict(self.refused),
            "unbooked": dict(self.unbooked),
            "deeds": dict(self.deeds),
            "sent": self.sent,
            "received": self.received,
            "contract_seconds": self.contract_seconds,
            "errors": dict(self.errors),
        }

    def take(self, plain: Mapping[str, Any]) -> None:
        """Add what `plain` of another process gave."""
        for name, step, times in plain["latencies"]:
            self._latencies.setdefault((name, step), Latencies()).take(Latencies.of(times))
        self.exercised |= set(plain["exercised"])
        self.times.update(plain["times"])
        for requirement, judgement in plain["judgements"].items():
            self.judgements.setdefault(requirement, judgement)
        self.unanswered.update({(operation, reason): count for operation, reason, count in plain["unanswered"]})
        self.refused.update(plain["refused"])
        self.unbooked.update(plain["unbooked"])
        self.deeds.update(plain["deeds"])
        self.sent += plain["sent"]
        self.received += plain["received"]
        self.contract_seconds += plain["contract_seconds"]
        self.errors.update(plain["errors"])

    # -- what is shown

    @property
    def requests(self) -> int:
        """How many requests were answered or not."""
        return sum(map(len, self._latencies.values())) + sum(self.unanswered.values())

    def operations(self) -> Iterable[tuple[str, Latencies]]:
        """Give the latencies by operation, over all steps."""
        for name in sorted({name for name, _ in self._latencies}):
            yield name, self._together(lambda key, name=name: key[0] == name)  # type: ignore[misc]  # bound by default

    def step(self, number: int) -> Latencies:
        """Return the latencies of one step, over all operations."""
        return self._together(lambda key: key[1] == number)

    def _together(self, chosen: Callable[[tuple[str, int]], bool]) -> Latencies:
        whole = Latencies()
        for key, found in self._latencies.items():
            if chosen(key):
                whole.take(found)
        return whole
