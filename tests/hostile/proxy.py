"""A proxy that answers some requests in a hostile way, and passes the rest to the reference."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from re import Pattern

from tests.support.servers import Server

_HEAD_LIMIT = 1 << 20
_PIECE = 65536
#: Where a registry with a token service gives tokens.
TOKEN_PATH = "/token"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: method, target, lower-case header fields, and its proxy."""

    method: str
    target: str
    headers: dict[str, str]
    proxy: Proxy


#: Answers a request on the raw connection; the connection is closed when it returns.
Answer = Callable[[socket.socket, Asked], None]
#: Deals with a connection before anything is read from it.
Greeting = Callable[[socket.socket, "Proxy"], None]


@dataclass(frozen=True, slots=True)
class Conduct:
    """The hostile answers: requests of some methods with a matching target, after some others.

    With ``greets``, connections are, whatever they would ask.
    """

    answer: Answer
    path: Pattern[str]
    methods: frozenset[str]
    after: int = 0
    greets: Greeting | None = None


@dataclass(slots=True)
class Proxy:
    """A running proxy: its address as HOST:PORT, its requests, and the hostile answers."""

    address: str
    conduct: Conduct
    listener: socket.socket
    tls: ssl.SSLContext | None = None
    #: The registry, and the address of its token service where there is one; both come before the
    #: first request.
    behind: Server | None = None
    tokens: str = ""
    #: The port of another server, and that of the suite's own listener, for answers that send the
    #: client there.
    stranger: int = 1
    hook: int = 1
    asked: list[Asked] = field(default_factory=list)
    by_hand: set[tuple[str, str]] = field(default_factory=set)
    #: The places that such answers named.
    named: set[str] = field(default_factory=set)
    connections: int = 0
    #: Set when the test has ended: an answer without an end looks at it.
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The address as a URL without path."""
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def die(self) -> None:
        """Kill the registry behind and listen no more: from now on connections are refused."""
        assert self.behind is not None
        with suppress(ProcessLookupError):
            os.kill(self.behind.pid, signal.SIGKILL)
        self.over.set()
        with suppress(OSError):
            # Wakes the thread that accepts; closing alone would not.
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self) -> None:
        """Accept until the end."""
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, raw: socket.socket) -> None:
        conduct = self.conduct
        with raw, suppress(OSError):
            raw.settimeout(30)
            if conduct.greets and self.connections > conduct.after:
                conduct.greets(raw, self)
                return
            if self.tls is None:
                self._take(raw)
                return
            with self.tls.wrap_socket(raw, server_side=True) as secured:
                self._take(secured)

    def _take(self, connection: socket.socket) -> None:
        head, rest = _head(connection)
        if not head:
            return
        asked = self._asked(head)
        self.asked.append(asked)
        conduct = self.conduct
        if len(self.asked) > conduct.after and asked.method in conduct.methods and conduct.path.search(asked.target):
            self.by_hand.add((asked.method, asked.target))
            conduct.answer(connection, asked)
        else:
            assert self.behind is not None
            to_tokens = self.tokens and asked.target.startswith(TOKEN_PATH)
            _forward(connection, self.tokens if to_tokens else self.behind.address, head, rest)

    def _asked(self, head: bytes) -> Asked:
        line, *fields = head.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        pairs = (field.partition(":")[::2] for field in fields)
        headers = {name.lower(): value.strip() for name, value in pairs}
        return Asked(method, rest.rpartition(" ")[0], headers, self)


@contextmanager
def proxy(conduct: Conduct, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy before a registry that is given later; with a certificate over TLS."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        running = Proxy(f"127.0.0.1:{listener.getsockname()[1]}", conduct, listener, tls)
        threading.Thread(target=running.serve, daemon=True).start()
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


def _forward(connection: socket.socket, address: str, head: bytes, rest: bytes) -> None:
    """Hand a request on, with its body, and the answer back; one request for each connection."""
    host, _, port = address.rpartition(":")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    with socket.create_connection((host, int(port)), 10) as upstream:
        upstream.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + rest)
        back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
        back.start()
        forth = threading.Thread(target=_copy, args=(connection, upstream), daemon=True)
        forth.start()
        back.join()
        # Wakes the other thread: a number that it waits for may soon be that of another file.
        for end in (connection, upstream):
            with suppress(OSError):
                socket.socket.shutdown(end, socket.SHUT_RD)
        forth.join(10)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
