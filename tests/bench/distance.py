"""A TCP proxy that puts a distance before a registry and counts the requests that pass, by their operation."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE = 64 * 1024
#: The line that begins a request, at the beginning of what came or after the end of another line.
_REQUEST = re.compile(rb"(?:\A|\n)(GET|HEAD|PUT|POST|PATCH|DELETE|OPTIONS) (/[!-~]*) HTTP/1\.[01]\r\n")
#: What is asked for, by its path.
_THINGS = (
    ("upload", re.compile(rb"/v2/.+/blobs/uploads/?[^/?]*(\?|\Z)")),
    ("blob", re.compile(rb"/v2/.+/blobs/")),
    ("manifest", re.compile(rb"/v2/.+/manifests/")),
    ("tags", re.compile(rb"/v2/.+/tags/list")),
    ("referrers", re.compile(rb"/v2/.+/referrers/")),
    ("catalog", re.compile(rb"/v2/_catalog")),
    ("base", re.compile(rb"/v2/?(\?|\Z)")),
)


@dataclass(slots=True)
class Distance:
    """A proxy that runs: its address as HOST:PORT, and what has passed so far."""

    address: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    connections: int = 0

    @property
    def url(self) -> str:
        """The address as a URL without path."""
        return f"http://{self.address}"


@contextmanager
def distance(address: str, round_trip_ms: float) -> Iterator[Distance]:
    """Run a proxy before the registry at an address; each answer comes a round trip later, and so does a connection."""
    far = Distance()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    serving = _Serving(far, address, round_trip_ms / 1000, ready)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving.run(),), daemon=True)
    thread.start()
    try:
        ready.wait(10)
        yield far
    finally:
        loop.call_soon_threadsafe(serving.stop.set)
        thread.join(10)
        loop.close()


class _Serving:
    def __init__(self, far: Distance, address: str, round_trip: float, ready: threading.Event) -> None:
        self._far, (self._host, _, self._port) = far, address.rpartition(":")
        self._round_trip = round_trip
        self._ready = ready
        self._writers: set[asyncio.StreamWriter] = set()
        self.stop = asyncio.Event()

    async def run(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._far.address = "{}:{}".format(*server.sockets[0].getsockname())
        self._ready.set()
        await self.stop.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._far.connections += 1
        self._writers.add(writer)
        opened = [writer]
        with suppress(asyncio.CancelledError, OSError):
            await asyncio.sleep(self._round_trip)  # the handshake
            answers, upstream = await asyncio.open_connection(self._host, int(self._port))
            opened.append(upstream)
            self._writers.add(upstream)
            await asyncio.gather(self._pump(reader, upstream, count=True), self._pump(answers, writer))
        for each in opened:
            each.close()
        self._writers.difference_update(opened)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool = False) -> None:
        """Pass on what comes, each piece half a round trip later."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        late = asyncio.create_task(_late(queue, writer))
        clock = asyncio.get_running_loop().time
        data = b"-"
        while data:
            try:
                data = await reader.read(_PIECE)
            except OSError:
                data = b""
            if count:
                self._far.requests.update(operations(data))
            queue.put_nowait((clock() + self._round_trip / 2, data))
        with suppress(OSError):
            await late


async def _late(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due, data = await queue.get()
        await asyncio.sleep(max(0.0, due - clock()))
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


def operations(data: bytes) -> Iterator[str]:
    """Give the operation of each request that begins in some bytes, as ``blob.get``; ``other`` for the rest."""
    for method, target in _REQUEST.findall(data):
        thing = next((name for name, pattern in _THINGS if pattern.match(target)), "other")
        yield f"{thing}.{method.decode('ascii').lower()}"
