"""HTTP/1.1 connections with limits: how long a head may be, and how long a client may let the server wait."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]\r\n")
_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 501: "Not Implemented"}
#: How long, in seconds and bytes, the rest of a refused message is read: a reset would take the answer with it.
_LINGER = 2.0
_LINGER_BYTES = 4 << 20
#: Puts something around the transport of a connection, which changes what is written.
Wrap = Callable[[asyncio.Transport], Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a head or of trailers; seconds for a whole head, for silence in a body, and for an answer not taken."""

    head_bytes: int = 64 << 10
    head: float = 30.0
    idle: float = 75.0
    body: float = 60.0
    send: float = 60.0


class Protocol(HttpToolsProtocol):
    """One connection; a method that the parser does not know is refused with 501 rather than 400."""

    limits = Limits()

    _first = b""
    _refused = False
    _begun = False
    _in_head = False
    _moved = False
    _unread = 0
    _since = 0.0
    _heard = 0.0
    _unsent = 0
    _sent = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to count the time."""
        super().connection_made(transport)
        self._since = self._heard = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Read on, unless bytes come and come without an end of the head, the chunk or the trailers."""
        if self._refused:
            self._unread += len(data)
            if self._unread > _LINGER_BYTES:
                self.transport.abort()
            return
        self._heard = self.loop.time()
        # The beginning of a message tells an unknown method from a broken one.
        self._first = data[:256]
        self._moved = False
        super().data_received(data)
        self._unread = 0 if self._moved else self._unread + len(data)
        if self._unread > self.limits.head_bytes:
            self._refuse(431, "the head of the request is too long")

    def on_message_begin(self) -> None:
        """A head begins; empty lines before it do not count."""
        super().on_message_begin()
        self._in_head = True
        if not self._busy():
            self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; trailers mean nothing here."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._in_head, self._moved = False, True
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.head_bytes:
            self._refuse(431, "the head of the request is too long")
        if not self._refused:
            super().on_headers_complete()
            self._begun = True

    def on_body(self, body: bytes) -> None:
        """Pass a piece on."""
        self._moved = True
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Tell that the body is whole."""
        self._moved = True
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to count the time until the next request."""
        self._since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """The answer to what the parser rejects."""
        self._refuse(501 if _REQUEST_LINE.match(self._first) else 400, msg)

    def check(self) -> None:
        """End the connection where its client lets the server wait for too long; called about once a second."""
        now, limits = self.loop.time(), self.limits
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._sent = unsent, now
        elif now - self._sent > limits.send:
            self.transport.abort()
        if self._refused or self.transport.is_closing():
            return
        if self._busy():
            if not self.cycle.more_body or self.flow.read_paused:
                self._heard = now
            elif now - self._heard > limits.body:
                self.transport.close()
        elif self._in_head and now - self._since > limits.head:
            self._refuse(408, "the head of the request did not come")
        elif now - self._since > (limits.idle if self._begun else limits.head):
            self.transport.close()

    def _busy(self) -> bool:
        return self._begun and not self.cycle.response_complete

    def _refuse(self, status: int, message: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self._busy():
            # Nobody answers this request any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.abort()
                return
        body = json.dumps({"errors": [{"code": "UNSUPPORTED", "message": message}]}).encode()
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER, self.transport.close)


def wrapped(wraps: Sequence[Wrap]) -> type[Protocol]:
    """A protocol of one server's own, whose transports have something put around them."""
    if not wraps:
        return Protocol

    class Wrapped(Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            for wrap in wraps:
                transport = wrap(transport)
            super().connection_made(transport)

    return Wrapped
