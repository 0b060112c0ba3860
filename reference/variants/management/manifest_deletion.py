"""Variants of the deletion of manifests."""

from __future__ import annotations

import time

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import OCI, Variant, override
from reference.storage import Manifest
from reference.variants.management.shared import deletions_refused, retained
from reference.variants.shared import denied

#: Seconds for which a manifest is held against deletion, or what was deleted against a new push.
_HELD = 30.0


def _of_tagged(registry: Registry, request: Request) -> errors.RegistryError | None:
    """A manifest that a tag leads to stays until the tag is deleted."""
    tags = registry.storage.tags(request.name) if request.operation == "manifest.delete" else []
    if any(registry.storage.tag(request.name, tag) == request.reference for tag in tags):
        return denied("a tag leads to it", 409)
    return None


def _held_after_deletion(registry: Registry) -> None:
    """A manifest that was deleted is not taken again for a while."""
    gone: dict[tuple[str, str], float] = {}
    delete, check, digest = (
        registry.storage.delete_manifest,
        registry.manifests.check_condition,
        registry.manifests.digest,
    )
    pushed: list[str] = []

    def noting(reference: str, content: bytes) -> str:
        pushed[:] = [digest(reference, content)]
        return pushed[0]

    def deleted(name: str, digest: str, subject: str | None) -> None:
        gone[name, digest] = time.monotonic()
        delete(name, digest, subject)

    def changed(request: Request) -> None:
        check(request)
        if time.monotonic() - gone.get((request.name, pushed[0]), -_HELD) < _HELD:
            raise denied("it was deleted a moment ago", 409)

    override(registry.storage, delete_manifest=deleted)
    override(registry.manifests, check_condition=changed, digest=noting)


def _twice(registry: Registry) -> None:
    """What was deleted may be deleted again."""
    delete = registry.handlers["manifest.delete"]
    gone: set[tuple[str, str]] = set()

    async def changed(request: Request) -> Response:
        key = (request.name, request.reference)
        if key in gone and ":" in request.reference and registry.storage.manifest(*key) is None:
            return Response(202)
        response = await delete(request)
        gone.add(key)
        return response

    registry.handlers["manifest.delete"] = changed


def _tags_stay(registry: Registry) -> None:
    """A deleted manifest is still there under its tags."""
    override(registry.manifests, remove_tags_of=lambda _name, _digest: None)
    find, delete = registry.manifests.find, registry.storage.delete_manifest
    kept: dict[tuple[str, str], Manifest] = {}

    def remember(name: str, digest: str, subject: str | None) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            kept[(name, digest)] = manifest
        delete(name, digest, subject)

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        digest = registry.storage.tag(name, reference) if ":" not in reference else None
        return found or (kept.get((name, digest)) if digest is not None else None)

    override(registry.storage, delete_manifest=remember)
    override(registry.manifests, find=changed)


VARIANTS = (
    Variant(
        name="manifests-retained",
        title="Pushed content is held against deletion: 409.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=retained(409),
    ),
    Variant(
        name="tagged-manifests-kept",
        title="A manifest that has a tag cannot be deleted: 409.",
        latitude=("DELETE-OF-USED-CONTENT",),
        apply=deletions_refused(_of_tagged),
    ),
    Variant(
        name="deleted-manifests-held",
        title="A manifest that was deleted is not taken again for a while: 409.",
        latitude=("DELETED-CONTENT-HELD",),
        apply=_held_after_deletion,
    ),
    Variant(
        name="delete-again-202",
        title="A manifest that was deleted may be deleted again.",
        latitude=("DELETE-REPEATED",),
        profiles=OCI,
        warns=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=_twice,
    ),
    Variant(
        name="delete-keeps-tags",
        title="A manifest that is deleted by digest stays under its tags.",
        latitude=("DELETE-MANIFEST-TAGS",),
        profiles=("docker-v2", "oci-1.0"),
        warns=("MGMT-MANIFEST-DELETE-TAGS-404",),
        apply=_tags_stay,
    ),
)
