"""The HTTP server that notifications come to. Whoever sends is hostile until proven otherwise."""

from __future__ import annotations

import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conformance.listener.mailbox import Delivery, LocalMailbox, Reply
from conformance.settings import USER_AGENT

#: So much of a body is kept; the rest of a longer one is not even read.
BODY_LIMIT = 2 << 20
#: Connections at a time; more are closed.
CONNECTIONS = 64
#: Seconds that a connection may be idle, and that a body may take.
_IDLE = 60.0
_BODY_SECONDS = 10.0
_PIECE = 1 << 16
_LINE = 256


class Listener:
    """A listening socket, its threads, and the mailbox that they fill."""

    def __init__(self, host: str, port: int) -> None:
        """Listen on a host (all addresses where it is empty) and a port; raises OSError."""
        self.mailbox = LocalMailbox()
        self._server = _Server((host, port), self.mailbox)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="listener", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Listen no more."""
        self.mailbox.close()
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], mailbox: LocalMailbox) -> None:
        self.mailbox = mailbox
        self.stopping = threading.Event()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_port = self.socket.getsockname()[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread, unless there are too many."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve, and give the place free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is no concern."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: _Server

    def _take(self) -> None:
        if self.headers.get("User-Agent") == USER_AGENT:
            # The target sent the suite's own client here, by a redirect or a Location; that is no
            # notification.
            self.close_connection = True
            self.send_error(404)
            return
        body, whole = self._body()
        headers = tuple((str(name), str(value)) for name, value in self.headers.items())
        mailbox = self.server.mailbox
        delivery = mailbox.take(self.command, headers, body, whole)
        if not whole:
            self.close_connection = True
        if delivery.reply.hold:
            self._hold(delivery.reply)
        mailbox.answered(delivery)
        self._answer(delivery)

    do_POST = do_PUT = do_GET = do_PATCH = do_DELETE = do_HEAD = _take

    def _hold(self, reply: Reply) -> None:
        """Keep the sender waiting, for as long as it does."""
        end = time.monotonic() + reply.hold
        while (left := end - time.monotonic()) > 0 and not self.server.stopping.is_set():
            if reply.status:
                self.server.stopping.wait(left)
            elif select.select([self.connection], [], [], min(left, 0.1))[0]:
                return  # it went, or began to speak again

    def _answer(self, delivery: Delivery) -> None:
        if not delivery.reply.status:
            self.close_connection = True
            return
        self.send_response(delivery.reply.status)
        if delivery.reply.status not in {204, 304}:
            self.send_header("Content-Length", "0")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _body(self) -> tuple[bytes, bool]:
        """Read a body within the bounds; return it, and whether it is whole."""
        end = time.monotonic() + _BODY_SECONDS
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._chunks(end)
        length = (self.headers.get("Content-Length") or "0").strip()
        if not (length.isascii() and length.isdigit()) or len(length) > 18:  # no such body is ours to read
            return b"", False
        return self._bytes(int(length), end)

    def _bytes(self, length: int, end: float, limit: int = BODY_LIMIT) -> tuple[bytes, bool]:
        pieces: list[bytes] = []
        left = min(length, limit)
        while left > 0 and time.monotonic() < end:
            piece = self.rfile.read1(min(left, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces), left == 0 and length <= limit

    def _chunks(self, end: float) -> tuple[bytes, bool]:
        body = b""
        while time.monotonic() < end:
            size = self.rfile.readline(_LINE).partition(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                break
            if length <= 0:
                while (line := self.rfile.readline(_LINE)) not in {b"\r\n", b"\n", b""} and time.monotonic() < end:
                    pass
                return body, length == 0 and line != b""
            piece, whole = self._bytes(length, end, BODY_LIMIT - len(body))
            body += piece
            if not whole:
                break
            self.rfile.readline(_LINE)
        return body, False

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the run's."""

    def version_string(self) -> str:
        """Return who answers."""
        return "registry-conformance"
