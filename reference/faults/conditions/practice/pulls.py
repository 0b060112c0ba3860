"""Faults of pulls."""

from __future__ import annotations

import gzip
import re

from reference import errors
from reference.app import Registry
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Fault, around, on, override
from reference.storage import Manifest

_VALIDATORS = ("docker-content-digest", "etag", "cache-control")
_OPEN = re.compile(r"bytes=\d+-")
#: As many types as are looked at.
_TYPES = 5


@around("manifest.get", "manifest.head", "blob.get", "blob.head")
async def _etag_within(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The tag of the content is looked for as a part of the condition."""
    response = await handler(request)
    etag = response.headers.get("ETag").strip('"')
    condition = ",".join(request.headers.all("if-none-match"))
    if response.status != 200 or not etag or etag not in condition:
        return response
    if response.content is not None:
        response.content.close()
    return Response(304, [pair for pair in response.headers.pairs if pair[0].lower() in _VALIDATORS])


def _last_byte_beyond(registry: Registry) -> None:
    """A range without end must begin before the last byte."""
    find = registry.blobs.ranges

    def changed(request: Request, size: int) -> list[tuple[int, int]] | None:
        found = find(request, size)
        last = found == [(size - 1, 1)] and _OPEN.fullmatch(request.headers.get("range").strip())
        return [] if last else found

    override(registry.blobs, ranges=changed)


def _parts_in_their_order(registry: Registry) -> None:
    """Several ranges are read from the first to the last, under the headers in the order that was asked for."""
    multipart = registry.blobs.multipart

    def changed(content: Content, wanted: list[tuple[int, int]], headers: list[tuple[str, str]]) -> Response:
        response = multipart(content, wanted, headers)
        forward = iter(sorted(wanted))
        response.parts = [part if isinstance(part, bytes) else next(forward) for part in response.parts]
        return response

    override(registry.blobs, multipart=changed)


def _packed_length(request: Request, response: Response) -> None:
    """The length of a manifest as it would be sent to who takes gzip."""
    if "gzip" in request.headers.get("accept-encoding").lower():
        response.headers.set("Content-Length", str(len(gzip.compress(response.body))))


def _flat_names(registry: Registry) -> None:
    """Tags are kept by the name of the repository with dashes for its slashes."""
    tags: dict[tuple[str, str], tuple[str, str]] = {}
    find, set_tag = registry.manifests.find, registry.storage.set_tag

    def point(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        tags[name.replace("/", "-"), tag] = name, digest

    def changed(name: str, reference: str) -> Manifest | None:
        owner, digest = tags.get((name.replace("/", "-"), reference), (name, ""))
        if owner != name and registry.storage.tag(owner, reference) == digest:
            return registry.storage.manifest(owner, digest)
        return find(name, reference)

    override(registry.storage, set_tag=point)
    override(registry.manifests, find=changed)


@around("manifest.get", "manifest.head")
async def _first_types(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Only so many types of Accept are looked at."""
    response = await handler(request)
    fields = ",".join(request.headers.all("accept")).split(",")
    types = [field.partition(";")[0].strip().lower() for field in fields]
    seen, rest = types[:_TYPES], types[_TYPES:]
    late = response.headers.get("Content-Type").lower() in set(rest) - set(seen)
    if response.status == 200 and late and not any("*" in each for each in seen):
        raise errors.manifest_unknown(request.reference)
    return response


FAULTS = (
    Fault(
        name="etag-found-within-another",
        title="An If-None-Match with an ETag that holds the present one, and is longer, yields 304.",
        breaks=("PULL-CACHE-FALSE-304",),
        apply=_etag_within,
    ),
    Fault(
        name="open-range-of-last-byte-416",
        title="A range without end that begins at the last byte returns 416.",
        breaks=(
            "PULL-BLOB-RANGE-OPEN",
            "PULL-BLOB-RANGE-UNSUPPORTED-200",
        ),
        also=(
            "PULL-BLOB-RANGE-206",
            "PULL-BLOB-RANGE-ADVERTISED-TRUE",
        ),
        apply=_last_byte_beyond,
    ),
    Fault(
        name="backward-ranges-mixed-up",
        title="Of ranges that are not asked for in their order each has the bytes of another.",
        breaks=(
            "PULL-BLOB-RANGE-TRUE",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        ),
        also=("PULL-BLOB-RANGE-MULTI",),
        apply=_parts_in_their_order,
    ),
    Fault(
        name="head-length-as-if-packed",
        title="The HEAD of a manifest by a client that takes gzip has the length of the manifest in gzip.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", change=_packed_length, status=200),
    ),
    Fault(
        name="tags-shared-by-dash-and-slash",
        title="Two repositories whose names differ by a dash for a slash have their tags together.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=("PUSH-MANIFEST-BY-TAG-PULLABLE",),
        apply=_flat_names,
    ),
    Fault(
        name="accept-five-types-only",
        title="A type that comes behind five others in Accept does not count.",
        breaks=("PULL-ACCEPT-LIST",),
        also=(
            "PULL-ACCEPT-REPEATED-FIELD",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-ACCEPT-QVALUE",
        ),
        apply=_first_types,
    ),
)
