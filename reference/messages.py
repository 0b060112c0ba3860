"""Requests and responses, a thin layer on ASGI."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"
BINARY = "application/octet-stream"
API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a request did, for those who are notified: to what, and in ``kind`` (manifests, blobs) where it is now.

    ``source`` is the repository that a blob was mounted from, ``content`` that of a manifest.
    """

    action: str
    digest: str = ""
    kind: str = ""
    media_type: str = ""
    size: int | None = None
    tag: str = ""
    source: str = ""
    content: bytes = b""


class Disconnected(Exception):
    """The client went away in the middle of the request body."""


class Silent(Disconnected):
    """The client may still be there, but nothing more of the request body came."""


class Content(Protocol):
    """Bytes of known length that can be read in part, without holding them all."""

    @property
    def size(self) -> int:
        """The length in bytes."""

    def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` on, ``length`` of them, in pieces."""

    def close(self) -> None:
        """Give up what is held open."""


class Headers:
    """Header fields in order; names compare without case."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: list[tuple[str, str]] = list(pairs)

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        wanted = name.lower()
        return next((value for key, value in self.pairs if key.lower() == wanted), default)

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        wanted = name.lower()
        return [value for key, value in self.pairs if key.lower() == wanted]

    def set(self, name: str, value: str) -> None:
        """Replace every field of that name by one."""
        self.drop(name)
        self.pairs.append((name, value))

    def add(self, name: str, value: str) -> None:
        """One more field."""
        self.pairs.append((name, value))

    def drop(self, name: str) -> None:
        """Remove every field of that name."""
        wanted = name.lower()
        self.pairs = [(key, value) for key, value in self.pairs if key.lower() != wanted]

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self.pairs)


class Query:
    """Query parameters, decoded; a plus sign is a blank."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.pairs = parse_qsl(raw, keep_blank_values=True, errors="replace") if raw else []

    def get(self, name: str) -> str | None:
        """The first value of that name, or None."""
        return next((value for key, value in self.pairs if key == name), None)

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        return [value for key, value in self.pairs if key == name]


class Request:
    """One request; ``operation``, ``name`` and ``reference`` are filled in by the router."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"].upper()
        raw = scope.get("raw_path") or scope["path"].encode()
        #: Below which path the application is mounted.
        self.root: str = scope.get("root_path", "").rstrip("/")
        self.path: str = raw.decode("latin-1").split("?", 1)[0].removeprefix(self.root)
        self.query = Query(scope.get("query_string", b"").decode("latin-1"))
        self.headers = Headers((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
        self.scheme: str = scope.get("scheme", "http")
        self.operation = ""
        self.name = ""
        self.reference = ""
        #: Who makes it, where a login told.
        self.user = ""
        # A socket for both families shows addresses of IPv4 as mapped ones.
        self.began = time.monotonic()
        self.address = ":".join(map(str, scope.get("client") or ())).removeprefix("::ffff:")
        self._receive = receive
        #: How long the next piece of the body is waited for, where somebody else waits as well.
        self.listen: Callable[[Receive], Awaitable[Message]] | None = None

    @cached_property
    def id(self) -> str:
        """The name of the request in logs and notifications."""
        return str(uuid.uuid4())

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes in; raises ``Disconnected`` when it breaks off."""
        more = True
        while more:
            try:
                message = await (self._receive() if self.listen is None else self.listen(self._receive))
            except TimeoutError:
                raise Silent from None
            if message["type"] != "http.request":
                raise Disconnected
            more = message.get("more_body", False)
            if body := message.get("body", b""):
                yield body

    async def body(self, limit: int) -> bytes | None:
        """The whole body, or None as soon as it is longer than ``limit`` bytes."""
        if (self.content_length or 0) > limit:
            return None
        parts: list[bytes] = []
        size = 0
        async for piece in self.pieces():
            size += len(piece)
            if size > limit:
                return None
            parts.append(piece)
        return b"".join(parts)

    @property
    def content_length(self) -> int | None:
        """Content-Length, where it is there."""
        value = self.headers.get("content-length")
        return int(value) if value.isdecimal() else None


class Response:
    """One response: a small body, or content that is streamed in parts.

    Content-Length is added where it is not set; without ``sized`` it is left out and the body is chunked.
    """

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.headers = Headers(headers)
        self.body = body
        self.sized = True
        self.content: Content | None = None
        self.parts: list[bytes | tuple[int, int]] = []
        self.notices: list[Notice] = []
        #: Whether those who are notified know of it.
        self.told = False

    def tells(self, *notices: Notice) -> Response:
        """Say what the request did."""
        self.notices += notices
        return self

    @classmethod
    def json(cls, value: object, status: int = 200, media_type: str = JSON) -> Response:
        """A JSON document."""
        return cls(status, [("Content-Type", media_type)], json.dumps(value).encode())

    def stream(self, content: Content, parts: list[bytes | tuple[int, int]]) -> Response:
        """Send parts of the content: literal bytes, or (start, length)."""
        self.content = content
        self.parts = parts
        return self

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        if self.content is None:
            return len(self.body)
        return sum(len(part) if isinstance(part, bytes) else part[1] for part in self.parts)

    async def send(self, send: Send, head: bool) -> None:
        """Send it; to HEAD the headers of the GET without the body."""
        bodiless = self.status in (204, 304)
        if self.sized and not bodiless and "Content-Length" not in self.headers:
            self.headers.add("Content-Length", str(self.length))
        pairs = [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in self.headers.pairs]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        try:
            if self.content is not None and not head and not bodiless:
                await self._send_parts(self.content, send)
        finally:
            if self.content is not None:
                self.content.close()
        last = b"" if head or bodiless or self.content is not None else self.body
        await send({"type": "http.response.body", "body": last})

    async def _send_parts(self, content: Content, send: Send) -> None:
        for part in self.parts:
            if isinstance(part, bytes):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                continue
            async with aclosing(content.chunks(*part)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer a server that tells an application of its start and end; there is nothing to do."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


Handler = Callable[[Request], Awaitable[Response]]


def decode_segment(segment: str) -> str:
    """One path segment without its percent-encoding; a plus sign stays."""
    return unquote(segment, errors="replace")


def encode_value(value: str) -> str:
    """A value for the query of a URL."""
    return quote(value, safe="")
