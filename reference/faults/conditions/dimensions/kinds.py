"""Faults that depend on the kind of an object."""

from __future__ import annotations

import json
from typing import Any

from reference.app import Registry
from reference.documents import IMAGES, INDEXES, parse
from reference.faults.conditions.dimensions.shared import is_by_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_PULLS = ("manifest.get", "manifest.head")


def _members(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


@around(*_PULLS)
async def _like_a_manifest(registry: Registry, request: Request, handler: Handler) -> Response:
    """One store for all content: what has a schemaVersion and a mediaType is a manifest."""
    known = registry.storage.manifest(request.name, request.reference)
    blob = registry.storage.open_blob(request.name, request.reference) if ":" in request.reference else None
    if known is None and isinstance(blob, MemoryContent):
        members = _members(blob.data)
        if members.get("schemaVersion") == 2 and isinstance(members.get("mediaType"), str):
            digest = ("Docker-Content-Digest", request.reference)
            return Response(200, [("Content-Type", members["mediaType"]), digest], blob.data)
    return await handler(request)


@around(*_PULLS)
async def _flattened(registry: Registry, request: Request, handler: Handler) -> Response:
    """An index of nothing but one index is that index."""
    found = registry.storage.tag(request.name, request.reference) if is_by_tag(request.reference) else None
    manifest = registry.storage.manifest(request.name, found) if found is not None else None
    if manifest is not None and manifest.media_type in INDEXES:
        entries = _members(manifest.content).get("manifests", [])
        child = registry.storage.manifest(request.name, entries[0]["digest"]) if len(entries) == 1 else None
        if child is not None and child.media_type in INDEXES:
            request.reference = child.digest
    return await handler(request)


def _layers_once(registry: Registry) -> None:
    """A table of layers by manifest and digest, of which the manifest is written again."""

    def changed(_request: Request, manifest: Manifest) -> Manifest:
        members = _members(manifest.content) if manifest.media_type in IMAGES else {}
        layers = members.get("layers", [])
        once = list({layer["digest"]: layer for layer in layers}.values())
        if len(once) == len(layers):
            return manifest
        return Manifest(manifest.digest, manifest.media_type, json.dumps({**members, "layers": once}).encode())

    override(registry.manifests, negotiate=changed)


def _without_layers_unlisted(registry: Registry) -> None:
    """Referrers are joined with the table of their layers."""
    referrers, find = registry.storage.referrers, registry.storage.manifest

    def has_parts(name: str, digest: str) -> bool:
        manifest = find(name, digest)
        return manifest is None or parse(manifest.content).get("layers") != []

    override(
        registry.storage,
        referrers=lambda name, subject: [digest for digest in referrers(name, subject) if has_parts(name, digest)],
    )


FAULTS = (
    Fault(
        name="blob-like-a-manifest-among-manifests",
        title="A blob whose JSON looks like a manifest is pulled as one by its digest.",
        breaks=("PULL-MANIFEST-NOT-A-BLOB",),
        apply=_like_a_manifest,
    ),
    Fault(
        name="index-of-one-index-flattened",
        title="The tag of an index whose only entry is an index yields the inner one.",
        breaks=("PULL-ACCEPT-INDEX-INTACT", "PULL-MANIFEST-TAG-DIGEST-AGREE"),
        apply=_flattened,
    ),
    Fault(
        name="repeated-layers-served-once",
        title="A manifest that has a layer twice is pulled with that layer once.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DIGEST-BINDS-BODY"),
        apply=_layers_once,
    ),
    Fault(
        name="referrer-without-layers-unlisted",
        title="A referrer whose array of layers is empty is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_without_layers_unlisted,
    ),
)
