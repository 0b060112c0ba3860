"""A registry that turns hostile: what matches is answered by hand, everything else by the reference behind it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from re import Pattern

_HEAD_LIMIT = 1 << 20
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: the method, the target, the header fields in lower case, and where a stranger listens."""

    method: str
    target: str
    headers: dict[str, str]
    stranger: int


#: Answers a request on the raw connection; the connection is closed when it returns.
Answer = Callable[[socket.socket, Asked], None]


@dataclass(slots=True)
class Proxy:
    """A running proxy: its address as HOST:PORT, and what it was asked."""

    address: str
    #: The port of another server, for answers that send the client there.
    stranger: int = 1
    asked: list[Asked] = field(default_factory=list)
    #: Set when the test has ended: an answer without an end looks at it.
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def proxy(behind: str, methods: frozenset[str], path: Pattern[str], answer: Answer, after: int) -> Iterator[Proxy]:
    """Run a proxy before a registry.

    Args:
        behind: address of the registry.
        methods: the methods that are answered by hand.
        path: what the target of such a request matches.
        answer: how.
        after: how many requests, of any kind, are answered rightly before.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        running = Proxy(f"127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            while not running.over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(30)
                head, rest = _head(connection)
                if not head:
                    return
                asked = _asked(head, running.stranger)
                running.asked.append(asked)
                if len(running.asked) > after and asked.method in methods and path.search(asked.target):
                    answer(connection, asked)
                else:
                    _forward(connection, behind, head, rest)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield running
        finally:
            running.over.set()


def endless(connection: socket.socket, piece: bytes) -> None:
    """Send the same bytes until the other side has enough."""
    with suppress(OSError):
        while True:
            connection.sendall(piece)


def reset(connection: socket.socket) -> None:
    """Close with a reset in place of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _HEAD_LIMIT:
        piece = connection.recv(_PIECE)
        if not piece:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _asked(head: bytes, stranger: int) -> Asked:
    line, *fields = head.decode("latin-1").split("\r\n")
    method, _, rest = line.partition(" ")
    pairs = (field.partition(":")[::2] for field in fields)
    return Asked(method, rest.rpartition(" ")[0], {name.lower(): value.strip() for name, value in pairs}, stranger)


def _forward(connection: socket.socket, behind: str, head: bytes, rest: bytes) -> None:
    """Hand a request on, with its body, and the answer back; one request for each connection."""
    host, _, port = behind.rpartition(":")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    with socket.create_connection((host, int(port)), 10) as upstream:
        upstream.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + rest)
        back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
        back.start()
        forth = threading.Thread(target=_copy, args=(connection, upstream), daemon=True)
        forth.start()
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
