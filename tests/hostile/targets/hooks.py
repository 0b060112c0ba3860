"""Targets that behave, and whose posts to the suite's own listener do not."""

from __future__ import annotations

from tests.hostile.case import Hostile
from tests.hostile.posts import Pester, body, deep, head, many, nonsense, sending

_CHUNKED = head("Transfer-Encoding: chunked")


def _post(name: str, how: Pester) -> Hostile:
    return Hostile(name, methods=frozenset(), pesters=how, listens=True)


CASES = (
    _post("post-endless", sending(head(), b"x" * 65536)),
    _post("post-endless-of-a-length", sending(head("Content-Length: 999999999999"), b"x" * 65536)),
    _post("post-endless-chunked", sending(_CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n")),
    _post("post-endless-trailer", sending(_CHUNKED + b"0\r\n", b"A: b\r\n" * 9999)),
    _post("post-endless-head", sending(b"POST / HTTP/1.1\r\n", b"X-More: x\r\n" * 9999)),
    _post("post-drips", sending(head("Content-Length: 1000"), b"x", 0.1)),
    _post("post-head-drips", sending(b"POST / HTTP/1.1\r\nX: ", b"x", 0.1)),
    _post("post-shorter-than-announced", sending(head("Content-Length: 1000") + b"{}")),
    _post("post-longer-than-announced", sending(head("Content-Length: 2") + b"{}" * 5000)),
    _post("post-lengths-that-differ", sending(head("Content-Length: 2", "Content-Length: 5") + b"{}xxx")),
    _post("post-length-nonsense", sending(head("Content-Length: -1e9"))),
    _post("post-garbage", sending(b"\x16\x03\x01\x02\x00" + b"\xff" * 500)),
    _post("post-deep", body(deep)),
    _post("post-many-events", body(many)),
    _post("post-nonsense-events", body(nonsense)),
)
