"""Targets with hostile status lines and header fields."""

from __future__ import annotations

from tests.hostile.answers import drip, fixed, forever, head, interim, silent_after, whole
from tests.hostile.case import ALL, ANYWHERE, READS, REFUSALS, UPLOADS, WRITES, Hostile

_UTF8 = b"HTTP/1.1 200 \xff\xfe\r\nLocation: \xff\xc0\xaf\r\nContent-Length: 0\r\n\r\n"
_HTTP_2 = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"
_COOKIES = tuple(f"Set-Cookie: c{n}=v" for n in range(1000))

CASES = (
    Hostile("headers-endless", forever(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n" * 5000)),
    Hostile("header-endless", forever(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536)),
    Hostile("headers-drip", drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.2), innocent=True),
    Hostile("status-drips", drip(b"HTTP/1.1 ", b"2", 0.2), ANYWHERE, READS, 0, innocent=True, endings=REFUSALS),
    Hostile("status-endless", forever(b"HTTP/1.1 200 ", b"O" * 65536)),
    Hostile("headers-a-thousand", fixed(whole(b"{}", "a/b", "200 OK", *_COOKIES))),
    Hostile("header-injection", fixed(head("200 OK", "Docker-Content-Digest: a\rb\x00c\x0b: d", "Content-Length: 0"))),
    Hostile("header-etag-of-a-login", fixed(whole(b"{}", "a/b", "200 OK", 'ETag: "Basic dXNlcjpzZWNyZXQ="'))),
    Hostile("header-folded", fixed(head("200 OK", "Docker-Content-Digest: a\r\n b\r\n\tc", "Content-Length: 0"))),
    Hostile("header-without-colon", fixed(b"HTTP/1.1 200 OK\r\nno colon here\r\n: no name\r\n\r\n")),
    Hostile("header-invalid-utf-8", fixed(_UTF8)),
    Hostile("status-nonsense", fixed(b"HTTP/1.1 abc\r\n\r\n")),
    Hostile("status-1000", fixed(b"HTTP/1.1 1000 Many\r\nContent-Length: 0\r\n\r\n")),
    Hostile("status-negative", fixed(b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n")),
    Hostile("status-101", fixed(head("101 Switching Protocols", "Upgrade: h2c") + b"\x00\x01" * 500)),
    Hostile("interim-endless", interim),
    Hostile("interim-and-nothing", silent_after(head("100 Continue")), UPLOADS, WRITES, innocent=True),
    Hostile("interim-and-nothing-everywhere", silent_after(head("103 Early Hints")), ANYWHERE, ALL, 60, innocent=True),
    Hostile("http-0.9", fixed(b"<html>hello</html>")),
    Hostile("http-0.9-from-the-start", fixed(b"<html>hello</html>"), ANYWHERE, ALL, 0, endings=REFUSALS),
    Hostile("http-2-from-the-start", fixed(_HTTP_2), ANYWHERE, ALL, 0, endings=REFUSALS),
)
