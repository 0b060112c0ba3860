"""What came to the listener, and what scenarios want it to answer."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

#: The address of a local socket, as a path or as host and port, and the key to it.
Way = tuple[str | tuple[str, int], bytes]
#: Bounds of what is kept: deliveries, and bytes of all of them. The oldest are forgotten first.
KEPT = 50_000
KEPT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """How to answer a delivery: a status after ``hold`` seconds; 0 closes the connection."""

    status: int = 200
    hold: float = 0.0


@dataclass(slots=True)
class Delivery:
    """One request to the listener, in monotonic time; ``answered`` is 0 before the answer.

    ``body`` is what was received, and not ``whole`` where that was too long, or broke off.
    """

    number: int
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool
    arrived: float
    reply: Reply
    answered: float = 0.0

    def header(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a look: fitting deliveries, the last number, how many came and were dropped."""

    deliveries: list[Delivery]
    last: int
    forgotten: int


class Mailbox(Protocol):
    """What scenarios have of the listener, in whichever process they run."""

    def look(self, markers: tuple[bytes, ...], after: int = 0, wait: float = 0.0) -> Look:
        """Return the deliveries after a number that contain a marker; wait for the first."""

    def script(self, marker: bytes, replies: tuple[Reply, ...]) -> None:
        """Answer the next deliveries that mention a marker in this way, later ones as usual."""

    def give_up(self) -> None:
        """Note that somebody waited in vain, and nothing had ever come."""

    def gave_up(self) -> bool:
        """Return whether somebody did."""


class Door(Protocol):
    """Lets other processes of the run look into a mailbox."""

    @property
    def way(self) -> Way:
        """The address and the key that they need."""

    def close(self) -> None:
        """Let no other process in any more."""


class LocalMailbox:
    """The mailbox in the process of the listener; safe for many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deliveries: deque[Delivery] = deque()
        self._bytes = 0
        self._last = 0
        self._forgotten = 0
        self._scripts: dict[bytes, list[Reply]] = {}
        #: What lets other processes of the run in, once one is there.
        self.door: Door | None = None
        self._gave_up = False

    def give_up(self) -> None:
        """Note that somebody waited in vain, and nothing had ever come."""
        self._gave_up = True

    def gave_up(self) -> bool:
        """Return whether somebody did."""
        return self._gave_up

    def close(self) -> None:
        """Let no other process in any more."""
        if self.door is not None:
            self.door.close()

    def take(self, method: str, headers: tuple[tuple[str, str], ...], body: bytes, whole: bool) -> Delivery:
        """Keep a delivery and say how to answer it."""
        with self._changed:
            self._last += 1
            reply = self._reply(body)
            delivery = Delivery(self._last, method, headers, body, whole, time.monotonic(), reply)
            self._deliveries.append(delivery)
            self._bytes += len(body)
            while len(self._deliveries) > KEPT or self._bytes > KEPT_BYTES:
                self._bytes -= len(self._deliveries.popleft().body)
                self._forgotten += 1
            self._changed.notify_all()
        return delivery

    def _reply(self, body: bytes) -> Reply:
        for marker, replies in self._scripts.items():
            if replies and marker in body:
                return replies.pop(0)
        return Reply()

    def answered(self, delivery: Delivery) -> None:
        """Note that a delivery is about to be answered."""
        with self._changed:
            delivery.answered = time.monotonic()
            self._changed.notify_all()

    def look(self, markers: tuple[bytes, ...], after: int = 0, wait: float = 0.0) -> Look:
        """Return the deliveries after a number that contain a marker; wait for the first."""
        end = time.monotonic() + wait
        seen, found = after, list[Delivery]()
        with self._changed:
            while True:
                for delivery in reversed(self._deliveries):
                    if delivery.number <= seen:
                        break
                    if any(marker in delivery.body for marker in markers):
                        found.append(dataclasses.replace(delivery))
                found.sort(key=lambda delivery: delivery.number)
                seen = self._last
                if found or not self._later(seen, end):
                    return Look(found, seen, self._forgotten)

    def _later(self, number: int, end: float) -> bool:
        return self._changed.wait_for(lambda: self._last > number, end - time.monotonic())

    def script(self, marker: bytes, replies: tuple[Reply, ...]) -> None:
        """Answer the next deliveries that mention a marker in this way, later ones as usual."""
        with self._changed:
            self._scripts[marker] = list(replies)
