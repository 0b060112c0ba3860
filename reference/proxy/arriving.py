"""A blob on its way from the upstream: sent on as it comes, once for all who want it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from reference.storage import PIECE, Upload

#: Bytes that are held back until the digest is verified, so that nobody takes wrong content for whole.
_HELD_BACK = 1


class Arrival:
    """One download: how much of it is stored, and how it ended."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.size: int | None = None
        self.stored = 0
        self.task: asyncio.Task[None] | None = None
        self._ended = False
        self._failure: BaseException | None = None
        self._news: asyncio.Event = asyncio.Event()

    def tell(self, stored: int | None = None) -> None:
        """There is more, or the size became known."""
        if stored is not None:
            self.stored = stored
        news, self._news = self._news, asyncio.Event()
        news.set()

    def end(self, failure: BaseException | None = None) -> None:
        """It is whole and verified, or it will not come."""
        self._ended, self._failure = True, failure
        self.tell()

    async def begun(self) -> None:
        """Wait until the size is known, or all is over; raises why it will not come."""
        while self.size is None and not self._ended:
            await self._news.wait()
        if self._failure is not None:
            raise self._failure

    async def whole(self) -> None:
        """Wait until it is verified; raises why it will not come."""
        while not self._ended:
            await self._news.wait()
        if self._failure is not None:
            raise self._failure

    async def beyond(self, position: int) -> int:
        """Wait for bytes behind a position; how far they may be sent."""
        while True:
            if self._ended:
                if self._failure is not None:
                    raise OSError("the upstream broke off") from self._failure
                return self.stored
            safe = min(self.stored, (self.size or 0) - _HELD_BACK)
            if safe > position:
                return safe
            await self._news.wait()


class Arriving:
    """The content of an arrival."""

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._read = arrival.upload.reader()

    @property
    def size(self) -> int:
        """The length that the upstream told."""
        return self._arrival.size or 0

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes as they come."""
        end = min(start + length, self.size)
        while start < end:
            there = min(await self._arrival.beyond(start), end)
            while start < there:
                piece = await self._piece(start, min(PIECE, there - start))
                if not piece:
                    raise OSError("the upstream sent less than it told")
                start += len(piece)
                yield piece

    async def _piece(self, start: int, length: int) -> bytes:
        reading = asyncio.get_running_loop().run_in_executor(None, self._read.at, start, length)
        try:
            return await asyncio.shield(reading)
        finally:
            # What is read from may only be closed when no thread reads from it.
            await asyncio.wait([reading])

    def close(self) -> None:
        """Give up what is held open."""
        self._read.close()
