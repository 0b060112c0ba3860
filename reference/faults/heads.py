"""Faults of HEAD: content after its headers, and headers that are not those of the GET."""

from __future__ import annotations

import asyncio
from typing import Any

from reference import server
from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header

_MARK = ("X-Content-Follows", "yes")
_LINE = b"x-content-follows: yes\r\n"
_CONTENT = b'{"errors": []}'


class _Leaking:
    """A transport that sends content after each header section that is marked for it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send content after a marked header section."""
        head, end, rest = data.partition(b"\r\n\r\n")
        if data.startswith(b"HTTP/1.1 ") and _LINE in (head + b"\r\n").lower():
            rest = _CONTENT + rest
        self._transport.write(head + end + rest)


def _leaks(*operations: str, status: int) -> Apply:
    """Send content after the headers of a HEAD."""

    def mark(request: Request, response: Response) -> None:
        if request.method == "HEAD":
            response.headers.add(*_MARK)

    def apply(registry: Registry) -> None:
        made = server.Protocol.connection_made

        def changed(self: server.Protocol, transport: asyncio.Transport) -> None:
            made(self, _Leaking(transport))  # type: ignore[arg-type]  # it hands on all but write

        override(server.Protocol, connection_made=changed)
        answers(*operations, change=mark, status=status)(registry)

    return apply


def _stale(_request: Request, response: Response) -> None:
    response.headers.set("Docker-Content-Digest", digest_of(b"what was there before"))


FAULTS = (
    Fault(
        name="head-of-unknown-with-content",
        title="The 404 to a HEAD is followed by its JSON body.",
        breaks=("BASE-ERROR-HEAD-NO-BODY",),
        apply=_leaks("manifest.head", "blob.head", status=404),
    ),
    Fault(
        name="head-of-manifest-with-content",
        title="The 200 to a HEAD of a manifest is followed by content.",
        breaks=("PULL-MANIFEST-HEAD-NO-BODY",),
        apply=_leaks("manifest.head", status=200),
    ),
    Fault(
        name="head-of-blob-with-content",
        title="The 200 to a HEAD of a blob is followed by content.",
        breaks=("PULL-BLOB-HEAD-NO-BODY",),
        apply=_leaks("blob.head", status=200),
    ),
    Fault(
        name="head-of-manifest-without-digest",
        title="HEAD of a manifest has no Docker-Content-Digest; GET has.",
        breaks=("PULL-MANIFEST-HEAD-DCD",),
        apply=on("manifest.head", status=200, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="head-of-manifest-with-stale-digest",
        title="HEAD of a manifest has the digest of another one.",
        breaks=("PULL-MANIFEST-HEAD-DCD-TRUE",),
        apply=on("manifest.head", status=200, change=_stale),
    ),
    Fault(
        name="head-of-blob-without-digest",
        title="HEAD of a blob has no Docker-Content-Digest; GET has.",
        breaks=("PULL-BLOB-HEAD-DCD",),
        apply=on("blob.head", status=200, change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="head-of-blob-with-stale-digest",
        title="HEAD of a blob has the digest of another one.",
        breaks=("PULL-BLOB-HEAD-DCD-TRUE",),
        apply=on("blob.head", status=200, change=_stale),
    ),
    Fault(
        name="blob-ranges-denied",
        title="HEAD of a blob says that there are no ranges, while GET serves them.",
        breaks=("PULL-BLOB-RANGE-ADVERTISED",),
        apply=on("blob.head", status=200, change=set_header("Accept-Ranges", "none")),
    ),
)
