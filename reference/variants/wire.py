"""Variants of HTTP itself: framing, header names, connections, time."""

from __future__ import annotations

import asyncio
import itertools
import re
from email.utils import formatdate
from typing import Any

from reference import server
from reference.app import Registry
from reference.messages import Application, Receive, Request, Response, Scope, Send
from reference.modifications import Variant, answers, override, set_header

_NAME = re.compile(rb"(?<=\r\n)[A-Za-z0-9-]+(?=: )")
_BUSY = (10, 200)
_BURST_EACH, _BURST = 220, 3
_SLOW_EACH, _SLOW = 300, 1.5
_DEAD_ONE_IN = 67


class _Recasing:
    """A transport that writes header names in turning case."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Change the head of a response, and nothing else."""
        head, separator, rest = data.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 "):
            head = _NAME.sub(lambda match: _turning(match[0]), head)
        self._transport.write(head + separator + rest)


def _turning(name: bytes) -> bytes:
    return bytes(
        letter ^ 0x20 if number % 2 and chr(letter).isalpha() else letter for number, letter in enumerate(name)
    )


def _recased(_registry: Registry) -> None:
    made = server.Protocol.connection_made

    def changed(self: server.Protocol, transport: asyncio.Transport) -> None:
        made(self, _Recasing(transport))  # type: ignore[arg-type]  # it hands on all but write

    override(server.Protocol, connection_made=changed)


def _unsized(_request: Request, response: Response) -> None:
    if response.status == 200 and response.length:
        response.sized = False


def _more_headers(_request: Request, response: Response) -> None:
    for name, value in (
        ("Server", "reference"),
        ("Via", "1.1 proxy"),
        ("X-Request-Id", "0"),
        ("Strict-Transport-Security", "max-age=0"),
        ("Vary", "Cookie"),
        ("Set-Cookie", "session=1; Path=/; HttpOnly"),
        ("Set-Cookie", "lang=en"),
    ):
        response.headers.add(name, value)


def _cookies_refused(registry: Registry) -> None:
    """Who brings a cookie back is taken for a browser, and needs a token to write."""
    answer = registry.answer

    async def changed(request: Request) -> Response:
        if request.headers.get("cookie") and request.method not in ("GET", "HEAD"):
            return Response(403, [("Content-Type", "text/html")], b"<p>CSRF token missing</p>")
        return await answer(request)

    override(registry, answer=changed)
    answers(change=lambda _request, response: response.headers.add("Set-Cookie", "sid=1; Path=/"))(registry)


def _slow(application: Application) -> Application:
    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.01)
        await application(scope, receive, send)

    return changed


def _busy(application: Application) -> Application:
    """Two requests are answered 429; they come again."""
    count = itertools.count(1)

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        if next(count) in _BUSY:
            response = Response(429, [("Retry-After", "1")])
            await response.send(send, head=scope["method"] == "HEAD")
        else:
            await application(scope, receive, send)

    return changed


def _bursts(application: Application) -> Application:
    """Now and then several requests in a row are answered 429, in turn with a date, with seconds and without a word."""
    count = itertools.count(1)

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        number = next(count)
        if number % _BURST_EACH < _BURST and number > _BURST_EACH:
            hint = (("Retry-After", formatdate(usegmt=True)), ("Retry-After", "0"), None)[number // _BURST_EACH % 3]
            await Response(429, [hint] if hint else []).send(send, head=scope["method"] == "HEAD")
        else:
            await application(scope, receive, send)

    return changed


def _gateway(application: Application) -> Application:
    """One of many servers behind a gateway is dead; the first requests go by the others."""
    count = itertools.count(1)

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        if next(count) % _DEAD_ONE_IN == 0:
            body = b"<html><body>Bad Gateway</body></html>"
            await Response(502, [("Content-Type", "text/html")], body).send(send, head=scope["method"] == "HEAD")
        else:
            await application(scope, receive, send)

    return changed


def _counted(registry: Registry) -> None:
    """The pulls of manifests of the day are used up; nothing else is counted."""
    handler = registry.handlers["manifest.get"]

    async def changed(request: Request) -> Response:
        if request.method == "HEAD":
            return await handler(request)
        headers = [("Retry-After", "21600"), ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "0;w=21600")]
        body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "the limit of pulls is reached"}]}'
        return Response(429, [("Content-Type", "application/json"), *headers], body)

    registry.handlers["manifest.get"] = changed


