"""Small HTTP servers: each is a function from a request to an answer, and records requests."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Headers of one connection, which are not passed on.
HOP_BY_HOP = frozenset({"connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; Content-Length is added."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Tiny:
    """A running server."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serve(answer: Callable[[Asked], Answer], tls: tuple[Path, Path] | None = None) -> Iterator[Tiny]:
    """Serve on a free port of the loopback interface; with certificate and key over TLS."""
    tiny = Tiny("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the output of the tests clean."""

        def handle_any(self) -> None:
            """Answer one request."""
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            length = int(self.headers.get("Content-Length") or 0)
            body = b"".join(_chunks(self.rfile)) if chunked else self.rfile.read(length)
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            tiny.asked.append(asked)
            given = answer(asked)
            self.send_response_only(given.status)
            for name, value in given.headers:
                self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in given.headers):
                self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away, or trusts no certificate, is what the tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    tiny.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield tiny
    finally:
        server.shutdown()
        server.server_close()


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    """Give the parts of a body that is sent in chunks (RFC 9112, 7.1), without its trailers."""
    while size := int(stream.readline().partition(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass


def forward(asked: Asked, url: str, without: str = "authorization") -> Answer:
    """Pass a request on to another server, without one of its headers."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {k: v for k, v in asked.headers.items() if k not in {without, *HOP_BY_HOP}}
    try:
        connection.request(asked.method, asked.path, asked.body, headers)
        response = connection.getresponse()
        kept = tuple((k, v) for k, v in response.getheaders() if k.lower() not in HOP_BY_HOP)
        return Answer(response.status, response.read(), kept)
    finally:
        connection.close()


def certificate(folder: Path, name: str = "", signer: tuple[Path, Path] | None = None, *more: str) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key, with ``openssl``; nobody vouches for it but a signer.

    Args:
        folder: where cert.pem and key.pem are put.
        name: of the holder, and what the names of the files begin with.
        signer: certificate and key of who signs it; it signs itself without one.
        more: words of the command.
    """
    cert, key = folder / f"{name}cert.pem", folder / f"{name}key.pem"
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}tests"
    words = [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert), *more]
    words += ["-CA", str(signer[0]), "-CAkey", str(signer[1])] if signer else []
    subprocess.run(words, check=True, capture_output=True)
    return cert, key
