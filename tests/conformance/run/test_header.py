"""``--header`` goes with each request to the registry, to no other host, and into no output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from conformance.client.client import Call, Client
from conformance.client.curl import command
from conformance.client.http.transport import Transport, TransportOptions
from conformance.client.login.authentication import Authenticator
from conformance.client.redaction import REMOVED, Redactor


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(self.headers.get_all("X-Key", []))  # type: ignore[attr-defined]  # set below
        self.send_response(307 if self.server.leads_to else 200)  # type: ignore[attr-defined]  # as above
        if self.server.leads_to:  # type: ignore[attr-defined]  # as above
            self.send_header("Location", self.server.leads_to)  # type: ignore[attr-defined]  # as above
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def servers() -> Iterator[tuple[ThreadingHTTPServer, ThreadingHTTPServer]]:
    """A registry that redirects, and the host that it redirects to."""
    pair = (ThreadingHTTPServer(("127.0.0.1", 0), _Handler), ThreadingHTTPServer(("127.0.0.1", 0), _Handler))
    for server, leads_to in zip(pair, (f"http://127.0.0.1:{pair[1].server_port}/x", ""), strict=True):
        server.seen, server.leads_to = [], leads_to  # type: ignore[attr-defined]  # read by the handler
        Thread(target=server.serve_forever, daemon=True).start()
    yield pair
    for server in pair:
        server.shutdown()
        server.server_close()


def test_it_goes_to_the_registry_alone(servers: tuple[ThreadingHTTPServer, ThreadingHTTPServer]) -> None:
    url = f"http://127.0.0.1:{servers[0].server_port}"
    redactor = Redactor()
    client = Client(url, Transport(TransportOptions(), "x"), Authenticator(None, redactor, url), redactor)
    client.extra = (("X-Key", "c4nary"),)
    assert client.send(Call("GET", f"{url}/v2/")).status == 200
    assert servers[0].seen == [["c4nary"]]  # type: ignore[attr-defined]  # set above
    assert servers[1].seen == [[]]  # type: ignore[attr-defined]  # set above
    shown = [dict(exchange.request.headers).get("X-Key") for exchange in client.exchanges]
    assert shown == [REMOVED, None]
    assert '-H "$REGISTRY_HEADER"' in command(client.exchanges[0])
    assert "c4nary" not in json.dumps([command(exchange) for exchange in client.exchanges])
