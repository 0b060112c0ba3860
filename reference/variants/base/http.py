"""Variants of HTTP itself: headers, codings, connections and time."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.messages import Application, Receive, Request, Response, Scope, Send
from reference.modifications import OCI, Variant, answers, override, set_header

_LISTS = ("tags.list", "catalog.list", "referrers.list")
_NAME = re.compile(rb"(?<=\r\n)[A-Za-z0-9-]+(?=: )")
_SLOW_EACH = 300
_SLOW = 1.5


class _Rewriting:
    """A transport that changes the head of each response."""

    def __init__(self, transport: asyncio.Transport, change: Callable[[bytes], bytes]) -> None:
        self._transport = transport
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Change a status line, where the data begins with one."""
        self._transport.write(self._change(data) if data.startswith(b"HTTP/1.1 ") else data)


def _rewriting(change: Callable[[bytes], bytes]) -> Callable[[Registry], None]:
    def apply(registry: Registry) -> None:
        registry.wraps.append(lambda transport: _Rewriting(transport, change))

    return apply


def _without_reason(data: bytes) -> bytes:
    line, _, rest = data.partition(b"\r\n")
    return line[: len(b"HTTP/1.1 200 ")] + b"\r\n" + rest


def _http_1_0(data: bytes) -> bytes:
    return b"HTTP/1.0 " + data.removeprefix(b"HTTP/1.1 ")


def _early_hints(data: bytes) -> bytes:
    return data if data.startswith(b"HTTP/1.1 1") else b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + data


def _charset(_request: Request, response: Response) -> None:
    if response.headers.get("Content-Type") == "application/json":
        response.headers.set("Content-Type", "Application/JSON; charset=utf-8")


def _loose(_request: Request, response: Response) -> None:
    """Other white space, order and escapes, and members that nobody knows."""
    if (response.status != 200 and response.status < 400) or not response.body:
        return
    body = json.loads(response.body)
    text = json.dumps({"x-comment": "\u00e9", **dict(reversed(body.items()))}, indent=3)
    response.body = f"\n{text}\n".encode()


def _unsized_head(request: Request, response: Response) -> None:
    if request.method == "HEAD" and response.status == 200:
        response.sized = False


def _coded(request: Request, response: Response) -> None:
    if response.body and "gzip" in request.headers.get("accept-encoding"):
        response.body = gzip.compress(response.body, mtime=0)
        response.headers.set("Content-Encoding", "gzip")
        response.headers.set("Vary", "Accept-Encoding")


def _with_body(_request: Request, response: Response) -> None:
    if response.status in (201, 202) and not response.body:
        response.body = b'{"status": "ok"}'
        response.headers.set("Content-Type", "application/json")


def _unsized(_request: Request, response: Response) -> None:
    if response.status == 200 and response.length:
        response.sized = False


def _turning(name: bytes) -> bytes:
    return bytes(
        letter ^ 0x20 if number % 2 and chr(letter).isalpha() else letter for number, letter in enumerate(name)
    )


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


def _recased(registry: Registry) -> None:
    registry.wraps.append(_Recasing)


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


def _slow_now_and_then(application: Application) -> Application:
    """Now and then an answer takes long."""
    count = itertools.count(1)

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        if next(count) % _SLOW_EACH == 0:
            await asyncio.sleep(_SLOW)
        await application(scope, receive, send)

    return changed


VARIANTS = (
    Variant(
        name="reason-empty",
        title="There is no reason phrase.",
        latitude=("HTTP-VERSION",),
        apply=_rewriting(_without_reason),
    ),
    Variant(name="http-1-0", title="Answers are of HTTP/1.0.", latitude=("HTTP-VERSION",), apply=_rewriting(_http_1_0)),
    Variant(
        name="early-hints",
        title="Each answer is preceded by 103 Early Hints.",
        latitude=("INTERIM-RESPONSES",),
        apply=_rewriting(_early_hints),
    ),
    Variant(
        name="json-with-charset",
        title="JSON is labelled with a charset, and in other letters.",
        latitude=("ERROR-CONTENT-TYPE",),
        apply=answers(change=_charset),
    ),
    Variant(
        name="json-with-more-members",
        title="Lists and errors have other white space, another order and further members.",
        latitude=("JSON-LAYOUT", "JSON-EXTRA-MEMBERS"),
        apply=answers(*_LISTS, change=_loose),
    ),
    Variant(
        name="head-without-length",
        title="HEAD has no Content-Length.",
        latitude=("HEAD-WITHOUT-LENGTH",),
        profiles=("oci-1.0", "oci-1.1"),
        warns=("PULL-MANIFEST-HEAD-CONTENT-LENGTH", "PULL-BLOB-HEAD-CONTENT-LENGTH"),
        apply=answers("manifest.head", "blob.head", change=_unsized_head),
    ),
    Variant(
        name="coded-where-accepted",
        title="Lists and manifests are compressed for who accepts that.",
        latitude=("CODING-OF-LISTS", "CODING-OF-CONTENT"),
        apply=answers(*_LISTS, "manifest.get", change=_coded),
    ),
    Variant(
        name="success-with-body",
        title="201 and 202 have a body.",
        latitude=("SUCCESS-BODY-OR-NONE",),
        profiles=OCI,
        warns=(
            "PUSH-START-BODY-EMPTY",
            "PUSH-PUT-BODY-EMPTY",
            "PUSH-PATCH-BODY-EMPTY",
            "PUSH-MANIFEST-BODY-EMPTY",
            "MGMT-BLOB-DELETE-HEADERS",
        ),
        apply=answers(change=_with_body),
    ),
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
    Variant(name="slow", title="Every answer takes a while.", latitude=("SLOW-ANSWERS",), layer=_slow),
    Variant(
        name="slow-now-and-then",
        title="An answer takes more than a second now and then.",
        latitude=("SLOW-ANSWERS",),
        layer=_slow_now_and_then,
    ),
    Variant(
        name="tls-only",
        title="The registry is reached by TLS, with a certificate of its own.",
        latitude=("TLS-VARIES",),
        configuration="tls",
    ),
)
