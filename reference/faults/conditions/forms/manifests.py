"""Faults of manifests: what they refer to, how often they are pushed, what is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference.app import Registry
from reference.documents import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, Document, parse
from reference.faults.shared import answered_500
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, override
from reference.storage import Manifest

#: Places of one statement, levels of one query, and the greatest number of a signed byte.
_PLACES, _LEVELS, _BYTE = 100, 3, 127


def _document(manifest: Manifest) -> Document:
    return Document(manifest.media_type, parse(manifest.content))


def _lost(which: Callable[[Registry, str, Manifest], bool]) -> Apply:
    """Accept some manifests, and have none of them."""

    def apply(registry: Registry) -> None:
        put, find = registry.storage.put_manifest, registry.manifests.find
        lost: set[tuple[str, str]] = set()

        def stored(name: str, manifest: Manifest, subject: str | None) -> None:
            put(name, manifest, subject)
            if which(registry, name, manifest):
                lost.add((name, manifest.digest))

        def found(name: str, reference: str) -> Manifest | None:
            manifest = find(name, reference)
            return None if manifest is not None and (name, manifest.digest) in lost else manifest

        override(registry.storage, put_manifest=stored)
        override(registry.manifests, find=found)

    return apply


def _levels(registry: Registry, name: str, manifest: Manifest) -> int:
    """How many indexes there are, one in the other."""
    children = _document(manifest).children
    if manifest.media_type not in (OCI_INDEX, DOCKER_LIST):
        return 0
    listed = [registry.storage.manifest(name, child) for child in children]
    return 1 + max((_levels(registry, name, child) for child in listed if child is not None), default=0)


def _deep(registry: Registry, name: str, manifest: Manifest) -> bool:
    return _levels(registry, name, manifest) >= _LEVELS


def _list_of_docker(_request: Request, manifest: Manifest) -> Manifest:
    """The type of an index is told by that of its entries."""
    if manifest.media_type != OCI_INDEX:
        return manifest
    types = {entry.get("mediaType") for entry in _document(manifest).members["manifests"]}
    return replace(manifest, media_type=DOCKER_LIST) if DOCKER_MANIFEST in types else manifest


def _docker_among_entries(registry: Registry) -> None:
    override(registry.manifests, negotiate=_list_of_docker)


@around("manifest.delete")
async def _docker_not_deleted(registry: Registry, request: Request, handler: Handler) -> Response:
    """The table of Docker's images has a key that hinders."""
    if ":" in request.reference:
        manifest = registry.storage.manifest(request.name, request.reference)
        if manifest is not None and manifest.media_type == DOCKER_MANIFEST:
            return answered_500(request)
    return await handler(request)


FAULTS = (
    Fault(
        name="index-of-three-levels-lost",
        title="An index of an index of an index is accepted, and unknown.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PUSH-MANIFEST-INDEX-NESTED",
        ),
        apply=_lost(_deep),
    ),
    Fault(
        name="index-with-docker-image-as-list",
        title="An OCI index that lists a Docker image is pulled as a Docker manifest list.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        also=(
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
        ),
        apply=_docker_among_entries,
    ),
    Fault(
        name="docker-image-deletion-500",
        title="The deletion of a Docker image by its digest returns 500, and the image stays.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        also=("MGMT-MANIFEST-DELETE-GET-404",),
        apply=_docker_not_deleted,
    ),
)
