"""Faults of pulls: ranges and header fields in forms that clients send and few try."""

from __future__ import annotations

import datetime
import email.utils
import re
import time
from itertools import pairwise

from reference.app import Registry
from reference.messages import BINARY, Handler, Request, Response
from reference.modifications import Fault, around, both, override
from reference.resources import ranges

_BUFFER = 1 << 16
_NO_BYTES = re.compile(r"bytes=-0+")


def _part(registry: Registry, request: Request, said: tuple[int, int], sent: tuple[int, int]) -> Response | None:
    content = registry.blobs.find(request.name, request.reference)
    if content is None:
        return None
    response = Response(206, [("Content-Type", BINARY), *registry.blobs.headers(request.reference)])
    response.headers.add("Content-Range", ranges.content_range(said, content.size))
    return response.stream(content, [sent])


@around("blob.get")
async def _joined(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.status != 206 or response.content is None:
        return response
    wanted = ranges.parse(request.headers.get("range"), response.content.size) or []
    if len(wanted) < 2 or any(sum(one) != other[0] for one, other in pairwise(wanted)):
        return response
    whole = (wanted[0][0], sum(length for _, length in wanted))
    return _part(registry, request, wanted[0], whole) or response


@around("blob.get")
async def _last_none(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if response.status != 416 or not _NO_BYTES.fullmatch(request.headers.get("range").strip()):
        return response
    content = registry.blobs.find(request.name, request.reference)
    if content is None or not content.size:
        return response
    whole = (0, content.size)
    return _part(registry, request, whole, whole) or response


def _since_first_push(registry: Registry) -> None:
    first: dict[tuple[str, str], int] = {}
    set_tag = registry.storage.set_tag

    def noting(name: str, tag: str, digest: str) -> None:
        first.setdefault((name, tag), int(time.time()))
        set_tag(name, tag, digest)

    @around("manifest.get", "manifest.head")
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        since = _seconds(request.headers.get("if-modified-since"))
        pushed = first.get((request.name, request.reference))
        if response.status != 200 or since is None or pushed is None or "if-none-match" in request.headers:
            return response
        if not pushed <= since <= time.time() + 1:
            return response
        kept = [(name, value) for name, value in response.headers.pairs if name in {"Docker-Content-Digest", "ETag"}]
        return Response(304, kept)

    override(registry.storage, set_tag=noting)
    both(changed)(registry)


def _seconds(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None


@around("blob.get")
async def _one_buffer(_registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    closes = "close" in request.headers.get("connection").lower()
    if closes and response.status == 200 and response.content is not None and response.length > _BUFFER:
        response.parts = [(0, _BUFFER)]
    return response


@around("manifest.get", "manifest.head")
async def _old_clients(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    oci = response.headers.get("Content-Type").startswith("application/vnd.oci.")
    if oci and request.headers.get("user-agent").lower().startswith("docker/"):
        raise registry.manifests.unknown(request)
    return response


FAULTS = (
    Fault(
        name="ranges-side-by-side-told-as-the-first",
        title="Ranges that follow each other directly come as one part, whose Content-Range is that of the first.",
        breaks=("PULL-BLOB-RANGE-CONTENT-RANGE-TRUE", "PULL-BLOB-RANGE-TRUE"),
        also=("PULL-BLOB-RANGE-MULTI",),
        apply=_joined,
    ),
    Fault(
        name="suffix-of-no-bytes-the-whole-blob",
        title="A range of the last 0 bytes, bytes=-0, is answered 206 with the whole blob.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        also=("PULL-BLOB-RANGE-416",),
        apply=_last_none,
    ),
    Fault(
        name="modified-since-counts-from-the-first-push",
        title="A pull of a moved tag on If-Modified-Since is answered 304 if the tag was first pushed before that.",
        breaks=("PULL-CACHE-FALSE-304", "PULL-CONSIST-TAG-MOVE"),
        apply=_since_first_push,
    ),
    Fault(
        name="blob-cut-for-who-closes-the-connection",
        title="A blob ends after 64 KiB for a client whose GET says Connection: close.",
        breaks=("PULL-CONSIST-REPEATABLE", "PULL-BLOB-GET-BODY-EXACT"),
        also=("PULL-BLOB-HEAD-GET-AGREE",),
        apply=_one_buffer,
    ),
    Fault(
        name="oci-types-unknown-to-docker-clients",
        title="A manifest of OCI's types is answered 404 to a client called docker/..., whatever its Accept names.",
        breaks=("PULL-ACCEPT-EXACT", "PULL-MANIFEST-GET-TAG-200", "PULL-MANIFEST-GET-DIGEST-200"),
        also=(
            "PULL-MANIFEST-HEAD-200",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-OCI-INDEX",
        ),
        apply=_old_clients,
    ),
)
