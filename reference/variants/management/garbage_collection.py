"""Variants of what a registry removes by itself."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Document, parse
from reference.modifications import Variant, override
from reference.storage import Manifest


def _collected(registry: Registry) -> None:
    """A manifest goes with its last tag."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        remove(name, tag)
        left = {registry.storage.tag(name, other) for other in registry.storage.tags(name)}
        if digest is not None and digest not in left:
            registry.manifests.remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _blobs_collected(registry: Registry) -> None:
    """Blobs go with the last manifest of a repository that has them."""
    having: dict[tuple[str, str], set[str]] = {}
    put, remove = registry.storage.put_manifest, registry.manifests.remove

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        having[name, manifest.digest] = {*Document(manifest.media_type, parse(manifest.content)).blobs}
        put(name, manifest, subject)

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        blobs = having.pop((name, digest), set())
        for blob in blobs.difference(*(others for (where, _), others in having.items() if where == name)):
            registry.storage.delete_blob(name, blob)

    override(registry.storage, put_manifest=stored)
    override(registry.manifests, remove=changed)


def _untagged_collected(registry: Registry) -> None:
    """Manifests go with their last tag, and the children of an index with it, if unused."""
    listing: dict[tuple[str, str], set[str]] = {}
    storage, put, remove, set_tag = (
        registry.storage,
        registry.storage.put_manifest,
        registry.manifests.remove,
        registry.storage.set_tag,
    )

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        document = Document(manifest.media_type, parse(manifest.content))
        listing[name, manifest.digest] = {*document.children, *([document.subject] if document.subject else [])}
        put(name, manifest, subject)

    def collect(name: str, digest: str) -> None:
        tagged = {storage.tag(name, tag) for tag in storage.tags(name)}
        listed = {child for (where, _), children in listing.items() if where == name for child in children}
        if digest not in tagged | listed and not storage.referrers(name, digest):
            removed(name, digest)

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before is not None and before != digest:
            collect(name, before)

    def removed(name: str, digest: str) -> None:
        remove(name, digest)
        for child in listing.pop((name, digest), set()):
            collect(name, child)

    override(registry.storage, put_manifest=stored, set_tag=moved)
    override(registry.manifests, remove=removed)


def _subjects_collected(registry: Registry) -> None:
    """A manifest goes when its last tag moves to another, and what refers to it goes with it."""
    storage, remove, set_tag = registry.storage, registry.manifests.remove, registry.storage.set_tag

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before not in {None, digest} and before not in {storage.tag(name, other) for other in storage.tags(name)}:
            for referrer in [*storage.referrers(name, before)]:
                remove(name, referrer)
            remove(name, before)

    override(storage, set_tag=moved)


VARIANTS = (
    Variant(
        name="manifest-goes-with-last-tag",
        title="A manifest without tags is removed.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        warns=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_collected,
    ),
    Variant(
        name="blobs-go-with-last-manifest",
        title="Blobs that no manifest of their repository has any longer are removed with the last that had them.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        apply=_blobs_collected,
    ),
    Variant(
        name="untagged-manifests-collected",
        title="Manifests that a tag left, or that a deleted index listed, are removed where nothing needs them.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        warns=("PULL-CONSIST-OLD-DIGEST",),
        undecided=True,
        apply=_untagged_collected,
    ),
    Variant(
        name="subjects-collected-with-their-referrers",
        title="A manifest that its last tag left is removed, with what refers to it.",
        latitude=("UNREFERENCED-CONTENT-COLLECTED",),
        warns=("PULL-CONSIST-OLD-DIGEST",),
        undecided=True,
        apply=_subjects_collected,
    ),
)
