"""A proxy that cuts connections when so many bytes have gone through it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes bytes on to ``host:port``; a connection is cut where the sum of a direction passes a mark."""

    address: str
    up: list[int]
    down: list[int]
    cuts: int = 0
    sums: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    lock: threading.Lock = field(default_factory=threading.Lock)

    def passes(self, way: str, amount: int) -> int:
        """How many of some bytes go through; fewer than all where the connection is cut then."""
        with self.lock:
            marks: list[int] = getattr(self, way)
            before = self.sums[way]
            self.sums[way] += amount
            if marks and self.sums[way] >= marks[0]:
                self.cuts += 1
                return max(0, marks.pop(0) - before)
        return amount


@contextmanager
def proxy(target: str, *, up: Sequence[int] = (), down: Sequence[int] = ()) -> Iterator[Proxy]:
    """Run it in front of ``HOST:PORT``, with the marks in bytes of each direction."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Proxy(f"127.0.0.1:{listener.getsockname()[1]}", list(up), list(down))
    thread = threading.Thread(target=_accept, args=(listener, target, found), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _accept(listener: socket.socket, target: str, found: Proxy) -> None:
    host, _, port = target.partition(":")
    with suppress(OSError):
        while True:
            one, _ = listener.accept()
            other = socket.create_connection((host, int(port)))
            threading.Thread(target=_both, args=(found, one, other), daemon=True).start()


def _both(found: Proxy, one: socket.socket, other: socket.socket) -> None:
    with one, other:
        up = threading.Thread(target=_pass, args=(found, "up", one, other), daemon=True)
        up.start()
        _pass(found, "down", other, one)
        up.join()


def _pass(found: Proxy, way: str, source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            allowed = found.passes(way, len(block))
            sink.sendall(block[:allowed])
            if allowed < len(block):
                break
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
