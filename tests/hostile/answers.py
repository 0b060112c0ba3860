"""The hostile answers: each gets the raw connection and the request."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from tests.hostile.proxy import Answer, Asked, endless, reset

_MIB = 1 << 20
INDEX = "application/vnd.oci.image.index.v1+json"
_JSON = "application/json"
#: What a terminal would obey, what a browser or a reader of Markdown would run or load, and what a
#: log would break at.
POISON = (
    "\x1b[31m\x1b]0;owned\x07\x9b2J<script>document.title='owned'</script>"
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">![x](http://127.0.0.1:9/x)[x](javascript:x)"
    "]]>\"'&`|{{7*7}}\u202e\ufffe\u0000\r\nX-Injected: 1"
)


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


def silent_after(start: bytes) -> Answer:
    """Send a start, and then nothing more."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(start)
        silent(connection, asked)

    return answer


def half_closed_after(start: bytes) -> Answer:
    """Send a start, close the sending half, and go on reading."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(start)
        half_closed(connection, asked)

    return answer


def deaf(connection: socket.socket, asked: Asked) -> None:
    """Close the receiving half, and neither answer nor go."""
    connection.shutdown(socket.SHUT_RD)
    asked.proxy.over.wait(20)


def unread(connection: socket.socket, asked: Asked) -> None:
    """Leave the body of the request where it is, and never answer."""
    asked.proxy.over.wait(20)


def reads_slowly(connection: socket.socket, asked: Asked) -> None:
    """Read a byte at a time."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with suppress(OSError):
        while connection.recv(1):
            time.sleep(0.2)


def dies(_connection: socket.socket, asked: Asked) -> None:
    """Kill the registry: the connection ends without an answer, and all later ones are refused."""
    asked.proxy.die()


def in_plain(start: bytes, garbage: bytes) -> Answer:
    """Send a start over TLS, and then bytes beside it that are none."""

    def answer(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(start)
        socket.socket.sendall(connection, garbage)

    return answer


def place(where: str, asked: Asked) -> str:
    """Fill in a place.

    There are the ``{target}`` of the request, the ``{name}`` of its repository, ``{more}``, ever
    new, and the ports of the target (``{own}``), of a ``{stranger}`` and of the listener for
    notifications (``{hook}``).
    """
    filled = where.format(
        target=asked.target,
        name=asked.target.removeprefix("/v2/").partition("/blobs/")[0],
        own=asked.proxy.address.rpartition(":")[2],
        stranger=asked.proxy.stranger,
        hook=asked.proxy.hook,
        more="x" * (len(asked.target) % 97 + 1),
    )
    asked.proxy.named.add(filled)
    return filled


def redirect(where: str, status: str = "307 Temporary Redirect") -> Answer:
    """Redirect to a place, as of `place`."""
    return made(lambda asked: whole(b"", "text/plain", status, f"Location: {place(where, asked)}"))


def located(where: str, status: str = "202 Accepted") -> Answer:
    """Answer a start or a chunk of an upload with the Location of a place, as of `place`."""
    fields = ("Content-Length: 0", "Range: 0-0", "Connection: close")
    return made(lambda asked: head(status, f"Location: {place(where, asked)}", *fields))


def linked(where: str, count: int = 1) -> Answer:
    """Answer with a short list whose Links, all to the next page, name places."""

    def make(asked: Asked) -> bytes:
        links = ", ".join([f'<{place(where, asked)}>; rel="next"'] * count)
        return whole(listing(asked), _JSON, "200 OK", f"Link: {links}")

    return made(make)


def listing(asked: Asked, entries: str = "") -> bytes:
    """A list of the form that a request asks for, whose entries are text of JSON."""
    if "/referrers/" in asked.target:
        return f'{{"schemaVersion": 2, "mediaType": "{INDEX}", "manifests": [{entries}]}}'.encode()
    if "/_catalog" in asked.target:
        return f'{{"repositories": [{entries}]}}'.encode()
    return f'{{"name": "{of_name(asked)}", "tags": [{entries}]}}'.encode()


def listed(entries: str) -> Answer:
    """Answer with such a list."""

    def make(asked: Asked) -> bytes:
        kind = INDEX if "/referrers/" in asked.target else _JSON
        return whole(listing(asked, entries), kind)

    return made(make)


def much(parts: tuple[bytes, bytes, bytes], size: int, *, kind: str = _JSON, status: str = "200 OK") -> Answer:
    """Send a body of about so many bytes: a start, the same piece again and again, and an end."""
    start, piece, end = parts
    count = (size - len(start) - len(end)) // len(piece)
    length = len(start) + count * len(piece) + len(end)
    lump = piece * max(1, _MIB // len(piece))

    def answer(connection: socket.socket, _asked: Asked) -> None:
        fields = (f"Content-Type: {kind}", f"Content-Length: {length}", "Connection: close")
        connection.sendall(head(status, *fields) + start)
        whole_lumps, left = divmod(count * len(piece), len(lump))
        for _ in range(whole_lumps):
            connection.sendall(lump)
        connection.sendall(lump[:left] + end)

    return answer


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


def gzip_bomb() -> bytes:
    """A gzip of a gibibyte of zeros."""
    member = gzip.compress(bytes(64 * _MIB), 9)
    return member * 16


def brotli_bomb() -> bytes:
    """A brotli stream of a gibibyte of zeros: 64 pieces of 16 MiB, as its encoder flushes them."""
    first, further = bytes.fromhex("cfffff7f002400e2b14072efff0d"), bytes.fromhex("fcffff074002200e0b40f7fedf00")
    return first + further * 63 + b"\x03"


def in_chunks(body: bytes) -> bytes:
    """A body in one chunk."""
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def interim(connection: socket.socket, _asked: Asked) -> None:
    """Interim responses without end."""
    endless(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
