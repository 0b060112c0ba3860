"""The queue of one endpoint: one notification at a time, in order, until it is delivered."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections import Counter, deque

from reference.notifications.events import MEDIA_TYPE, Event, envelope
from reference.notifications.post import Poster
from reference.settings import Endpoint

log = logging.getLogger("reference")
#: Events that may wait for an endpoint that does not answer; later ones are lost.
PENDING = 10_000
_DELIVERED = range(200, 400)


class Sender:
    """Sends to an endpoint from a thread of its own; requests only put events into the queue."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        #: How many attempts failed in a row.
        self.failures = 0
        self.lost = 0
        #: Events that came, and what became of attempts: delivered, answered otherwise (by status), not answered.
        self.events = 0
        self.successes = 0
        self.refusals = 0
        self.errors = 0
        self.statuses: Counter[int] = Counter()
        self._queue: deque[Event] = deque()
        self._sending = 0
        self._changed = threading.Condition()
        self._end: float | None = None
        self._poster = Poster(endpoint.url, endpoint.headers, endpoint.timeout)
        self._thread = threading.Thread(target=self._run, name=f"notifications to {endpoint.name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, event: Event) -> None:
        """Queue an event; where too many wait already it is lost."""
        with self._changed:
            self.events += 1
            if len(self._queue) >= PENDING:
                self.lost += 1
                return
            self._queue.append(event)
            self._changed.notify()

    def close(self, grace: float) -> None:
        """Send what waits for at most some seconds more, then end; what is left is lost."""
        self.end(grace)
        self.lost += len(self._queue) + self._sending
        if self.lost:
            log.warning("endpoint %s: %d events were not delivered", self.endpoint.name, self.lost)

    def end(self, grace: float) -> None:
        """Send what waits for at most some seconds more."""
        with self._changed:
            self._end = time.monotonic() + grace
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(grace)

    def _run(self) -> None:
        while events := self.next():
            self._sending = len(events)
            if not self.deliver(events):
                break
            self._sending = 0
            self.delivered()
        self._poster.close()

    def delivered(self) -> None:
        """What was read of the queue is delivered."""

    def next(self) -> list[Event]:
        """Wait for what goes into the next envelope: one event; nothing when the sender is to end."""
        with self._changed:
            while not self._queue:
                if self._end is not None:
                    return []
                self._changed.wait()
            return [] if self._over() else [self._queue.popleft()]

    @property
    def pending(self) -> int:
        """How many events wait, one that is on its way included."""
        return len(self._queue) + self._sending

    def waiting(self) -> bool:
        """Whether an event waits."""
        return bool(self._queue)

    def deliver(self, events: list[Event]) -> bool:
        """Post until it succeeds, or the sender is to end."""
        while not self.attempt(events):
            self.failures += 1
            if not self.wait():
                return False
        self.failures = 0
        return True

    def wait(self) -> bool:
        """Pause ``backoff`` where ``threshold`` attempts in a row have failed; False where the sender is to end."""
        if self._end is None and self.failures >= self.endpoint.threshold:
            log.warning("endpoint %s: %d failures, backing off", self.endpoint.name, self.failures)
            with self._changed:
                self._changed.wait_for(lambda: self._end is not None, self.endpoint.backoff)
        return self._end is None

    def attempt(self, events: list[Event]) -> bool:
        """Post once; whether it was delivered."""
        try:
            status = self.post(envelope(events))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.errors += 1
            log.warning("endpoint %s: %s", self.endpoint.name, type(error).__name__)
            return False
        self.statuses[status] += 1
        if status not in _DELIVERED:
            self.refusals += 1
            log.warning("endpoint %s: status %d", self.endpoint.name, status)
            return False
        self.successes += 1
        return True

    def post(self, body: bytes, media_type: str = MEDIA_TYPE) -> int:
        """The status of one POST."""
        return self._poster.post(body, media_type)

    def _over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
