"""Faults that show when content is asked for in one way only."""

from __future__ import annotations

import re

from reference import errors
from reference.app import Registry
from reference.messages import BINARY, Handler, Request, Response
from reference.modifications import Fault, on, override, wrap

_CLOSED = re.compile(r"bytes=(\d+)-(\d+)")
_ACCEPTED = 8


def _any_of_a_list(request: Request, response: Response) -> None:
    if "," in request.headers.get("if-none-match"):
        response.status = 304


def _last_byte_beyond(registry: Registry) -> None:
    understood = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        match = _CLOSED.fullmatch(request.headers.get("range"))
        right = understood(request, size)
        return [] if right and match and int(match[1]) >= size - 1 else right

    override(registry.blobs, ranges=changed)


def _raw_key(registry: Registry) -> None:
    """HEAD is answered from an index whose keys are as in the path."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if ":" not in request.reference and "%" in request.path.rpartition("/")[2]:
                raise errors.manifest_unknown(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ["manifest.head"], around)


def _head_of_any_content(registry: Registry) -> None:
    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError:
                content = registry.storage.open_blob(request.name, request.reference)
                if content is None:
                    raise
                headers = [("Content-Type", BINARY), ("Docker-Content-Digest", request.reference)]
                return Response(200, headers).stream(content, [(0, content.size)])

        return changed

    wrap(registry, ["manifest.head"], around)


def _eight_types(registry: Registry) -> None:
    """What Accept says behind its eighth type is not read."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            wanted = ",".join(request.headers.all("accept")).split(",")
            first = {each.partition(";")[0].strip().lower() for each in wanted[:_ACCEPTED]}
            kept = response.headers.get("content-type").lower() in first or "*/*" in first
            if response.status == 200 and len(wanted) > _ACCEPTED and not kept:
                raise errors.manifest_unknown(request.reference)
            return response

        return changed

    wrap(registry, ["manifest.get", "manifest.head"], around)


FAULTS = (
    Fault(
        name="etag-list-always-304",
        title="A list of entity tags in If-None-Match yields 304 for a manifest, whichever they are.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=on("manifest.get", "manifest.head", status=200, change=_any_of_a_list),
    ),
    Fault(
        name="range-of-the-last-byte-416",
        title="A range with both ends that begins at the last byte is answered 416.",
        breaks=(
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-416",
        ),
        also=("PULL-BLOB-RANGE-CLIPPED",),
        apply=_last_byte_beyond,
    ),
    Fault(
        name="head-of-encoded-tag-404",
        title="HEAD of a tag with a percent-encoded letter is answered 404.",
        breaks=(
            "PULL-MANIFEST-HEAD-GET-AGREE",
            "PULL-MANIFEST-HEAD-200",
        ),
        apply=_raw_key,
    ),
    Fault(
        name="head-of-blob-among-manifests-200",
        title="HEAD of a blob's digest among the manifests is answered 200.",
        breaks=(
            "PULL-MANIFEST-NOT-A-BLOB",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-GET-AGREE",
        ),
        apply=_head_of_any_content,
    ),
    Fault(
        name="accept-behind-the-eighth-unread",
        title="A manifest whose type Accept names behind eight others is answered 404.",
        breaks=(
            "PULL-ACCEPT-LIST",
            "PULL-ACCEPT-EXACT",
            "PULL-MANIFEST-GET-TAG-200",
        ),
        apply=_eight_types,
    ),
)
