"""Notifications of a registry in several processes: each tells the one that sends them, over a socket of the system.

An event is a line of JSON. A line with a number asks for an answer when everything before it is kept; the answer has
the number, and whether it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from reference.notifications.events import Event, Events
from reference.notifications.publisher import Notifications

log = logging.getLogger("reference")
#: Seconds until another try to reach the process that sends, and until the last lines of the others are read.
_PAUSE, _REST = 0.1, 2.0
#: The most bytes of an event: with the references of the largest manifest.
_LONGEST = 64 << 20
_KEPT, _LOST = b"kept", b"lost"


class Relay(Notifications):
    """Notifications that another process sends, and where ``durable`` keeps."""

    def __init__(self, events: Events, path: Path, *, durable: bool) -> None:
        super().__init__((), events)
        self.durable = durable
        self._path = path
        self._numbers = itertools.count()
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}
        self._writer: asyncio.StreamWriter | None = None

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Reach the other process meanwhile; at the end everything was given to it."""
        first = asyncio.Event()
        task = asyncio.create_task(self._stay(first))
        await first.wait()
        try:
            yield
        finally:
            task.cancel()
            if self._writer is not None:
                self._writer.close()
                with contextlib.suppress(OSError):
                    await self._writer.wait_closed()

    async def _stay(self, first: asyncio.Event) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path)
                first.set()
                while line := await reader.readline():
                    number, _, outcome = line.strip().partition(b" ")
                    if (waiting := self._waiting.pop(number, None)) is not None and not waiting.done():
                        waiting.set_result(outcome == _KEPT)
            except OSError as error:
                log.error("notifications: %s", error)
            first.set()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result(False)
            self._waiting.clear()
            await asyncio.sleep(_PAUSE)

    def publish(self, event: Event) -> None:
        """Give an event to the other process.

        Raises:
            OSError: it is to be kept, and nobody is there who does.
        """
        if self._writer is not None:
            self._writer.write(json.dumps(event).encode() + b"\n")
        elif self.durable:
            raise OSError(errno.EIO, "nobody keeps notifications at the moment")
        else:
            log.error("notifications: nobody sends them at the moment; one is lost")

    async def synced(self) -> None:
        """Wait until what was told is kept.

        Raises:
            OSError: it is not.
        """
        if self._writer is None:
            raise OSError(errno.EIO, "nobody keeps notifications at the moment")
        number = str(next(self._numbers)).encode()
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._writer.write(number + b"\n")
        if not await waiting:
            raise OSError(errno.EIO, "notifications were not kept")


@contextlib.asynccontextmanager
async def received(notifications: Notifications, listener: socket.socket) -> AsyncIterator[None]:
    """Publish meanwhile what others tell; at the end everything that they told before theirs is published."""
    talks: set[asyncio.Task[None]] = set()

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(_listen(notifications, reader, writer))
        talks.add(talk)
        talk.add_done_callback(talks.discard)

    office = await asyncio.start_unix_server(met, sock=listener, limit=_LONGEST)
    try:
        yield
    finally:
        office.close()
        if talks:
            await asyncio.wait(talks, timeout=_REST)


async def _listen(notifications: Notifications, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers: set[asyncio.Task[None]] = set()
    failed = False
    with contextlib.suppress(OSError):
        while line := await reader.readline():
            if line.startswith(b"{"):
                try:
                    notifications.publish(json.loads(line))
                except OSError as error:
                    log.error("notifications: %s", error)
                    failed = True
                continue
            answer = asyncio.create_task(_answer(notifications, line.strip(), writer, failed=failed))
            answers.add(answer)
            answer.add_done_callback(answers.discard)
            failed = False
    writer.close()


async def _answer(notifications: Notifications, number: bytes, writer: asyncio.StreamWriter, *, failed: bool) -> None:
    try:
        await notifications.synced()
    except OSError as error:
        log.error("notifications: %s", error)
        failed = True
    writer.write(number + b" " + (_LOST if failed else _KEPT) + b"\n")
