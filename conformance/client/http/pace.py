"""How fast requests are sent: as fast as the owner allows with ``--rate``, and as the target asks for.

All processes that are forked from one, and all their threads, share one pace.
"""

from __future__ import annotations

import email.utils
import mmap
import re
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from conformance.client.http.exchange import Response

#: Seconds that a target may have the whole run wait, and those of a budget that requests are spread over.
_LONGEST, _WINDOW = 15.0, 60.0
#: The moment of the next request, seconds between two by the owner, by what was answered 429, and by a budget that is
#: announced; until when that counts; and how many were sent since the target made us wait, which is 0 before.
_STATE = struct.Struct("dddddQd")
_NEXT, _OWNER, _LEARNED, _ADVISED, _UNTIL, _SENT, _SINCE = range(7)
#: More requests than these between two waits show what a target allows; with each, a little more is tried.
_TELLING, _DECAY = 5, 0.99
#: A budget as most send it, and as one structured field: ``limit=20, remaining=3, reset=1`` or ``"default";r=3;t=1``.
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_FIELD = re.compile(r"\b(?:r|remaining)\s*=\s*(\d{1,12}).*?\b(?:t|reset)\s*=\s*(\d{1,12})")
_NUMBER = re.compile(r"\s*(\d{1,12})")
#: Seconds after which a lock was held by a process that is no more.
_LOST = 2.0
#: A number of seconds above this is a moment.
_MOMENT = 100_000_000


class _Lock(Protocol):
    def acquire(self, *, timeout: float) -> bool:
        """Wait for it."""

    def release(self) -> None:
        """Let others have it."""


class Pace:
    """When the next request may be sent; costs nothing where nobody asks for a pace."""

    def __init__(self, rate: float = 0.0) -> None:
        self._memory = mmap.mmap(-1, _STATE.size)
        self._lock = _lock()
        #: Whoever had the lock was killed: it is not waited for again.
        self._lost = False
        if rate:
            self._write(_OWNER, 1 / rate)

    @property
    def rate(self) -> float:
        """Requests a second, as far as that is known to be limited; else 0."""
        state = self._read()
        interval = max(state[_OWNER], state[_LEARNED])
        return 1 / interval if interval else 0.0

    def wait(self, until: float) -> None:
        """Wait for one's turn, but not beyond a moment of the monotonic clock."""
        with self._alone():
            state = self._read()
            now = time.monotonic()
            advised = state[_ADVISED] if now < state[_UNTIL] else 0.0
            at = max(now, state[_NEXT])
            state[_NEXT] = at + max(state[_OWNER], state[_LEARNED], advised)
            state[_SENT] = int(state[_SENT]) + 1
            state[_LEARNED] *= _DECAY
            self._memory[:] = _STATE.pack(*state)
        if (pause := min(at, until) - now) > 0:
            time.sleep(pause)

    def heard(self, response: Response) -> None:
        """Learn from an answer: a 429 that says when to come again, and a budget that is announced."""
        names = response.headers.names() if response.status else ()
        budget = _budget(response) if any("rate" in name and "limit" in name for name in names) else None
        now = time.monotonic()
        if response.status == 429:  # Too Many Requests
            pause = retry_after(response)
            if pause is None and budget is not None:
                pause = budget[1]
            if pause is not None and pause <= _LONGEST:
                self._hold(now, pause)
        elif budget is not None and 0 < budget[1] <= _WINDOW:
            remaining, reset = budget
            with self._alone():
                if not remaining and reset <= _LONGEST:
                    self._write(_NEXT, max(self._read()[_NEXT], now + reset))
                elif remaining:
                    self._write(_ADVISED, reset / remaining)
                    self._write(_UNTIL, now + reset)

    def _hold(self, now: float, pause: float) -> None:
        """Have all wait, and go on as fast as what was sent since the last time shows to be allowed."""
        with self._alone():
            state = self._read()
            if state[_NEXT] < now + pause:
                # One wait alone may have come of anything.
                if state[_SINCE] and state[_SENT] > _TELLING:
                    state[_LEARNED] = max(state[_LEARNED], min(1.0, (now + pause - state[_SINCE]) / state[_SENT]))
                state[_NEXT], state[_SENT], state[_SINCE] = now + pause, 0, now + pause
                self._memory[:] = _STATE.pack(*state)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Exclude all others; but none that was killed in its middle, which takes a moment."""
        got = not self._lost and self._lock.acquire(timeout=_LOST)
        self._lost = not got
        try:
            yield
        finally:
            if got:
                self._lock.release()

    def _read(self) -> list[float]:
        return list(_STATE.unpack(self._memory[:]))

    def _write(self, member: int, value: float) -> None:
        state = self._read()
        state[member] = value
        state[_SENT] = int(state[_SENT])
        self._memory[:] = _STATE.pack(*state)


def _lock() -> _Lock:
    """Return a lock for all processes; where the system has none, one for the threads of each."""
    try:
        import multiprocessing  # noqa: PLC0415  # only where its semaphores are there

        return cast(_Lock, multiprocessing.Lock())
    except (ImportError, OSError):
        return cast(_Lock, threading.Lock())


def _budget(response: Response) -> tuple[int, float] | None:
    """Return how many requests are left, and the seconds until there are more; nothing where that is not legible."""
    remaining, reset = (_first(response, names) for names in (_REMAINING, _RESET))
    if remaining is None or reset is None:
        found = _FIELD.search(response.header("RateLimit") or "")
        if found is None:
            return None
        remaining, reset = int(found[1]), int(found[2])
    return remaining, max(0.0, reset - time.time()) if reset > _MOMENT else float(reset)


def _first(response: Response, names: tuple[str, ...]) -> int | None:
    for name in names:
        if (found := _NUMBER.match(response.header(name) or "")) is not None:
            return int(found[1])
    return None


def retry_after(response: Response) -> float | None:
    """Return the seconds that a 429 or 503 asks to wait, or ``None`` where it asks for nothing legible."""
    if response.status not in {429, 503}:
        return None
    value = (response.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:  # more digits than any sane wait
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return max(0.0, moment - time.time())
