"""Faults that depend on what happened before, or at the same time."""

from __future__ import annotations

import json

from reference import errors
from reference.app import Registry
from reference.documents import INDEXES, Document, parse
from reference.faults.conditions.incidents.shared import document_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest


def _refused_stays_unknown(registry: Registry) -> None:
    refused: set[tuple[str, str]] = set()
    manifests, storage = registry.manifests, registry.storage
    check, put = manifests.check_references, storage.put_manifest

    def checked(name: str, document: Document) -> None:
        try:
            check(name, document)
        except errors.RegistryError:
            refused.add((name, json.dumps(document.members, sort_keys=True)))
            raise

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if (name, json.dumps(parse(manifest.content), sort_keys=True)) not in refused:
            put(name, manifest, subject)

    override(manifests, check_references=checked)
    override(storage, put_manifest=stored)


@around("manifest.delete")
async def _children_first(registry: Registry, request: Request, handler: Handler) -> Response:
    manifest = registry.manifests.find(request.name, request.reference) if ":" in request.reference else None
    if manifest is not None and manifest.media_type in INDEXES:
        children = document_of(manifest).children
        if not all(registry.manifests.holds(request.name, child) for child in children):
            raise errors.RegistryError(500)
    return await handler(request)


FAULTS = (
    Fault(
        name="manifest-once-refused-stays-unknown",
        title="A manifest that was refused for want of a blob is accepted later, and is unknown.",
        breaks=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-GET-BODY-EXACT",
        ),
        apply=_refused_stays_unknown,
    ),
    Fault(
        name="index-without-its-child-not-deleted",
        title="The deletion of an index of which a child was deleted returns 500.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=_children_first,
    ),
)
