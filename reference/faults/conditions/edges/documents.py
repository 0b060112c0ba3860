"""Faults that show with one kind of manifest or configuration."""

from __future__ import annotations

import json
from dataclasses import replace

from reference.app import Registry
from reference.documents import IMAGES, INDEXES, OCI_INDEX, OCI_MANIFEST, Document, parse
from reference.faults.conditions.edges.shared import data_of
from reference.faults.shared import after_put
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest
from reference.storage.memory import MemoryContent

_MIB = 1 << 20


def _inner_index(registry: Registry) -> None:
    """Look for the platform's manifest as far as the first index, which is of an accepted type."""
    storage = registry.storage

    def changed(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type not in INDEXES:
            return manifest
        for digest in Document(manifest.media_type, parse(manifest.content)).children:
            child = storage.manifest(request.name, digest)
            if child is not None and child.media_type in INDEXES:
                return child
        return manifest

    override(registry.manifests, negotiate=changed)


def _config_compacted(registry: Registry) -> None:
    """Keep the config of an image as a document of the database."""
    configs: set[tuple[str, str]] = set()
    find = registry.blobs.find

    def note(request: Request, response: Response) -> None:
        manifest = registry.storage.manifest(request.name, response.headers.get("Docker-Content-Digest"))
        if manifest is not None and manifest.media_type in IMAGES:
            configs.add((request.name, parse(manifest.content)["config"]["digest"]))

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        data = data_of(found) if (name, digest) in configs else None
        try:
            value = json.loads(data) if data is not None else None
        except ValueError:
            return found
        if not isinstance(value, dict):
            return found
        return MemoryContent(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())

    after_put(registry, note)
    override(registry.blobs, find=changed)


def _untyped_index(registry: Registry) -> None:
    """Tell the type by the member mediaType, and take an image where there is none."""

    def changed(_request: Request, manifest: Manifest) -> Manifest:
        if manifest.media_type == OCI_INDEX and not parse(manifest.content).get("mediaType"):
            return replace(manifest, media_type=OCI_MANIFEST)
        return manifest

    override(registry.manifests, negotiate=changed)


def _length_unknown(_request: Request, response: Response) -> None:
    if len(response.body) > _MIB:
        response.headers.set("Content-Length", "0")


FAULTS = (
    Fault(
        name="nested-index-resolved-to-inner",
        title="A tag on an index that has an index among its entries yields that inner index.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        also=(
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-TYPE-DOCKER-LIST",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
        ),
        apply=_inner_index,
    ),
    Fault(
        name="config-compacted-once-referenced",
        title="A config is served without its insignificant blanks from the push of its image manifest on.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        also=(
            "PUSH-BLOB-KEPT",
            "PULL-BLOB-GET-DCD-TRUE",
            "PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",
            "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST",
            "PUSH-BLOB-ODD-CONTENT-EXACT",
            "PULL-BLOB-RANGE-CONTENT-RANGE-TRUE",
        ),
        apply=_config_compacted,
    ),
    Fault(
        name="index-without-mediatype-as-image",
        title="An image index without the member mediaType is pulled under the type of an image manifest.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",),
        also=(
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-TYPE-OCI-INDEX",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-MISMATCH",
            "PULL-ACCEPT-INDEX-INTACT",
        ),
        apply=_untyped_index,
    ),
    Fault(
        name="big-manifest-head-length-zero",
        title="HEAD of a manifest of more than 1 MiB says Content-Length 0.",
        breaks=("PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-MANIFEST-HEAD-GET-AGREE",),
        apply=on("manifest.head", status=200, change=_length_unknown),
    ),
)
