"""What the processes of one registry tell each other: whose turn it is to change a directory, and what changed.

The memory is made before the processes part, and all of them have it. The lock is that of the system on a file, which
ends with whoever has it.
"""

from __future__ import annotations

import asyncio
import fcntl
import mmap
import os
import threading
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType

from reference.storage.turn import LONGEST, Busy, Turn

#: Numbers by the hash of a name; names that share one are read again once too often, or wait a little less.
_SLOTS = 4096
_EPOCH, _AILING, _FIRST = 0, 1, 2
#: Seconds between two looks at whether a session is free, and at whether another process waits for it.
_PAUSE, _LOOK = 0.02, 1.0


def _slot(name: str) -> int:
    return zlib.crc32(name.encode()) % _SLOTS


class Shared:
    """Memory that several processes have: how often lists changed, who waits for a session, and the health."""

    def __init__(self) -> None:
        view = memoryview(mmap.mmap(-1, (_FIRST + 2 * _SLOTS) * 8))
        self._counts = view[: (_FIRST + _SLOTS) * 8].cast("Q")
        self._until = view[(_FIRST + _SLOTS) * 8 :].cast("d")

    def state(self, name: str) -> tuple[int, int]:
        """What is another one after each change of a list, and after the death of a process."""
        return self._counts[_EPOCH], self._counts[_FIRST + _slot(name)]

    def changed(self, name: str) -> tuple[int, int]:
        """Tell that a list changed; only for whoever has the lock of the directory."""
        self._counts[_FIRST + _slot(name)] += 1
        return self.state(name)

    def died(self) -> None:
        """Tell that a process died, perhaps between a change and the telling of it."""
        self._counts[_EPOCH] += 1

    @property
    def ailing(self) -> bool:
        """Whether something that is looked at is not in order."""
        return bool(self._counts[_AILING])

    @ailing.setter
    def ailing(self, value: bool) -> None:
        self._counts[_AILING] = int(value)

    def wait_for(self, session: str) -> None:
        """Tell that this process waits for a session; it counts until the next look."""
        self._until[_slot(session)] = time.monotonic() + _LOOK

    def is_awaited(self, session: str) -> bool:
        """Whether some process waits for it."""
        return self._until[_slot(session)] > time.monotonic()


class Guard:
    """The lock of a directory, for steps in which nothing is waited for; whoever has it may take it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.RLock()
        self._depth = 0
        self._file = -1
        self._process = 0

    def __enter__(self) -> None:
        self._own.acquire()
        if not self._depth:
            if self._process != os.getpid():
                # One that was opened before the processes parted would be the lock of all of them.
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
                self._process = os.getpid()
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._own.release()


class SharedTurn(Turn):
    """The turn of a session that other processes have as well: a lock on its file."""

    def __init__(self, path: Path, session: str, shared: Shared) -> None:
        super().__init__()
        self._path, self._session, self._shared = path, session, shared

    @property
    def is_free(self) -> bool:
        """Whether nobody has the session, here or elsewhere."""
        if not super().is_free:
            return False
        try:
            file = self._take()
        except BlockingIOError:
            return False
        if file is not None:
            os.close(file)
        return True

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have the session to oneself, among all processes.

        Raises:
            Busy: another request still has it.
        """
        async with super().taken():
            file = await self._taken()
            try:
                yield
            finally:
                if file is not None:
                    os.close(file)

    def _take(self) -> int | None:
        """The locked file; None where there is none any more. Raises BlockingIOError where another process has it."""
        with suppress(FileNotFoundError):
            file = os.open(self._path, os.O_RDONLY)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                raise
            return file
        return None

    async def _taken(self) -> int | None:
        end = time.monotonic() + LONGEST
        while True:
            try:
                return self._take()
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise Busy from None
            self._shared.wait_for(self._session)
            await asyncio.sleep(_PAUSE)

    def _is_awaited(self) -> bool:
        return super()._is_awaited() or self._shared.is_awaited(self._session)

    def _watch(self) -> asyncio.TimerHandle | None:
        return asyncio.get_running_loop().call_later(_LOOK, self._look)

    def _look(self) -> None:
        if self._limit is not None:
            if self._shared.is_awaited(self._session):
                self._shorten(self._limit)
            self._watching = self._watch()
