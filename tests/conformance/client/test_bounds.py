"""The client at answers without an end, at dead servers, and after the end of the time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from conformance.client.client import Call
from conformance.client.http.exchange import Headers, Response
from conformance.client.http.transport import OVER
from conformance.client.login.authentication import _read_token
from conformance.client.redaction import Redactor
from tests.conformance.client.test_client import client_of
from tests.support.scripted.server import Answer, Asked, serve

_MIB = 1 << 20


@contextmanager
def raw(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server that answers each connection by hand; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        answer(connection, connection.recv(65536))

        threading.Thread(target=work, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def get(path: str, operation: str = "blob.get") -> Callable[[str], Call]:
    return lambda url: Call("GET", url + path, operation)


@pytest.mark.parametrize("lives", [True, False])
def test_what_fails_twice_is_held_against_a_server_that_lives(lives: bool) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        if lives and request.startswith(b"GET /v2/ "):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with raw(answer) as url, client_of(url) as client:
        found = client.send(get("/v2/a/blobs/x")(url))
    assert (found.status, found.repeated) == (0, lives)


@pytest.mark.parametrize(
    ("piece", "count", "read"), [('"a"', 400_000, True), ('{"a": 1}', 30_000, True), ("{}", 1_000_000, False)]
)
def test_how_full_a_body_may_be(piece: str, count: int, read: bool) -> None:
    body = f"[{','.join([piece] * count)}]".encode()
    begin = time.monotonic()
    assert (Response(200, "", Headers(), body).json is not None) is read
    assert time.monotonic() - begin < 10


def test_a_list_that_is_too_long_for_us_accuses_nobody() -> None:
    with serve(lambda _: Answer(200, b"x" * (5 * _MIB))) as target, client_of(target.url) as client:
        found = client.send(get("/v2/_catalog", "catalog.list")(target.url))
        assert "longer than" in found.failure
        assert not found.repeated
        assert len(target.asked) == 1


@pytest.mark.parametrize(
    ("status", "operation", "size", "whole"),
    [
        (200, "manifest.get", 4 * _MIB, True),
        (200, "manifest.get", 6 * _MIB, False),
        (200, "blob.get", 15 * _MIB, True),
        (200, "blob.get", 17 * _MIB, False),
        (404, "blob.get", 2 * _MIB, False),
    ],
)
def test_how_much_is_read(status: int, operation: str, size: int, whole: bool) -> None:
    with serve(lambda _: Answer(status, b"x" * size)) as target, client_of(target.url) as client:
        found = client.send(get("/v2/a/b", operation)(target.url))
        kept = client.exchanges[0].response
    assert bool(found.failure) is not whole
    if whole:
        assert len(found.body) == size
        # Until the scenario ends there is no more than its digest.
        assert kept is not None
        assert (kept.size, kept.body, kept.digest) == (size, b"", found.content_digest())


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 2", b""])
def test_a_head_that_ends_early_is_no_answer(head: bytes) -> None:
    with raw(lambda connection, _: connection.sendall(head)) as url, client_of(url) as client:
        found = client.send(Call("POST", url + "/v2/a/blobs/uploads/"))
    assert found.status == 0
    assert "connection broke" in found.failure


def test_a_request_that_is_not_taken() -> None:
    """Each piece of a body may be taken in time, and all of them not."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        for _ in range(200):
            connection.recv(65536)
            time.sleep(0.1)

    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            time.sleep(0.1)
            yield b"x" * 65536

    with raw(answer) as url, client_of(url) as client:
        client._transport.options = type(client._transport.options)(timeout=0.5)
        begin = time.monotonic()
        found = client.send(Call("PUT", url + "/v2/a", headers=(("Content-Length", str(200 * 65536)),), payload=pieces))
        assert time.monotonic() - begin < 10
    assert "time-out" in found.failure


def test_nothing_is_sent_when_the_time_is_over() -> None:
    def busy(_asked: Asked) -> Answer:
        return Answer(429, b"", (("Retry-After", "1"),))

    with serve(busy) as target, client_of(target.url) as client:
        client._transport.until = time.monotonic() + 0.2
        # No pause is begun that would not end in time.
        assert client.send(get("/v2/")(target.url)).status == 429
        client._transport.until = time.monotonic() - 1
        found = client.send(get("/v2/")(target.url))
        assert (found.failure, found.repeated, len(target.asked)) == (OVER, False, 1)


@pytest.mark.parametrize("seconds", [10**400, 1e308, "x", True, -1, None, [], 0])
def test_lifetimes_of_tokens(seconds: object) -> None:
    body = json.dumps({"token": "t", "expires_in": seconds}).encode()
    token, lifetime = _read_token(Response(200, "", Headers(), body))
    assert token == "t"
    assert 0 < lifetime <= 86_400


def test_a_token_service_that_gives_none_accuses_nobody() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(503)
        return Answer(401, b"", (("WWW-Authenticate", f'Bearer realm="http://{asked.headers["host"]}/token"'),))

    with serve(answer) as target, client_of(target.url) as client:
        found = client.send(get("/v2/a/blobs/x")(target.url))
    assert (found.status, found.withheld) == (401, "the token service gave no token: status 503")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p@h/x", "http://h/x"),
        ("/x?t=eyJhbGciOiJ.eyJzdWIiOiJ.c2lnbmF0dXJl&a=b", "/x?t=(removed)&a=b"),
        ('"Basic dXNlcjpzZWNyZXQ="', '"(removed)"'),
        ("http://h/a@b", "http://h/a@b"),
    ],
)
def test_what_looks_like_a_credential_is_not_written_down(text: str, shown: str) -> None:
    assert Redactor().sent(text) == shown
