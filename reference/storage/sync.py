"""Files and folders are on the disk before anybody is told so; requests that wait at the same time share the work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

#: Before each answer to a write; every so often; when the system gets round to it.
MODES = ALWAYS, INTERVAL, NEVER = ("always", "interval", "never")


def sync(paths: Iterable[Path]) -> None:
    """Wait until files and folders are on the disk, as far as they are still there.

    Raises:
        OSError: the disk failed; what was written may be lost.
    """
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)


class Syncer:
    """Knows what changed, and brings it to the disk."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._changed: set[Path] = set()
        self._guard = threading.Lock()
        self._next: asyncio.Future[None] | None = None
        self._working: asyncio.Task[None] | None = None

    def note(self, *paths: Path) -> None:
        """Tell that files or folders changed."""
        if self.mode != NEVER:
            with self._guard:
                self._changed.update(paths)

    def flush(self) -> None:
        """Bring everything to the disk that changed until now."""
        with self._guard:
            changed, self._changed = self._changed, set()
        sync(changed)

    async def wait(self) -> None:
        """Wait until everything that changed until now is on the disk, where that is wanted before an answer.

        Raises:
            OSError: the disk failed.
        """
        if self.mode != ALWAYS or not (self._changed or self._working):
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        mine = self._next
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        await asyncio.shield(mine)

    async def _work(self) -> None:
        """One round after another, for all who came while the one before was on its way."""
        try:
            while self._next is not None:
                waited, self._next = self._next, None
                try:
                    await asyncio.to_thread(self.flush)
                except OSError as error:
                    waited.set_exception(error)
                else:
                    waited.set_result(None)
        finally:
            self._working = None
