"""One request at a time works on a session; who waits for it does not wait for a client that has gone away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

#: Seconds of silence after which a request gives its session up: alone, and where another one waits for it.
ALONE = 60.0
AWAITED = 3.0
#: Seconds that another one waits before it is refused.
LONGEST = 10.0

T = TypeVar("T")


class Busy(Exception):
    """Another request works on the session, and goes on doing so."""


class Turn:
    """Whose turn it is."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._limit: asyncio.Timeout | None = None
        self._watching: asyncio.TimerHandle | None = None

    @property
    def is_free(self) -> bool:
        """Whether nobody has the session."""
        return not self._lock.locked()

    @property
    def is_here(self) -> bool:
        """Whether a request of this process has it."""
        return self._lock.locked()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have the session to oneself.

        Raises:
            Busy: another request still has it.
        """
        self._waiting += 1
        try:
            if self._limit is not None:
                self._shorten(self._limit)
            async with asyncio.timeout(LONGEST):
                await self._lock.acquire()
        except TimeoutError:
            raise Busy from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    async def listen(self, receive: Callable[[], Awaitable[T]]) -> T:
        """What the client of the present request sends next.

        Raises:
            TimeoutError: it is silent.
        """
        self._watching = self._watch()
        try:
            async with asyncio.timeout(AWAITED if self._is_awaited() else ALONE) as self._limit:
                return await receive()
        finally:
            self._limit = None
            if self._watching is not None:
                self._watching.cancel()

    def _is_awaited(self) -> bool:
        """Whether another request waits for the session."""
        return self._waiting > 0

    def _watch(self) -> asyncio.TimerHandle | None:
        """Look now and then for who waits, where those do not say so by themselves."""
        return None

    def _shorten(self, limit: asyncio.Timeout) -> None:
        soon, when = asyncio.get_running_loop().time() + AWAITED, limit.when()
        if when is None or soon < when:
            limit.reschedule(soon)
