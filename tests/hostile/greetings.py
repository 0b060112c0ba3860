"""Hostile connections before the first request: resets, and handshakes without an end."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress

from tests.hostile.proxy import Greeting, Proxy, reset

_PIECE = 65536


def saying(content: bytes) -> Greeting:
    """Send what is no TLS, or nothing, and then be silent."""

    def greet(connection: socket.socket, _proxy: Proxy) -> None:
        connection.sendall(content)
        _wait(connection)

    return greet


def hello_and(then: str) -> Greeting:
    """Answer the client's hello in part, and then be silent, drip the rest, or reset."""

    def greet(connection: socket.socket, proxy: Proxy) -> None:
        assert proxy.tls is not None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = proxy.tls.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(connection.recv(_PIECE))
        with suppress(ssl.SSLWantReadError):
            session.do_handshake()
        flight = outgoing.read()
        connection.sendall(flight[:-20])
        if then == "reset":
            reset(connection)
        elif then == "drip":
            for byte in flight[-20:]:
                time.sleep(0.4)
                connection.sendall(bytes([byte]))
        _wait(connection)

    return greet


def closed(connection: socket.socket, _proxy: Proxy) -> None:
    """Accept and close."""
    connection.close()


def reset_at_once(connection: socket.socket, _proxy: Proxy) -> None:
    """Accept and reset."""
    reset(connection)


def reset_after_line(connection: socket.socket, _proxy: Proxy) -> None:
    """Read the first bytes of a request, and reset."""
    connection.recv(16)
    reset(connection)


def _wait(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(_PIECE):
            pass
