"""Faults of the bytes of blobs and their coding."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.pull.shared import begins_with, coding_unasked
from reference.faults.shared import blobs_rewritten, blobs_spoilt, gzip_unpacked, where_answer
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, on, override, set_header
from reference.storage.memory import MemoryContent

_LARGE = 64 << 10
_LARGE_256_KIB = 1 << 18
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def _truncated(_request: Request, response: Response) -> None:
    if response.content is not None and response.length > _LARGE:
        response.parts = [(0, _LARGE)]


@around("blob.get")
async def _newlines(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.content is None or response.status != 200 or response.length > (1 << 20):
        return response
    body = b"".join([chunk async for chunk in response.content.chunks(0, response.content.size)])
    response.content.close()
    return Response(200, response.headers.pairs, body.replace(b"\r\n", b"\n"))


async def _first_bytes(content: Content, count: int) -> bytes:
    return b"".join([chunk async for chunk in content.chunks(0, count)])


@around("blob.get")
async def _coded(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.content is not None and await _first_bytes(response.content, 2) == b"\x1f\x8b":
        response.headers.add("Content-Encoding", "gzip")
    return response


def _empty_unknown(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return content if content is None or content.size else None

    override(registry.blobs, find=changed)


def _empty_as_byte(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        return MemoryContent(b"\0") if content is not None and not content.size else content

    override(registry.blobs, find=changed)


FAULTS = (
    Fault(
        name="blob-truncated",
        title="A blob above 64 KiB ends there.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=on("blob.get", status=200, change=_truncated),
    ),
    Fault(
        name="blob-newlines-converted",
        title="CRLF in a blob becomes LF.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_newlines,
    ),
    Fault(
        name="blob-gzip-declared",
        title="A blob of gzip data is labelled Content-Encoding: gzip.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        # A client that undoes the coding sees other bytes, whatever blob of gzip it looks at.
        also=("PUSH-BLOB-BINARY-EXACT",),
        apply=_coded,
    ),
    Fault(
        name="blob-empty-unknown",
        title="A blob of zero bytes is accepted, and then unknown.",
        breaks=("PULL-BLOB-GET-EMPTY",),
        apply=_empty_unknown,
    ),
    Fault(
        name="blob-unpacked",
        title="Blobs that are gzip files are served unpacked.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        apply=blobs_rewritten(gzip_unpacked),
    ),
    Fault(
        name="blob-coding-unasked",
        title="A blob for a client that takes gzip comes with a coding that is none of it.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        apply=on("blob.get", status=200, change=coding_unasked),
    ),
    Fault(
        name="empty-blob-with-a-byte",
        title="The empty blob has a byte.",
        breaks=("PULL-BLOB-GET-EMPTY",),
        apply=_empty_as_byte,
    ),
    Fault(
        name="blob-spoilt-when-large",
        title="The last byte of a blob above 256 KiB is another.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=blobs_spoilt(lambda _name, _digest, size: size > _LARGE_256_KIB),
    ),
    Fault(
        name="coding-x-gzip-for-gzip-blobs",
        title="A blob that is gzip data is sent with Content-Encoding: x-gzip.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        seldom=True,
        apply=on(
            "blob.get", status=200, change=where_answer(begins_with(_GZIP), set_header("Content-Encoding", "x-gzip"))
        ),
    ),
    Fault(
        name="coding-zstd-for-zstd-blobs",
        title="A blob that is zstd data is sent with Content-Encoding: zstd.",
        breaks=("PULL-BLOB-GET-NO-FALSE-CODING",),
        seldom=True,
        apply=on(
            "blob.get", status=200, change=where_answer(begins_with(_ZSTD), set_header("Content-Encoding", "zstd"))
        ),
    ),
)
