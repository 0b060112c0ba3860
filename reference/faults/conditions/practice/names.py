"""Faults of names, tags and errors."""

from __future__ import annotations

import json
import re

from reference import errors
from reference.app import Registry
from reference.messages import JSON, Content, Handler, Request, Response
from reference.modifications import Fault, around, override

#: As a label of a host may have.
_LONGEST = 63
_EXTENSION = re.compile(r"(.+)\.[a-z]{2,}")


def _long_components_lost(registry: Registry) -> None:
    """Blobs are looked up under names whose components are cut."""
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return None if any(len(part) > _LONGEST for part in name.split("/")) else find(name, digest)

    override(registry.blobs, find=changed)


def _cut_by_characters(registry: Registry) -> None:
    """The body of a refusal ends after as many bytes as it has characters."""
    refuse = registry.refuse

    def changed(request: Request, error: errors.RegistryError) -> Response:
        response = refuse(request, error)
        if response.body and response.headers.get("Content-Type") == JSON:
            text = json.dumps(json.loads(response.body), ensure_ascii=False)
            response.body = text.encode("utf-8", "replace")[: len(text)]
        return response

    override(registry, refuse=changed)


@around("manifest.get", "manifest.head")
async def _extension_cut(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The router takes the end of a tag for the format that is asked for."""
    match = _EXTENSION.fullmatch(request.reference)
    if match is not None and ":" not in request.reference:
        request.reference = match[1]
    return await handler(request)


FAULTS = (
    Fault(
        name="blob-lost-below-long-components",
        title="A blob is accepted and unknown in a repository with more than 63 characters in a component of its name.",
        breaks=("BASE-NAME-ACCEPTED-KEPT",),
        also=("BASE-NAME-LENGTH-MAX",),
        apply=_long_components_lost,
    ),
    Fault(
        name="error-with-letters-beyond-ascii-cut",
        title="The JSON of a refusal that repeats letters beyond ASCII lacks its end.",
        breaks=("BASE-ERROR-JSON-SHAPE",),
        apply=_cut_by_characters,
    ),
    Fault(
        name="tag-with-extension-cut",
        title="A pull of a tag that ends in a dot and letters is one of the tag without them.",
        breaks=("BASE-TAG-ACCEPTED-KEPT",),
        also=(
            "BASE-TAG-ACCEPT",
            "PULL-MANIFEST-GET-TAG-200",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
        ),
        apply=_extension_cut,
    ),
)
