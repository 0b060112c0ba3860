"""Faults that depend on how content is asked for."""

from __future__ import annotations

import gzip
import re

from reference import errors
from reference.app import Registry
from reference.faults.conditions.dimensions.shared import Key, is_by_tag
from reference.grammar import is_supported
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, wrap

_MOST_TYPES = 8


def _tag_as_written(registry: Registry) -> None:
    """The tag of a push is taken from the path as it stands there."""
    written: dict[Key, str] = {}

    def raw(request: Request) -> str:
        last = request.path.rpartition("/")[2]
        return last if "%" in last and is_by_tag(request.reference) else ""

    def pushed(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            tag = raw(request)
            before = registry.storage.tag(request.name, request.reference) if tag else None
            response = await handler(request)
            if tag and response.status == 201:
                written[request.name, tag] = response.headers.get("Docker-Content-Digest")
                registry.storage.delete_tag(request.name, request.reference)
                registry.storage.set_tag(request.name, tag, written[request.name, tag])
                if before is not None:
                    registry.storage.set_tag(request.name, request.reference, before)
            return response

        return changed

    def pulled(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            request.reference = written.get((request.name, raw(request)), request.reference)
            return await handler(request)

        return changed

    wrap(registry, ("manifest.put",), pushed)
    wrap(registry, ("manifest.get", "manifest.head"), pulled)


@around("blob.get", "blob.head")
async def _any_that_is_known(registry: Registry, request: Request, handler: Handler) -> Response:
    """The entity tag of a condition is looked up among all that the repository has."""
    fields = ",".join(request.headers.all("if-none-match")).split(",")
    named = [field.strip().removeprefix("W/").strip('"') for field in fields]
    response = await handler(request)
    holds = any(is_supported(digest) and registry.storage.has_blob(request.name, digest) for digest in named)
    if response.status in (200, 206) and holds:
        if response.content is not None:
            response.content.close()
        return Response(304, registry.blobs.headers(request.reference))
    return response


@around("manifest.get", "manifest.head")
async def _eight_types(registry: Registry, request: Request, handler: Handler) -> Response:
    """There is room for eight types of Accept; what is not among them is not to be sent."""
    listed = [each.partition(";")[0].strip().lower() for each in ",".join(request.headers.all("accept")).split(",")]
    taken = listed[:_MOST_TYPES]
    if len(listed) > _MOST_TYPES and not any("*" in each for each in taken):
        manifest = registry.manifests.find(request.name, request.reference)
        if manifest is not None and manifest.media_type.lower() not in taken:
            raise errors.manifest_unknown(request.reference)
    return await handler(request)


def _gzip_for_everybody(registry: Registry) -> None:
    """A cache keeps what was packed for one client, without regard to Accept-Encoding."""
    packed: set[tuple[str, str]] = set()

    def around_get(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status != 200:
                return response
            key = request.name, response.headers.get("docker-content-digest")
            codings = ",".join(request.headers.all("accept-encoding"))
            if re.search(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", codings):
                packed.add(key)
            if key in packed:
                response.body = gzip.compress(response.body)
                response.headers.set("Content-Encoding", "gzip")
            return response

        return changed

    wrap(registry, ("manifest.get",), around_get)


FAULTS = (
    Fault(
        name="tag-kept-in-percent-encoding",
        title="A tag with a percent-encoded character in the path of its push is kept in that form.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=_tag_as_written,
    ),
    Fault(
        name="condition-of-another-known-blob-304",
        title="A pull of a blob returns 304 where If-None-Match names another blob of the repository.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_any_that_is_known,
    ),
    Fault(
        name="accept-read-to-its-eighth-type",
        title="A manifest whose type is the ninth of Accept or comes later is unknown.",
        breaks=("PULL-ACCEPT-LIST", "PULL-ACCEPT-EXACT"),
        apply=_eight_types,
    ),
    Fault(
        name="gzip-kept-for-everybody",
        title="A manifest that one client got with gzip is sent so to clients that take no coding.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY", "PULL-CONSIST-REPEATABLE"),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=_gzip_for_everybody,
    ),
)
