"""The short way through the head of an answer ends where the standard library's does."""

from __future__ import annotations

import io
import random
import socket
from typing import Any, cast

import pytest

from conformance.client.http import interim

_STATUS = (
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 204",
    "HTTP/1.1 304 Not  Modified ",
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.1  200 OK",
    "HTTP/2 200",
    "HTTP/1.1 999 x",
    "HTTP/1.1 2000 x",
    "HTTP/0.9 200 a",
    "HTTP/1.1 404 ",
    "HTTP/1.1 500 \xe9",
)
_NAMES = ("Content-Length", "Transfer-Encoding", "Connection", "X", "x", "Keep-Alive", "From ", "", "A b", "Docker\xe9")
_VALUES = (
    *("5", "0", "-3", "+4", "1_0", "5, 5", "chunked", " chunked", "close", "Close, x", "keep-alive", ""),
    *("a\xe9", "  \t v \t ", "a\x0bb", "a\x85b", "a\rb", "\x00"),
)


class _Source:
    """What a response asks of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(cast(Any, io.BytesIO(self._data)))


def _head(choose: random.Random) -> bytes:
    fields = choose.choice([0, 1, 2, 3, 4, 5, choose.randrange(96, 104)])
    lines = [choose.choice(_STATUS)]
    lines += [f"{choose.choice(_NAMES)}{choose.choice((':', ': '))}{choose.choice(_VALUES)}" for _ in range(fields)]
    if choose.random() < 0.05:
        lines.append(choose.choice((" folded", "without a colon")))
    end = choose.choice(["\r\n"] * 6 + ["\n"])
    data = "".join(line + end for line in (*lines, "")).encode("latin-1") + b"hello world"
    return data[: choose.randrange(len(data))] if choose.random() < 0.1 else data


def _seen(data: bytes, method: str) -> tuple[object, ...]:
    response = interim._Response(cast(socket.socket, _Source(data)), method=method)
    try:
        response.begin()
    except Exception as error:
        return type(error).__name__, str(error)
    made = response.version, response.status, response.reason, response.chunked, response.length
    rest = response.fp.read() if cast(Any, response.fp) else b""
    return *made, response.will_close, response.headers.items(), response.headers.get_all("x"), rest


def test_heads_are_read_as_the_standard_library_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = random.Random(7)
    heads = [(_head(choose), choose.choice(("GET", "HEAD"))) for _ in range(3000)]
    short = [_seen(*head) for head in heads]
    plain = sum(interim._Lines(io.BytesIO(data)).plain() is not None for data, _ in heads)
    monkeypatch.setattr(interim._Lines, "plain", lambda _self: None)
    assert short == [_seen(*head) for head in heads]
    assert plain > 300


def test_a_first_line_that_is_none_is_refused_before_more_is_read() -> None:
    lines = interim._Lines(io.BytesIO(b"garbage\r\nmore\r\n"))
    assert lines.plain() is None
    assert lines.readline() == b"garbage\r\n"
    assert lines._source.read() == b"more\r\n"
