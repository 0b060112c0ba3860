"""The server around the application: sockets, signals, TLS, and work beside the requests."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import math
import resource
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import uvicorn

from reference.connections import Protocol, Wrap, wrapped
from reference.messages import Application
from reference.settings import Tls
from reference.tls import make_context

log = logging.getLogger("reference")
#: Seconds that requests have to end when the server does.
DRAIN = 5.0
_BACKLOG = 512


class ListenError(Exception):
    """An address that cannot be listened on."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work beside the requests, every so many seconds: a function is called in a thread, a coroutine awaited."""

    name: str
    interval: float
    work: Callable[[], object]


class Server(uvicorn.Server):
    """Signals are handled here, once for both servers, and without waiting for a tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Answer what is open, then end."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Keep the Date header current, and look after the connections, until stopped."""
        while not await self.on_tick(0):
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def listen(address: str, *, with_others: bool = False) -> socket.socket:
    """A listening socket for HOST:PORT; without a host on all addresses, with port 0 on a free port.

    Raises:
        ListenError: nothing can listen there.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal():
        raise ListenError(f"{address}: not HOST:PORT")
    host = host.removeprefix("[").removesuffix("]")
    try:
        if host:
            found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            family, _, _, _, where = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)[0]
            listener = socket.create_server(where, family=family, backlog=_BACKLOG, reuse_port=with_others)
        elif socket.has_dualstack_ipv6():
            where = ("", int(port))
            listener = socket.create_server(
                where, family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True, reuse_port=with_others
            )
        else:
            listener = socket.create_server(("", int(port)), backlog=_BACKLOG, reuse_port=with_others)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while ")[0]
        raise ListenError(f"{address}: {reason}") from error
    listener.setblocking(False)
    return listener


def listen_often(address: str, count: int) -> list[socket.socket]:
    """Several listening sockets for one address, between which the system shares the connections out evenly.

    Raises:
        ListenError: nothing can listen there, or something does already.
    """
    # Alone at first: with others, the address of another server would be taken as well, and half of its connections.
    alone = listen(address)
    port = alone.getsockname()[1]
    alone.close()
    return [listen(f"{address.rpartition(':')[0]}:{port}", with_others=True) for _ in range(count)]


def address_of(listener: socket.socket) -> str:
    """The address that it really listens on."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def make_config(
    application: Application, drain: float, wraps: Sequence[Wrap] = (), tls: Tls | None = None
) -> uvicorn.Config:
    """How an application is served: by connections with limits, and without a log of the server's own."""
    config = uvicorn.Config(
        application,
        http=wrapped(wraps),
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(Protocol.limits.idle),
        timeout_graceful_shutdown=math.ceil(drain),
        backlog=_BACKLOG,
    )
    if tls is not None:
        config.load()
        # Its own options know neither a least version nor several files of authorities.
        config.ssl = make_context(tls)
    return config


async def _repeat(job: Job, threads: Executor) -> None:
    """Do a piece of work again and again; what it fails at is logged, and does not end it."""
    while True:
        await asyncio.sleep(job.interval)
        try:
            if inspect.iscoroutinefunction(job.work):
                await job.work()
            else:
                await asyncio.get_running_loop().run_in_executor(threads, job.work)
        except Exception:
            log.exception("%s", job.name)


async def _serve(
    servers: list[tuple[Server, socket.socket]],
    jobs: Sequence[Job],
    control: socket.socket | None,
    around: AbstractAsyncContextManager[None],
) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        ended.set()
        for server, _ in servers:
            server.stop()

    def stop_on(name: str) -> None:
        log.info("stopping on %s", name)
        stop()

    if control is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop_on, number.name)
    else:
        loop.add_reader(control, stop)
    # Threads of their own: those that read and write content do not wait for a check that hangs.
    threads = ThreadPoolExecutor(max(1, len(jobs)), "job")
    async with around:
        repeated = [asyncio.create_task(_repeat(job, threads)) for job in jobs]
        await asyncio.gather(ended.wait(), *(server.serve([listener]) for server, listener in servers))
    for task in repeated:
        task.cancel()
    if control is not None:
        loop.remove_reader(control)
    threads.shutdown(wait=False, cancel_futures=True)


def run(
    application: Application,
    listener: socket.socket,
    debug: tuple[socket.socket, Application] | None = None,
    tls: Tls | None = None,
    *,
    drain: float = DRAIN,
    jobs: Sequence[Job] = (),
    wraps: Sequence[Wrap] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, and then for as many seconds as ``drain`` says what is open.

    The debug server is without TLS, as that of the original is.
    """
    servers = [(Server(make_config(application, drain, wraps, tls)), listener)]
    if debug is not None:
        servers.append((Server(make_config(debug[1], drain)), debug[0]))
    run_all(servers, jobs=jobs)


def run_all(
    servers: list[tuple[Server, socket.socket]],
    *,
    jobs: Sequence[Job] = (),
    control: socket.socket | None = None,
    around: AbstractAsyncContextManager[None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or with ``control`` until that can be read; ``around`` is entered meanwhile."""
    _take_all_descriptors()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(servers, jobs, control, around or contextlib.nullcontext()))


def _take_all_descriptors() -> None:
    """Have as many connections and files open as the system lets; the lower limit is for programs that use select."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """The loop of uvloop, or None where it is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - optional, and only wanted by the server
    except ImportError:
        return None
    return uvloop.Loop
