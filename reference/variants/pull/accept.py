"""Variants of Accept and the choice of a manifest."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Document, parse
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Variant, around, override
from reference.storage import Manifest


def _strict(status: int) -> Apply:
    """A manifest whose type Accept does not name is not sent."""

    def apply(registry: Registry) -> None:
        before = registry.manifests.negotiate

        def negotiate(request: Request, manifest: Manifest) -> Manifest:
            manifest = before(request, manifest)
            fields = ",".join(request.headers.all("accept")).split(",")
            if manifest.media_type in {field.partition(";")[0].strip() for field in fields}:
                return manifest
            if status == 404:
                raise errors.manifest_unknown(request.reference)
            raise errors.RegistryError(status, (errors.ErrorEntry("MANIFEST_UNKNOWN"),))

        override(registry.manifests, negotiate=negotiate)

    return apply


@around("manifest.get", "manifest.head")
async def _schema1(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A pull by tag without Accept gives a manifest of schema 1 that was made for it."""
    response = await handler(request)
    if response.status != 200 or ":" in request.reference or request.headers.get("accept"):
        return response
    body = json.dumps({"schemaVersion": 1, "name": request.name, "tag": request.reference}).encode()
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    return Response(200, [("Content-Type", kind), ("Docker-Content-Digest", digest_of(body))], body)


def _resolved(registry: Registry) -> None:
    """An index by tag becomes its first image for a client that accepts images only."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        accept = ",".join(request.headers.all("accept"))
        if ":" in request.reference or manifest.media_type not in INDEXES or "*/*" in accept:
            return negotiate(request, manifest)
        if manifest.media_type in accept or not accept:
            return negotiate(request, manifest)
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            found = registry.storage.manifest(request.name, child)
            if found is not None and found.media_type in accept:
                return found
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


VARIANTS = (
    Variant(
        name="accept-unmatched-404",
        title="A manifest whose type is not in Accept gets 404.",
        latitude=("ACCEPT-UNMATCHED",),
        warns=("PULL-ACCEPT-ABSENT", "PULL-ACCEPT-WILDCARD", "PULL-ACCEPT-CASE"),
        apply=_strict(404),
    ),
    Variant(
        name="accept-unmatched-406",
        title="A manifest whose type is not in Accept gets 406.",
        latitude=("ACCEPT-UNMATCHED",),
        warns=("PULL-ACCEPT-ABSENT", "PULL-ACCEPT-WILDCARD", "PULL-ACCEPT-CASE", "PULL-DOCKER-LIST-NO-PLATFORM-404"),
        apply=_strict(406),
    ),
    Variant(
        name="schema1-without-accept",
        title="A pull by tag without Accept gives a manifest of schema 1.",
        latitude=("SCHEMA1-VARIES",),
        profiles=("docker-v2",),
        warns=("PULL-ACCEPT-ABSENT",),
        apply=_schema1,
    ),
    Variant(
        name="accept-index-to-child",
        title="An index by tag becomes one of its images where Accept names no index.",
        latitude=("ACCEPT-INDEX-TO-CHILD",),
        warns=("PULL-DOCKER-LIST-NO-PLATFORM-404",),
        apply=_resolved,
    ),
)
