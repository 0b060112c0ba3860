"""What a client can make the server wait for, or keep, has an end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import requests
import uvicorn
from uvicorn.server import ServerState

from reference.app import Registry
from reference.connections import Limits, Protocol
from reference.grammar import digest_of
from reference.storage import turn
from reference.storage.memory import MemoryStorage
from tests.reference.conftest import Process

LINE = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n"
PATIENCE = 15
LARGE = bytes(64 << 20)


@contextmanager
def connected(registry: Process) -> Iterator[socket.socket]:
    with socket.create_connection(registry.host, timeout=PATIENCE) as connection:
        yield connection


def answer(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    return received


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(LINE + b"X-Long: ", id="value"),
        pytest.param(LINE, id="name"),
        pytest.param(b"GET /v2/", id="target"),
        pytest.param(
            b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", id="trailer"
        ),
        pytest.param(
            b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=", id="extension"
        ),
    ],
)
def test_a_head_without_end_is_cut_off(registry: Process, begin: bytes) -> None:
    with connected(registry) as connection:
        connection.sendall(begin)
        taken = 0
        try:
            for _ in range(256):
                taken += connection.send(b"a" * (1 << 18))
        except OSError:
            pass
        assert taken < 64 << 20
    assert requests.get(f"{registry.url}/v2/", timeout=5).status_code == 200


def test_a_long_head_is_refused_with_431(registry: Process) -> None:
    for header in (b"X-Long: " + b"a" * (70 << 10), b"\r\n".join(b"X-%d: %s" % (n, b"a" * 1000) for n in range(70))):
        with connected(registry) as connection:
            connection.sendall(LINE + header + b"\r\n\r\n")
            assert answer(connection).startswith(b"HTTP/1.1 431 ")
    fits = {f"X-{number}": "a" * 1000 for number in range(60)}
    assert requests.get(f"{registry.url}/v2/", headers=fits, timeout=5).status_code == 200


@asynccontextmanager
async def served(limits: Limits) -> AsyncIterator[tuple[int, Callable[[], list[Protocol]]]]:
    """A registry with limits of its own, whose connections are looked after all the time."""

    class Limited(Protocol):
        pass

    Limited.limits = limits
    config = uvicorn.Config(Registry(MemoryStorage()), http=Limited, lifespan="off", log_config=None)
    state, loop = ServerState(), asyncio.get_running_loop()
    config.load()
    server = await loop.create_server(lambda: Limited(config, state, {}, loop), "127.0.0.1", 0)

    def connections() -> list[Protocol]:
        return [connection for connection in state.connections if isinstance(connection, Protocol)]

    async def look() -> None:
        while True:
            await asyncio.sleep(0.05)
            for connection in connections():
                connection.check()

    looking = asyncio.create_task(look())
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        looking.cancel()
        server.close()
        for connection in connections():
            connection.transport.abort()
        await asyncio.sleep(0.1)


BODY = b"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"\r\n\r\n", b"", id="empty lines"),
        pytest.param(LINE, b"HTTP/1.1 408 ", id="half a head"),
        pytest.param(BODY, b"", id="half a body"),
        pytest.param(LINE + b"\r\n", b"HTTP/1.1 200 ", id="a request and no other"),
        pytest.param(LINE + b"\r\n" + LINE, b"HTTP/1.1 200 ", id="a request and half of another"),
    ],
)
def test_a_connection_on_which_nothing_comes_ends(sent: bytes, expected: bytes) -> None:
    async def check() -> None:
        async with served(Limits(head=0.3, idle=0.4, body=0.3)) as (port, connections):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answered = await asyncio.wait_for(reader.read(), 5)
            assert answered.startswith(expected)
            assert bool(answered) == bool(expected)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.1)
            assert not connections()

    asyncio.run(check())


def test_a_head_that_drips_ends_and_a_body_that_drips_goes_on() -> None:
    async def check() -> None:
        async with served(Limits(head=0.5, body=0.5)) as (port, _):
            head, head_writer = await asyncio.open_connection("127.0.0.1", port)
            body, body_writer = await asyncio.open_connection("127.0.0.1", port)
            head_writer.write(LINE + b"X: ")
            body_writer.write(BODY)
            for _ in range(12):
                await asyncio.sleep(0.1)
                head_writer.write(b"a")
                body_writer.write(b"a")
            assert (await asyncio.wait_for(head.read(100), 5)).startswith(b"HTTP/1.1 408 ")
            body_writer.write(b"a" * 84)
            assert (await asyncio.wait_for(body.read(100), 5)).startswith(b"HTTP/1.1 400 ")
            for writer in (head_writer, body_writer):
                writer.close()

    asyncio.run(check())


def test_an_answer_that_nobody_takes_ends() -> None:
    async def check() -> None:
        async with served(Limits(send=0.5)) as (port, connections):
            query = f"digest={digest_of(LARGE)}"
            answered = await asyncio.to_thread(
                requests.post, f"http://127.0.0.1:{port}/v2/a/blobs/uploads/?{query}", LARGE
            )
            assert answered.status_code == 201
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.write(f"GET {answered.headers['Location']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            for _ in range(100):
                await asyncio.sleep(0.1)
                if not any(connection.flow.write_paused for connection in connections()):
                    break
            assert not any(connection.flow.write_paused for connection in connections())
            writer.transport.abort()

    asyncio.run(check())


async def half_patched(port: int) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a session and send the first half of a chunk, and no more."""
    host = f"http://127.0.0.1:{port}"
    opened = await asyncio.to_thread(requests.post, f"{host}/v2/a/blobs/uploads/")
    path = opened.headers["Location"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf".encode())
    await asyncio.sleep(0.2)
    return host + path, reader, writer


@pytest.mark.parametrize(("method", "status"), [("PATCH", 202), ("PUT", 201), ("DELETE", 204)])
def test_a_request_that_stands_still_gives_its_session_up(
    method: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client went away without a word, as behind a NAT that forgot it; it comes again."""
    monkeypatch.setattr(turn, "AWAITED", 0.3)

    async def check() -> None:
        async with served(Limits()) as (port, _):
            url, reader, writer = await half_patched(port)
            if method == "PUT":
                url += f"?digest={digest_of(b'half and half')}"
            again = await asyncio.to_thread(requests.request, method, url, data=b" and half", timeout=5)
            assert again.status_code == status
            assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await writer.wait_closed()

    asyncio.run(check())


def test_a_request_that_goes_on_keeps_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "AWAITED", 0.5)
    monkeypatch.setattr(turn, "LONGEST", 1.0)

    async def check() -> None:
        async with served(Limits()) as (port, _):
            url, _, writer = await half_patched(port)
            other = asyncio.create_task(asyncio.to_thread(requests.delete, url, timeout=10))
            while not other.done():
                writer.write(b"a")
                await asyncio.sleep(0.1)
            refused = await other
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
            assert (await asyncio.to_thread(requests.get, url, timeout=5)).status_code == 204
            writer.close()
            await writer.wait_closed()

    asyncio.run(check())
