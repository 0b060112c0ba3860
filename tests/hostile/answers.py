"""The hostile answers: each takes the raw connection and the request, and does what no registry should."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from tests.hostile.proxy import Answer, Asked, endless, reset

_MIB = 1 << 20
_JSON = "application/json"
#: What a terminal would obey, what a browser would run, and what a log would break at.
POISON = "\x1b[31m\x1b]0;owned\x07\x9b2J<script>document.title='owned'</script>\"'&\u202e\u0000\r\nX-Injected: 1"


def head(status: str = "200 OK", *fields: str, version: str = "HTTP/1.1") -> bytes:
    """The head of a response."""
    return "\r\n".join((f"{version} {status}", *fields, "", "")).encode("latin-1", "replace")


def whole(body: bytes, kind: str = _JSON, status: str = "200 OK", *fields: str) -> bytes:
    """A response whose length is right."""
    return head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *fields) + body


def fixed(response: bytes) -> Answer:
    """Send some bytes."""

    def answer(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(response)

    return answer


def made(make: Callable[[Asked], bytes]) -> Answer:
    """Send bytes that depend on the request."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(make(asked))

    return answer


def forever(start: bytes, piece: bytes) -> Answer:
    """Send a start, and then the same without end."""

    def answer(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(start)
        endless(connection, piece)

    return answer


def drip(start: bytes, piece: bytes, pause: float = 0.1) -> Answer:
    """Send a start, and then a little at a time."""

    def answer(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(start)
        with suppress(OSError):
            while True:
                connection.sendall(piece)
                time.sleep(pause)

    return answer


def broken_off(start: bytes) -> Answer:
    """Send a start and reset the connection."""

    def answer(connection: socket.socket, _asked: Asked) -> None:
        if start:
            connection.sendall(start)
        reset(connection)

    return answer


def silent(connection: socket.socket, _asked: Asked) -> None:
    """Read, and never answer."""
    with suppress(OSError):
        while connection.recv(_MIB):
            pass


def half_closed(connection: socket.socket, asked: Asked) -> None:
    """Close the sending half without an answer, and go on reading."""
    connection.shutdown(socket.SHUT_WR)
    silent(connection, asked)


def redirect(where: str, status: str = "307 Temporary Redirect") -> Answer:
    """Redirect; the place may use ``{target}`` of the request, ``{port}`` of a stranger, and ``{more}``, ever new."""

    def make(asked: Asked) -> bytes:
        place = where.format(target=asked.target, port=asked.stranger, more="x" * (len(asked.target) % 97 + 1))
        return whole(b"", "text/plain", status, f"Location: {place}")

    return made(make)


def link_without_end(asked: Asked) -> bytes:
    """A page of tags that always has another."""
    name = asked.target.split("/v2/")[1].partition("/tags/")[0]
    page = json.dumps({"name": name, "tags": [f"t{time.monotonic_ns()}"]}).encode()
    link = f'Link: </v2/{name}/tags/list?n=1&last={time.monotonic_ns()}>; rel="next"'
    return whole(page, _JSON, "200 OK", link)


def of_name(asked: Asked) -> str:
    """The repository of a request for tags."""
    return asked.target.split("/v2/")[-1].partition("/tags/")[0]


def tags(value: str) -> Answer:
    """A list of tags whose array is text of JSON."""
    return made(lambda asked: whole(f'{{"name": "{of_name(asked)}", "tags": {value}}}'.encode()))


def poisoned(asked: Asked) -> bytes:
    """Control characters and markup in every place that text can stand in."""
    error = {"code": POISON, "message": POISON, "detail": {POISON: POISON}}
    body = json.dumps({"errors": [error], "name": POISON, "tags": [POISON]}).encode()
    flat = POISON.replace("\r\n", " ").replace("\x00", " ").replace("\u202e", "")
    names = ("Docker-Content-Digest", "Location", "Link", "Content-Range", "Range", "Warning", "ETag", "Server")
    fields = [f"{name}: {flat}" for name in names]
    return whole(b"" if asked.method == "HEAD" else body, _JSON, f"404 {flat}", *fields)


def bomb() -> bytes:
    """A gzip of a gibibyte of zeros."""
    member = gzip.compress(bytes(64 * _MIB), 9)
    return member * 16


def interim(connection: socket.socket, _asked: Asked) -> None:
    """Interim responses without end."""
    endless(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
