"""Faults of manifests that show with many tags."""

from __future__ import annotations

from reference.app import Registry
from reference.modifications import Fault, override
from reference.storage import Manifest

_BATCH_20 = 20
_BATCH_5 = 5


def _first_batch(registry: Registry) -> None:
    def changed(name: str, digest: str) -> None:
        storage = registry.storage
        own = [tag for tag in sorted(storage.tags(name)) if storage.tag(name, tag) == digest]
        for tag in own[:_BATCH_20]:
            storage.delete_tag(name, tag)

    override(registry.manifests, remove_tags_of=changed)


def _batch_of_tags(registry: Registry) -> None:
    """A statement deletes twenty tags of a manifest; those that are left keep the manifest."""
    kept: dict[tuple[str, str], Manifest] = {}
    find = registry.manifests.find

    def remove_tags(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        tags = [tag for tag in registry.storage.tags(name) if registry.storage.tag(name, tag) == digest]
        for tag in tags[:_BATCH_20]:
            registry.storage.delete_tag(name, tag)
        if manifest is not None:
            kept.update(((name, tag), manifest) for tag in tags[_BATCH_20:])

    def found(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        left = kept.get((name, reference))
        gone = manifest is None and left is not None
        return left if gone and left and registry.storage.tag(name, reference) == left.digest else manifest

    override(registry.manifests, remove_tags_of=remove_tags, find=found)


def _sixth_tag_stays(registry: Registry) -> None:
    """The tags of a deleted manifest go in one batch of five, and what is left still delivers it."""
    left: dict[tuple[str, str], Manifest] = {}
    storage, find, set_tag = registry.storage, registry.manifests.find, registry.storage.set_tag
    delete_tag = storage.delete_tag

    def batch(name: str, digest: str) -> None:
        tags = sorted(tag for tag in storage.tags(name) if storage.tag(name, tag) == digest)
        for tag in tags[:_BATCH_5]:
            storage.delete_tag(name, tag)
        manifest = storage.manifest(name, digest)
        if manifest is not None:
            left.update({(name, tag): manifest for tag in tags[_BATCH_5:]})

    def moved(name: str, tag: str, digest: str) -> None:
        left.pop((name, tag), None)
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        left.pop((name, tag), None)
        delete_tag(name, tag)

    override(registry.manifests, remove_tags_of=batch)
    override(registry.manifests, find=lambda name, reference: find(name, reference) or left.get((name, reference)))
    override(storage, set_tag=moved, delete_tag=deleted)


def _twenty_tags_removed(registry: Registry) -> None:
    """A manifest goes with the first page of its tags; the others keep it."""
    kept: dict[tuple[str, str], Manifest] = {}
    find, page = registry.manifests.find, 20

    def removing(name: str, digest: str) -> None:
        storage = registry.storage
        tags = sorted(tag for tag in storage.tags(name) if storage.tag(name, tag) == digest)
        manifest = storage.manifest(name, digest)
        for tag in tags[:page]:
            storage.delete_tag(name, tag)
        if tags[page:] and manifest is not None:
            kept[name, digest] = manifest

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is not None or ":" in reference:
            return manifest
        return kept.get((name, registry.storage.tag(name, reference) or ""))

    override(registry.manifests, remove_tags_of=removing, find=changed)


FAULTS = (
    Fault(
        name="tags-behind-the-twentieth-left",
        title="The deletion of a manifest of more than 20 tags leaves the others in the list.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_first_batch,
    ),
    Fault(
        name="twenty-first-tag-outlives-manifest",
        title="The twenty-first tag of a deleted manifest, and those behind it, still yield it.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"),
        apply=_batch_of_tags,
    ),
    Fault(
        name="deleted-manifest-keeps-tags-after-fifth",
        title="The tags of a deleted manifest beyond the fifth still yield it.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"),
        also=("PULL-MANIFEST-GET-UNKNOWN-404",),
        apply=_sixth_tag_stays,
    ),
    Fault(
        name="twenty-tags-deleted",
        title="The tags of a deleted manifest beyond the twentieth still yield it.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"),
        also=("MGMT-MANIFEST-DELETE-GET-404", "MGMT-MANIFEST-DELETE-HEAD-404", "PULL-MANIFEST-GET-UNKNOWN-404"),
        apply=_twenty_tags_removed,
    ),
)
