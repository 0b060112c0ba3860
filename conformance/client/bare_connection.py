"""Bare connections, to see what HTTP libraries hide: content after the header section of a HEAD, and TLS."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.client.client import Client
from conformance.client.http.transport import TransportOptions

#: Seconds in which a server that was asked to close the connection has sent what it is going to send.
_PATIENCE = 2.0
_LIMIT = 1024 * 1024
#: A status has three.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Wire:
    """A status (0 where no answer came) and the bytes after the header section."""

    status: int
    content: bytes


def content_after_head(client: Client, path: str, name: str, headers: tuple[tuple[str, str], ...] = ()) -> Wire:
    """Send HEAD with ``Connection: close`` over HTTP/1.1 and read until the end; no proxy, no redirect."""
    target = urlsplit(client.url)
    fields = [
        ("Host", target.netloc),
        ("Connection", "close"),
        ("Accept-Encoding", "identity"),
        *headers,
        *client.extra,
    ]
    if authorization := client.authorization(name):
        fields.append(("Authorization", authorization))
    lines = [f"HEAD {target.path}{path} HTTP/1.1", *(f"{key}: {value}" for key, value in fields), "", ""]
    try:
        with _connect(target.hostname or "", target.port, target.scheme == "https", client.options) as connection:
            connection.sendall("\r\n".join(lines).encode("latin-1"))
            received = _read(connection)
    except OSError:
        return Wire(0, b"")
    head, _, content = received.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split()
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() and len(words[1]) == _DIGITS else 0
    return Wire(status, content if status >= 200 else content.partition(b"\r\n\r\n")[2])


def speaks_tls(url: str, timeout: float) -> bool:
    """Whether the server at the address of an ``http://`` URL completes a TLS handshake; seconds, and no proxy."""
    target = urlsplit(url)
    options = TransportOptions(timeout, insecure=True)
    try:
        with _connect(target.hostname or "", target.port or 80, True, options):
            return True
    except OSError:
        return False


def _connect(host: str, port: int | None, secure: bool, options: TransportOptions) -> socket.socket:
    connection = socket.create_connection((host, port or (443 if secure else 80)), timeout=options.timeout)
    connection.settimeout(_PATIENCE)
    if not secure:
        return connection
    context = ssl.create_default_context(cafile=options.ca_bundle)
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=host)


def _read(connection: socket.socket) -> bytes:
    received = b""
    end = time.monotonic() + _PATIENCE
    with suppress(TimeoutError):
        while len(received) < _LIMIT and (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    return received
