"""Faults that show with header fields, codings and versions of HTTP that clients seldom use."""

from __future__ import annotations

import gzip
import zlib

from reference.app import Registry
from reference.faults.shared import instead
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, both

_PULLS = ("manifest.get", "manifest.head")
#: Bytes of nothing at all, packed.
_NOTHING = "20"


def _takes(request: Request, coding: str) -> bool:
    return coding in ",".join(request.headers.all("accept-encoding")).lower()


def _deflated(request: Request, response: Response) -> None:
    if _takes(request, "deflate"):
        response.body = zlib.compress(response.body)


def _packed_nothing(request: Request, response: Response) -> None:
    if _takes(request, "gzip"):
        response.headers.set("Content-Encoding", "gzip")
        response.headers.set("Content-Length", _NOTHING)


async def _bytes_of(response: Response) -> bytes:
    """Read what a response would send of its content, and let it send a body instead."""
    content, data = response.content, b""
    if content is not None:
        for part in response.parts:
            data += part if isinstance(part, bytes) else b"".join([piece async for piece in content.chunks(*part)])
        content.close()
    response.content, response.parts = None, []
    return data


@around("blob.get")
async def _part_packed(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.status == 206 and _takes(request, "gzip"):
        response.body = gzip.compress(await _bytes_of(response))
        response.headers.set("Content-Encoding", "gzip")
    return response


def _type_by_case() -> Apply:
    strange: set[tuple[str, str]] = set()

    @around("manifest.put")
    async def noted(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        thing = request.name, response.headers.get("Docker-Content-Digest")
        content_type = request.headers.get("content-type").partition(";")[0]
        if response.status == 201:
            (strange.add if content_type != content_type.lower() else strange.discard)(thing)
        return response

    def served(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("Docker-Content-Digest")) in strange:
            response.headers.set("Content-Type", "application/octet-stream")

    return both(noted, answers(*_PULLS, status=200, change=served))


FAULTS = (
    Fault(
        name="pull-with-content-type-refused",
        title="The pull of a manifest by a client that sends a Content-Type with each request is answered 415.",
        breaks=("PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200"),
        also=("PULL-MANIFEST-HEAD-200",),
        apply=instead(*_PULLS, when=lambda request: "content-type" in request.headers, answer=lambda _: Response(415)),
    ),
    Fault(
        name="manifest-deflated-undeclared",
        title="A manifest is packed for a client that takes deflate, without a Content-Encoding.",
        breaks=("PULL-MANIFEST-GET-CODING-TRUE", "PULL-MANIFEST-GET-BODY-EXACT"),
        apply=answers("manifest.get", status=200, change=_deflated),
    ),
    Fault(
        name="head-of-packed-nothing",
        title="HEAD of a blob by a client that takes gzip tells the length of an empty gzip file, declared as coded.",
        breaks=("PULL-BLOB-HEAD-GET-AGREE", "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE"),
        apply=answers("blob.head", status=200, change=_packed_nothing),
    ),
    Fault(
        name="part-packed-by-itself",
        title="A part of a blob is packed by itself for a client that takes gzip, and declared as coded, "
        "with the Content-Range of what is not packed.",
        breaks=("PULL-BLOB-RANGE-TRUE", "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE"),
        apply=_part_packed,
    ),
    Fault(
        name="type-with-capitals-forgotten",
        title="A manifest whose push had capitals in its Content-Type is pulled as application/octet-stream.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE", "PULL-TYPE-OCI-IMAGE"),
        also=("PULL-TYPE-OCI-INDEX", "PULL-TYPE-DOCKER-V2", "PULL-TYPE-DOCKER-LIST"),
        apply=_type_by_case(),
    ),
)
