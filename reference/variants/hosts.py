"""Variants of addresses: redirects of any request, other hosts, and what stands before an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reference import server
from reference.app import Registry
from reference.messages import Application, Handler, Receive, Request, Response, Scope, Send
from reference.modifications import Variant, answers, override, wrap

_UPLOADS = ("upload.start", "upload.start-digest", "upload.mount", "upload.patch", "upload.put", "upload.get")
_LISTS = ("tags.list", "catalog.list", "referrers.list")


def other_host(request: Request) -> str:
    """The same place by another name."""
    name, _, port = request.headers.get("host").rpartition(":")
    return f"{'127.0.0.1' if name == 'localhost' else 'localhost'}:{port}"


def _sessions_elsewhere(_registry: Registry) -> None:
    def change(request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location.startswith("/"):
            here = request.headers.get("host")
            host = here if here.startswith("localhost") else other_host(request)
            response.headers.set("Location", f"{request.scheme}://{host}{location}")

    answers(*_UPLOADS, change=change)(_registry)
    _only_there(_registry)


def _only_there(registry: Registry) -> None:
    """Sessions are unknown under the address of the registry, and to who brings a login along."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if not request.headers.get("host").startswith("localhost"):
                return Response(404)
            if request.headers.get("authorization"):
                return Response(400)
            return await handler(request)

        return changed

    wrap(registry, ("upload.patch", "upload.put", "upload.get"), around)


def _host_forms(request: Request, response: Response) -> None:
    """A scheme and a host in capitals, and dot segments."""
    location = response.headers.get("Location")
    if location.startswith("/v2/"):
        port = request.headers.get("host").rpartition(":")[2]
        response.headers.set("Location", f"HTTP://LOCALHOST:{port}/v2/x/..{location[3:]}")


def _dots_resolved(application: Application) -> Application:
    """Take dot segments out of paths, for clients that leave them in."""

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if raw.startswith(b"/v2/x/../"):
            scope = {**scope, "raw_path": b"/v2/" + raw.removeprefix(b"/v2/x/../")}
        await application(scope, receive, send)

    return changed


def _moved(status: int, target: Callable[[Request], str], mark: str) -> Callable[[Handler], Handler]:
    """Redirect a request that has no mark in its query."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.query.get(mark) is not None:
                return await handler(request)
            query = "&".join(part for part in (request.query.raw, f"{mark}=1") if part)
            body = b"<html>moved</html>" if request.method != "HEAD" else b""
            where = f"{target(request)}{request.path}?{query}"
            return Response(status, [("Location", where), ("Content-Type", "text/html")], body)

        return changed

    return around


def _reads_redirected(registry: Registry) -> None:
    wrap(registry, ("manifest.get", "manifest.head"), _moved(308, lambda r: f"http://{other_host(r)}", "second"))
    wrap(registry, ("manifest.get", "manifest.head"), _moved(302, lambda _: "", "first"))
    wrap(registry, _LISTS, _moved(307, lambda _: "", "moved"))


def _writes_redirected(registry: Registry) -> None:
    writes = ("manifest.put", "manifest.delete", "blob.delete", "upload.start", "upload.mount", "upload.start-digest")
    wrap(registry, writes, _moved(307, lambda r: f"http://{other_host(r)}", "moved"))


def _only_slashed(application: Application) -> Application:
    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = (scope.get("raw_path") or b"").partition(b"?")[0]
        if raw == b"/v2":
            await Response(301, [("Location", "/v2/")]).send(send, head=scope["method"] == "HEAD")
        elif raw.endswith((b"/blobs/uploads", b"/tags/list/")):
            await Response(404).send(send, head=scope["method"] == "HEAD")
        else:
            await application(scope, receive, send)

    return changed


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
    def apply(_registry: Registry) -> None:
        made = server.Protocol.connection_made

        def changed(self: server.Protocol, transport: asyncio.Transport) -> None:
            made(self, _Rewriting(transport, change))  # type: ignore[arg-type]  # it hands on all but write

        override(server.Protocol, connection_made=changed)

    return apply


def _without_reason(data: bytes) -> bytes:
    line, _, rest = data.partition(b"\r\n")
    return line[: len(b"HTTP/1.1 200 ")] + b"\r\n" + rest


def _early_hints(data: bytes) -> bytes:
    return data if data.startswith(b"HTTP/1.1 1") else b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + data


def _http_1_0(data: bytes) -> bytes:
    return b"HTTP/1.0 " + data.removeprefix(b"HTTP/1.1 ")


VARIANTS = (
    Variant(
        name="location-other-host",
        title="Sessions are on another host, and only there.",
        latitude=("LOCATION-OTHER-HOST",),
        apply=_sessions_elsewhere,
    ),
    Variant(
        name="host-forms",
        title="Locations have scheme and host in capitals, and dot segments.",
        latitude=("HOST-FORMS", "LOCATION-RELATIVE"),
        apply=answers(change=_host_forms),
        layer=_dots_resolved,
    ),
    Variant(
        name="reads-redirected",
        title="Manifests and lists are redirected, over several steps, with a body.",
        latitude=("REDIRECT-ANY-READ",),
        apply=_reads_redirected,
    ),
    Variant(
        name="writes-redirected",
        title="Writes are redirected to another host by 307.",
        latitude=("REDIRECT-WRITE",),
        profiles=("oci-1.2-dev",),
        apply=_writes_redirected,
    ),
    Variant(
        name="slashes-matter",
        title="A path without its slash, or with one more, is another path.",
        latitude=("TRAILING-SLASH",),
        layer=_only_slashed,
    ),
    Variant(
        name="reason-empty",
        title="There is no reason phrase.",
        latitude=("HTTP-VERSION",),
        apply=_rewriting(_without_reason),
    ),
    Variant(
        name="http-1-0",
        title="Answers are of HTTP/1.0.",
        latitude=("HTTP-VERSION",),
        apply=_rewriting(_http_1_0),
    ),
    Variant(
        name="early-hints",
        title="Each answer is preceded by 103 Early Hints.",
        latitude=("INTERIM-RESPONSES",),
        apply=_rewriting(_early_hints),
    ),
)
