"""Notifications that survive the registry: what it acknowledged is told, after its death as well."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from reference.notifications.events import Event, Events
from reference.notifications.journal import Journal, folder_of
from reference.notifications.publisher import Notifications
from reference.notifications.sender import Sender
from reference.settings import Endpoint
from reference.storage.files import RootLock
from reference.storage.sync import Syncer

log = logging.getLogger("reference")
#: Events that may wait for an endpoint; later ones are lost, lest they fill the disk.
PENDING = 100_000


class DurableSender(Sender):
    """A sender whose queue is in files."""

    def __init__(self, endpoint: Endpoint, journal: Journal) -> None:
        super().__init__(endpoint)
        self._journal = journal
        if journal.pending:
            log.info("endpoint %s: %d events wait from before", endpoint.name, journal.pending)

    def put(self, event: Event) -> None:
        """Keep an event; raises OSError where that fails."""
        with self._changed:
            self.events += 1
            if self._journal.pending >= PENDING:
                self._lose()
                return
            self._journal.append(event)
            self._changed.notify()

    def _lose(self) -> None:
        if not self.lost:
            log.error("endpoint %s: %d events wait; what comes now is lost", self.endpoint.name, PENDING)
        self.lost += 1

    @property
    def pending(self) -> int:
        """How many events wait."""
        return self._journal.pending

    def next(self) -> list[Event]:
        """Wait for the next event; nothing when the sender is to end."""
        with self._changed:
            while not self._over():
                event = self._journal.next()
                if event is not None:
                    return [event]
                if self._end is not None:
                    break
                self._changed.wait()
            return []

    def waiting(self) -> bool:
        """Whether there is one."""
        return self._journal.unread()

    def delivered(self) -> None:
        """Note how far it came; where that fails, something is sent again after the next start."""
        with self._changed:
            try:
                self._journal.advance()
            except OSError as error:
                log.error("endpoint %s: %s", self.endpoint.name, error)

    def close(self, grace: float) -> None:
        """Send what waits for at most some seconds more, then end; the rest waits for the next start."""
        self.end(grace)
        with self._changed:
            if self.pending:
                log.info("endpoint %s: %d events wait for the next start", self.endpoint.name, self.pending)
            if not self._thread.is_alive():
                self._journal.close()


class DurableNotifications(Notifications):
    """Notifications with a queue below a folder, which belongs to one process."""

    durable = True

    def __init__(self, endpoints: Iterable[Endpoint], events: Events, folder: Path, mode: str) -> None:
        given = list(endpoints)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = RootLock(folder)
        self._syncer = Syncer(mode)
        super().__init__([], events)
        for endpoint in given:
            if not endpoint.disabled:
                journal = Journal(folder / folder_of(endpoint.name), self._syncer)
                self.senders.append(DurableSender(endpoint, journal))
        known = {folder_of(endpoint.name) for endpoint in given}
        for left in sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name not in known):
            log.warning("%s: events of an endpoint that is no longer configured", folder / left)

    async def synced(self) -> None:
        """Wait for the disk, where the mode is to wait."""
        await self._syncer.wait()

    def flush(self) -> None:
        """Bring what was kept to the disk."""
        self._syncer.flush()

    def close(self) -> None:
        """End, and leave the folder to others."""
        super().close()
        self._syncer.flush()
        self._lock.release()
