"""Variants of limits of the rate and gateways."""

from __future__ import annotations

import itertools
from email.utils import formatdate

from reference.app import Registry
from reference.messages import Application, Handler, Receive, Request, Response, Scope, Send
from reference.modifications import Variant, around

_BUSY = (10, 200)
_BURST_EACH = 220
_BURST = 3
_DEAD_ONE_IN = 67


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
    """Several requests in a row are answered 429, with a date, with seconds, or with neither."""
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


@around("manifest.get")
async def _counted(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The pulls of manifests of the day are used up; nothing else is counted."""
    if request.method == "HEAD":
        return await handler(request)
    headers = [("Retry-After", "21600"), ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "0;w=21600")]
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "the limit of pulls is reached"}]}'
    return Response(429, [("Content-Type", "application/json"), *headers], body)


VARIANTS = (
    Variant(
        name="busy",
        title="A request gets 429 with Retry-After now and then.",
        latitude=("BUSY-429-OR-503",),
        layer=_busy,
    ),
    Variant(
        name="busy-in-bursts",
        title="Some requests in a row get 429 now and then: with a date, with seconds, without Retry-After.",
        latitude=("BUSY-429-OR-503",),
        warns=("BASE-RATE-RETRY-AFTER",),
        layer=_bursts,
    ),
    Variant(
        name="gateway-with-a-dead-server",
        title="A request gets 502 now and then.",
        latitude=("BUSY-429-OR-503",),
        undecided=True,
        layer=_gateway,
    ),
    Variant(
        name="pull-limit-reached",
        title="Each GET of a manifest returns 429: the limit of pulls is reached.",
        latitude=("BUSY-429-OR-503",),
        undecided=True,
        apply=_counted,
    ),
)
