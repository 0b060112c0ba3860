"""A limit on the whole of an answer: the time-out of a socket starts anew with each byte that drips in."""

from __future__ import annotations

import heapq
import itertools
import os
import socket
import threading
import time
from contextlib import suppress


class Limit:
    """A moment after which a socket is shut down, unless it is lifted before; ``passed`` tells that it was."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock: socket.socket | None = sock
        self.passed = False

    def lift(self) -> None:
        """Let the socket be."""
        self._sock = None

    def strike(self) -> None:
        """Shut the socket down: whoever waits for it wakes up with nothing."""
        sock = self._sock
        if sock is not None:
            self.passed = True
            with suppress(OSError):
                # Not the method of a TLS socket, which would take its state away under the one who reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Watchdog:
    """One thread that keeps all limits of a process; it is started by the first."""

    def __init__(self) -> None:
        self._limits: list[tuple[float, int, Limit]] = []
        self._number = itertools.count()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None

    def limit(self, sock: socket.socket, seconds: float) -> Limit:
        """Return a new limit for a socket."""
        made = Limit(sock)
        with self._wake:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            due = time.monotonic() + seconds
            heapq.heappush(self._limits, (due, next(self._number), made))
            if self._limits[0][2] is made:
                self._wake.notify()
        return made

    def _watch(self) -> None:
        with self._wake:
            while True:
                now = time.monotonic()
                while self._limits and self._limits[0][0] <= now:
                    heapq.heappop(self._limits)[2].strike()
                self._wake.wait(self._limits[0][0] - now if self._limits else None)


WATCHDOG = Watchdog()
# A forked process has none of the threads, and its locks may have been theirs.
os.register_at_fork(after_in_child=WATCHDOG.__init__)  # type: ignore[misc]  # made anew on purpose
