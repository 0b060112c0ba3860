"""How many users there are when: steps of one length, each with twice the users of the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Seconds that a step has at least; a shorter one shows nothing.
_LEAST = 2.0
#: Steps at most.
_MOST = 10


@dataclass(frozen=True, slots=True)
class Steps:
    """The users of each step, and the seconds that each step lasts."""

    users: tuple[int, ...]
    each: float

    @property
    def seconds(self) -> float:
        """Seconds of all steps."""
        return self.each * len(self.users)

    def at(self, seconds: float) -> int:
        """Return the number of the step that is under way so long after the start; the last one at the end."""
        return max(0, min(int(seconds / self.each), len(self.users) - 1))


def of(users: int, seconds: float) -> Steps:
    """Return the steps that end with so many users and take so many seconds."""
    counts = [users]
    while counts[0] > 1 and len(counts) < min(_MOST, int(seconds / _LEAST)):
        counts.insert(0, math.ceil(counts[0] / 2))
    return Steps(tuple(counts), seconds / len(counts))