def _slow_now_and_then(application: Application) -> Application:
    """Now and then an answer takes long."""
    count = itertools.count(1)

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        if next(count) % _SLOW_EACH == 0:
            await asyncio.sleep(_SLOW)
        await application(scope, receive, send)

    return changed


def _warned(_request: Request, response: Response) -> None:
    response.headers.add("Warning", '299 - "this registry is a variant"')
    response.headers.add("Warning", '299 - "and \\"quotes\\" its warnings"')


VARIANTS = (
    Variant(
        name="body-chunked",
        title="Bodies are sent in chunks, without Content-Length.",
        latitude=("BODY-CHUNKED-NO-LENGTH",),
        profiles=("oci-1.0", "oci-1.1", "oci-1.2-dev"),
        warns=("PULL-MANIFEST-GET-CONTENT-LENGTH", "PULL-BLOB-GET-CONTENT-LENGTH"),
        apply=answers(
            "base.get", "manifest.get", "blob.get", "tags.list", "catalog.list", "referrers.list", change=_unsized
        ),
    ),
    Variant(
        name="header-names-cased",
        title="Header names are written in turning case.",
        latitude=("HEADER-NAME-CASE",),
        apply=_recased,
    ),
    Variant(
        name="headers-more",
        title="Every answer has further headers.",
        latitude=("HEADERS-EXTRA",),
        apply=answers(change=_more_headers),
    ),
    Variant(
        name="cookies",
        title="Cookies are set, and a request that brings them back cannot write.",
        latitude=("COOKIES",),
        apply=_cookies_refused,
    ),
    Variant(
        name="connection-close",
        title="The connection is closed after each answer.",
        latitude=("CONNECTION-CLOSED",),
        apply=answers(change=set_header("Connection", "close")),
    ),
    Variant(
        name="slow",
        title="Every answer takes a while.",
        latitude=("SLOW-ANSWERS",),
        layer=_slow,
    ),
    Variant(
        name="busy",
        title="Now and then a request is answered 429 with Retry-After.",
        latitude=("BUSY-429-OR-503",),
        layer=_busy,
    ),
    Variant(
        name="busy-in-bursts",
        title="Now and then some requests in a row are answered 429: with a date, with seconds, without Retry-After.",
        latitude=("BUSY-429-OR-503",),
        warns=("BASE-RATE-RETRY-AFTER",),
        layer=_bursts,
    ),
    Variant(
        name="gateway-with-a-dead-server",
        title="Now and then a request is answered 502.",
        latitude=("BUSY-429-OR-503",),
        undecided=True,
        layer=_gateway,
    ),
    Variant(
        name="pulls-used-up",
        title="Each GET of a manifest is answered 429: the limit of pulls is reached.",
        latitude=("BUSY-429-OR-503",),
        undecided=True,
        apply=_counted,
    ),
    Variant(
        name="slow-now-and-then",
        title="Now and then an answer takes more than a second.",
        latitude=("SLOW-ANSWERS",),
        layer=_slow_now_and_then,
    ),
    Variant(
        name="tls-only",
        title="The registry is reached by TLS, with a certificate of its own.",
        latitude=("TLS-VARIES",),
        configuration="tls",
    ),
    Variant(
        name="warnings",
        title="Every answer has two warnings.",
        latitude=("WARNING-HEADERS",),
        apply=answers(change=_warned),
    ),
)
