"""Faults that look like an overload or a dead connection, and come each time to one operation, size or kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_MANIFEST, OCI_INDEX
from reference.messages import Disconnected, Handler, Request, Response
from reference.modifications import Apply, Fault, wrap

When = Callable[[Request], object]
_LARGE = 200_000
#: Seconds: longer than a run with ``--timeout 1`` waits.
_LONG = 4.0


def instead(*operations: str, when: When, answer: Callable[[Request], Response]) -> Apply:
    """Answer some requests of operations in another way, and do nothing of what they ask."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            return answer(request) if when(request) else await handler(request)

        return changed

    return lambda registry: wrap(registry, operations, around)


def busy(status: int, *operations: str, when: When = lambda _: True, after: str = "") -> Apply:
    """Answer with a status of overload, and Retry-After where ``after`` has a value."""
    hint = [("Retry-After", after)] if after else []
    return instead(*operations, when=when, answer=lambda _: Response(status, hint))


def hang_up(request: Request) -> Response:
    """Close the connection without an answer."""
    cycle = request._receive.__self__  # type: ignore[attr-defined]  # the server's own state of the request
    cycle.disconnected = True
    cycle.transport.close()
    raise Disconnected


def closed(*operations: str, when: When = lambda _: True) -> Apply:
    """Give no answer to some requests of operations."""
    return instead(*operations, when=when, answer=hang_up)


def _at_first(*operations: str, change: Callable[[Request, Response], Response | None]) -> Apply:
    """Change the first answer that a URL gets, and none after it."""

    def apply(registry: Registry) -> None:
        seen: set[tuple[str, str]] = set()

        def around(handler: Handler) -> Handler:
            async def changed(request: Request) -> Response:
                place = (request.method, request.path)
                response = await handler(request)
                if place in seen or response.status != 200:
                    return response
                seen.add(place)
                return change(request, response) or response

            return changed

        wrap(registry, operations, around)

    return apply


def _cut(_request: Request, response: Response) -> None:
    """Announce more bytes than there are."""
    response.headers.set("Content-Length", str(response.length + 1))


def _mute(*operations: str) -> Apply:
    """Answer late."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            await asyncio.sleep(_LONG)
            return await handler(request)

        return changed

    return lambda registry: wrap(registry, operations, around)


def _is_large(request: Request) -> bool:
    return (request.content_length or 0) > _LARGE


def _is_typed(media_type: str) -> When:
    return lambda request: request.headers.get("content-type") == media_type


def _later_chunk(request: Request) -> bool:
    return not request.headers.get("content-range").startswith("0-")


def _throttled_at_first(*operations: str) -> Apply:
    """Answer the first request for a URL with 503, to come again at once."""

    def apply(registry: Registry) -> None:
        seen: set[str] = set()

        def first(request: Request) -> bool:
            known = request.path in seen
            seen.add(request.path)
            return not known

        busy(503, *operations, when=first, after="0")(registry)

    return apply


FAULTS = (
    Fault(
        name="tags-list-504",
        title="Lists of tags are answered 504.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=busy(504, "tags.list"),
    ),
    Fault(
        name="referrers-503",
        title="Lists of referrers are answered 503.",
        breaks=("DISC-REFERRERS-STATUS-200",),
        apply=busy(503, "referrers.list"),
    ),
    Fault(
        name="manifest-delete-503",
        title="Deletions of manifests are answered 503, with a short Retry-After.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-400-405",),
        apply=busy(503, "manifest.delete", when=lambda r: ":" in r.reference, after="0"),
    ),
    Fault(
        name="upload-status-502",
        title="The status of an upload is answered 502.",
        breaks=("PUSH-STATUS-204",),
        apply=busy(502, "upload.get"),
    ),
    Fault(
        name="blob-range-503",
        title="Ranges of blobs are answered 503.",
        breaks=("PULL-BLOB-RANGE-UNSUPPORTED-200",),
        apply=busy(503, "blob.get", when=lambda r: r.headers.get("range")),
    ),
    Fault(
        name="manifest-head-by-digest-503",
        title="HEAD of a manifest by its digest is answered 503.",
        breaks=("PULL-MANIFEST-HEAD-200",),
        apply=busy(503, "manifest.head", when=lambda r: ":" in r.reference),
    ),
    Fault(
        name="manifest-by-digest-429",
        title="GET of a manifest by its digest, and by no tag, is answered 429.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=("BASE-RATE-RETRY-AFTER",),
        apply=busy(429, "manifest.get", when=lambda r: ":" in r.reference),
    ),
    Fault(
        name="blob-large-503",
        title="A PUT of more than 200,000 bytes is answered 503.",
        breaks=("PUSH-PUT-MONOLITHIC-201",),
        apply=busy(503, "upload.put", when=_is_large),
    ),
    Fault(
        name="index-503",
        title="The push of an image index is answered 503.",
        breaks=("PUSH-MANIFEST-INDEX-ACCEPTED",),
        apply=busy(503, "manifest.put", when=_is_typed(OCI_INDEX)),
    ),
    Fault(
        name="later-chunk-503",
        title="Each chunk but the first is answered 503.",
        breaks=("PUSH-PATCH-STATUS-202",),
        apply=busy(503, "upload.patch", when=_later_chunk),
    ),
    Fault(
        name="docker-manifest-closes",
        title="The connection is closed at the push of a Docker manifest.",
        breaks=("PUSH-MANIFEST-DOCKER-SCHEMA2-ACCEPTED",),
        apply=closed("manifest.put", when=_is_typed(DOCKER_MANIFEST)),
    ),
    Fault(
        name="blob-delete-closes",
        title="The connection is closed at the deletion of a blob.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-400-405",),
        apply=closed("blob.delete"),
    ),
    Fault(
        name="upload-cancel-mute",
        title="The cancelling of an upload is not answered in time.",
        breaks=("PUSH-CANCEL-204",),
        options=("--timeout", "1"),
        apply=_mute("upload.delete"),
    ),
    Fault(
        name="blob-get-closes-at-first",
        title="The connection is closed at the first GET of each blob.",
        breaks=("PULL-BLOB-GET-200",),
        apply=_at_first("blob.get", change=lambda request, _: hang_up(request)),
    ),
    Fault(
        name="manifest-get-cut-at-first",
        title="The first GET of each manifest announces a byte more than it sends.",
        breaks=("BASE-CONTENT-LENGTH-TRUE", "PULL-MANIFEST-GET-BODY-EXACT"),
        # HEAD tells the true length.
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=_at_first("manifest.get", change=_cut),
    ),
    Fault(
        name="manifest-put-503-at-first",
        title="The first push of a manifest to a URL is answered 503 with Retry-After 0.",
        breaks=("PUSH-MANIFEST-STATUS-201",),
        apply=_throttled_at_first("manifest.put"),
    ),
)
