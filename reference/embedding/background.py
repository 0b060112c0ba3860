"""A server in a thread of its own, which leaves the signals and limits of the process alone."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence

from reference.connections import Protocol, Wrap
from reference.messages import Application
from reference.server import Server, loop_factory, make_config

_PAUSE = 0.005
#: Seconds in which a request ends whose connection was broken off.
_GRACE = 0.5
#: Seconds beyond the drain after which a server has to have ended.
_PATIENCE = 10.0


class _Server(Server):
    """Tells when it accepts connections, and ends without the tenths of seconds that uvicorn waits at least."""

    def __init__(self, application: Application, drain: float, wraps: Sequence[Wrap]) -> None:
        super().__init__(make_config(application, drain, wraps))
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._drain = drain

    async def main_loop(self) -> None:
        """Tell, then go on until stopped."""
        self.loop = asyncio.get_running_loop()
        self.ready.set()
        await super().main_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is open end, and break off what takes longer than the drain."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_idle(self._drain)
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.transport.abort()
        # Who reads from a connection ends by itself; what is left is cancelled with the loop.
        await self._until_idle(_GRACE)

    async def _until_idle(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while self.server_state.connections or self.server_state.tasks:
            if asyncio.get_running_loop().time() >= end:
                return
            await asyncio.sleep(_PAUSE)


class Background:
    """An application that is served from ``start`` to ``stop``; stopped, it cannot be started again."""

    def __init__(
        self, application: Application, listener: socket.socket, *, drain: float, wraps: Sequence[Wrap] = ()
    ) -> None:
        self._server = _Server(application, drain, wraps)
        self._listener = listener
        self._limit = drain + _PATIENCE
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="registry", daemon=True)

    def start(self) -> None:
        """Return as soon as connections are accepted.

        Raises:
            RuntimeError: it cannot start.
        """
        self._thread.start()
        self._server.ready.wait()
        if self._failure is not None:
            raise RuntimeError("the registry did not start") from self._failure

    def stop(self) -> None:
        """Return when all connections are closed and the thread has ended.

        Raises:
            RuntimeError: it failed, or does not end.
        """
        if self._thread.is_alive() and self._server.loop is not None:
            self._server.loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(self._limit)
        if self._thread.is_alive():
            raise RuntimeError(f"the registry does not stop within {self._limit:.0f} seconds")
        if self._failure is not None:
            raise RuntimeError("the registry failed") from self._failure

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._server.serve([self._listener]))
        except BaseException as error:  # who waits is told of it, an exit included
            self._failure = error
        finally:
            self._listener.close()
            self._server.ready.set()
