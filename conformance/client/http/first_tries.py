"""How often the first of two tries fails: connections die seldom, and a broken target may break each first answer."""

from __future__ import annotations

from collections import Counter

#: So many failures of one operation, and so great a part of its requests, are no chance.
_LEAST, _PART = 5, 0.2
#: Where connections die under other operations as well, in more than this part of their requests, they just die.
_ELSEWHERE = 0.05


class FirstTries:
    """Counts the requests of one client by operation, and those whose first try failed."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def count(self, operation: str, *, failed: bool) -> None:
        """Count a first try."""
        self._asked[operation] += 1
        self._failed[operation] += failed

    def fail_often(self, operation: str, *, lived: bool = False) -> bool:
        """Whether a first try that failed, unlike the second, is one of too many to be the fault of a connection.

        ``lived`` tells that the answer had begun, so that the connection did not die before it.
        """
        asked, failed = self._asked[operation], self._failed[operation]
        if failed < _LEAST or failed < _PART * asked:
            return False
        others = self._asked.total() - asked, self._failed.total() - failed
        return lived or others[1] <= _ELSEWHERE * others[0]
