"""Strange faults of pulls: conditions, ranges, negotiation and connections."""

from __future__ import annotations

import asyncio

from reference.app import Registry
from reference.faults.shared import DIGEST_LENGTH
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on

_BOTH = ("manifest.get", "manifest.head")
_WINDOW = 64 << 10
_LONG_ACCEPT = 1024
_MEETING = 0.05


@around(*_BOTH)
async def _any_held_304(registry: Registry, request: Request, handler: Handler) -> Response:
    """An entity tag of any manifest of the repository is taken for the one that is asked for."""
    response = await handler(request)
    named = [each.strip().removeprefix("W/").strip('"') for each in request.headers.get("if-none-match").split(",")]
    held = any(len(each) == DIGEST_LENGTH and registry.storage.manifest(request.name, each) for each in named)
    return Response(304, [("ETag", response.headers.get("ETag"))]) if held and response.status == 200 else response


def _window_shifted(_request: Request, response: Response) -> None:
    match response.parts:
        case [(int() as start, int() as length)] if start and start % _WINDOW == 0:
            response.parts = [(start - 1, length)]


def _one_flight(registry: Registry) -> None:
    """Ranges of a blob that are asked for at the same time share one read, by the digest alone."""
    flights: dict[tuple[str, str], int] = {}

    @around("blob.get")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        match response.parts:
            case [(int() as start, int() as length)] if response.status == 206:
                key = (request.name, request.reference)
                first = flights.setdefault(key, start)
                await asyncio.sleep(_MEETING)
                if first == start:
                    flights.pop(key, None)
                elif response.content is not None and first + length <= response.content.size:
                    response.parts = [(first, length)]
        return response

    changed(registry)


@around(*_BOTH)
async def _accept_cut(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Accept is read up to a length; a type behind it is not accepted."""
    response = await handler(request)
    accept = ",".join(request.headers.all("accept"))
    kind = response.headers.get("Content-Type")
    if len(accept) <= _LONG_ACCEPT or response.status != 200 or "*/*" in accept:
        return response
    seen = [each.partition(";")[0].strip() for each in accept[:_LONG_ACCEPT].split(",")]
    return response if kind in seen else Response(406)


def _type_kept_with_connection(registry: Registry) -> None:
    """A HEAD leaves its type on the connection; the next GET there has it."""
    left: dict[str, str] = {}
    head, get = registry.handlers["manifest.head"], registry.handlers["manifest.get"]

    async def changed_head(request: Request) -> Response:
        response = await head(request)
        if response.status == 200:
            left[request.address] = response.headers.get("Content-Type")
        return response

    async def changed_get(request: Request) -> Response:
        response = await get(request)
        kind = left.pop(request.address, "")
        if kind and response.status == 200:
            response.headers.set("Content-Type", kind)
        return response

    registry.handlers.update({"manifest.head": changed_head, "manifest.get": changed_get})


FAULTS = (
    Fault(
        name="condition-met-by-any-manifest-of-the-repository",
        title="If-None-Match with the digest of another manifest that the repository holds gets 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_any_held_304,
    ),
    Fault(
        name="range-from-a-64k-boundary-a-byte-early",
        title="A range that begins at a multiple of 64 KiB, 0 excepted, has the bytes one before.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=on("blob.get", status=206, change=_window_shifted),
    ),
    Fault(
        name="simultaneous-ranges-of-one-blob-alike",
        title="A range that is asked for while another one of its blob is under way has the bytes of that one.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_one_flight,
    ),
    Fault(
        name="accept-read-up-to-1024-characters",
        title="A type behind the first 1024 characters of Accept is not accepted.",
        breaks=("PULL-ACCEPT-LIST",),
        apply=_accept_cut,
    ),
    Fault(
        name="type-of-the-head-before-on-the-connection",
        title="A GET of a manifest has the type of the manifest that HEAD asked for before on its connection.",
        breaks=(
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
        ),
        also=(
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-ACCEPT-EXACT",
        ),
        apply=_type_kept_with_connection,
    ),
)
