"""Faults of indexes that list indexes or other manifests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_LIST, INDEXES, Document, Json, parse
from reference.faults.conditions.manifests.shared import is_tag, removal
from reference.messages import Request
from reference.modifications import Fault, override
from reference.storage import Manifest

_Entries = Callable[[str, list[Json]], list[Json]]


def _nested_removed(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is None or manifest.media_type not in INDEXES:
            return
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            entry = registry.storage.manifest(name, child)
            if entry is not None and entry.media_type in INDEXES:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _cascade(registry: Registry) -> None:
    """The rows of the children go with that of their index."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _inner_index(registry: Registry) -> None:
    """A tag is followed as long as there is an index within the index."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference:
            return manifest
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            inner = registry.storage.manifest(request.name, child)
            if inner is not None and inner.media_type in INDEXES:
                return inner
        return manifest

    override(registry.manifests, negotiate=negotiate)


def _document(manifest: Manifest) -> Document:
    return Document(manifest.media_type, parse(manifest.content))


def _inner_indexes_go(registry: Registry) -> None:
    """With an index the indexes in it go, too."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        outer = registry.storage.manifest(name, digest)
        remove(name, digest)
        for child in _document(outer).children if outer is not None else ():
            inner = registry.storage.manifest(name, child)
            if inner is not None and inner.media_type in INDEXES:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _indexes(registry: Registry, change: _Entries) -> None:
    """Give indexes with other entries, where they change at all."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or manifest.media_type not in INDEXES:
            return manifest
        members = parse(manifest.content)
        entries = change(name, members["manifests"])
        if entries == members["manifests"]:
            return manifest
        content = json.dumps({**members, "manifests": entries}).encode()
        return Manifest(manifest.digest, manifest.media_type, content)

    override(registry.manifests, find=changed)


def _nested_flattened(registry: Registry) -> None:
    """In place of an index in an index come the entries of that."""

    def change(name: str, entries: list[Json]) -> list[Json]:
        flat: list[Json] = []
        for entry in entries:
            inner = registry.storage.manifest(name, entry["digest"])
            nested = inner is not None and inner.media_type in INDEXES
            flat += parse(inner.content)["manifests"] if inner is not None and nested else [entry]
        return flat

    _indexes(registry, change)


def _deleted_taken_out(registry: Registry) -> None:
    """A manifest that is deleted is taken out of the indexes that list it."""
    gone: set[tuple[str, str]] = set()
    remove, put = registry.manifests.remove, registry.storage.put_manifest

    def removed(name: str, digest: str) -> None:
        remove(name, digest)
        gone.add((name, digest))

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        gone.discard((name, manifest.digest))

    override(registry.manifests, remove=removed)
    override(registry.storage, put_manifest=stored)
    _indexes(registry, lambda name, entries: [entry for entry in entries if (name, entry["digest"]) not in gone])


def _nested_swept(registry: Registry) -> None:
    """The deletion of an index sweeps the indexes that it lists."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is None:
            return
        for child in Document(manifest.media_type, parse(manifest.content)).children:
            found = registry.storage.manifest(name, child)
            if found is not None and found.media_type in INDEXES:
                changed(name, child)

    override(registry.manifests, remove=changed)


def _with_children(_registry: Registry, name: str, manifest: Manifest, remove: Callable[[str, str], None]) -> None:
    """What a list lists goes with it."""
    remove(name, manifest.digest)
    if manifest.media_type == DOCKER_LIST:
        for child in parse(manifest.content)["manifests"]:
            remove(name, child["digest"])


def _tagged_index_deleted_with_outer(registry: Registry) -> None:
    """Delete the parts of an index with it; what is no image itself is such a part."""
    remove, storage = registry.manifests.remove, registry.storage

    def changed(name: str, digest: str) -> None:
        manifest = storage.manifest(name, digest)
        if manifest is not None and manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                inner = storage.manifest(name, child)
                if inner is not None and inner.media_type in INDEXES:
                    changed(name, child)
        remove(name, digest)

    override(registry.manifests, remove=changed)


def _guarded(registry: Registry) -> None:
    """Leave what an index needs to the next collection, which never comes."""
    parents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    storage, remove = registry.storage, registry.manifests.remove
    put = storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        if manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                parents[name, child].add(manifest.digest)
        put(name, manifest, subject)

    def removed(name: str, digest: str) -> None:
        if not any(storage.manifest(name, parent) for parent in parents[name, digest]):
            remove(name, digest)

    override(storage, put_manifest=noting)
    override(registry.manifests, remove=removed)


def _children_go_too(registry: Registry) -> None:
    """With an index goes what it lists."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        if manifest is not None and manifest.media_type in INDEXES:
            for child in Document(manifest.media_type, parse(manifest.content)).children:
                remove(name, child)

    override(registry.manifests, remove=changed)


def _flattened(registry: Registry) -> None:
    """By tag an index that lists an index is taken for a way to that."""

    def changed(request: Request, manifest: Manifest) -> Manifest:
        if ":" in request.reference or manifest.media_type not in INDEXES:
            return manifest
        for entry in parse(manifest.content)["manifests"]:
            if entry["mediaType"] in INDEXES:
                return registry.storage.manifest(request.name, entry["digest"]) or manifest
        return manifest

    override(registry.manifests, negotiate=changed)


def _descended(registry: Registry) -> None:
    """A tag on an index that begins with an index leads to the inner one."""
    negotiate = registry.manifests.negotiate

    def changed(request: Request, manifest: Manifest) -> Manifest:
        if is_tag(request.reference):
            for child in Document(manifest.media_type, parse(manifest.content)).children[:1]:
                inner = registry.storage.manifest(request.name, child)
                if inner is not None and inner.media_type in INDEXES:
                    return inner
        return negotiate(request, manifest)

    override(registry.manifests, negotiate=changed)


FAULTS = (
    Fault(
        name="nested-index-goes-with-outer",
        title="An index that is listed in another index is deleted with that.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_nested_removed,
    ),
    Fault(
        name="children-deleted-with-the-index",
        title="The deletion of an index deletes its manifests.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_cascade,
    ),
    Fault(
        name="tag-of-outer-index-yields-inner",
        title="A tag on an index that holds another index yields the inner one.",
        breaks=("PULL-TYPE-OCI-INDEX",),
        also=(
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_inner_index,
    ),
    Fault(
        name="inner-index-deleted-with-outer",
        title="The deletion of an index deletes an index that it lists.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_inner_indexes_go,
    ),
    Fault(
        name="nested-index-flattened",
        title="An index comes back with the entries of an index that it lists.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT", "PULL-TYPE-OCI-INDEX"),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-SHA512",
            "PULL-ACCEPT-EXACT",
        ),
        apply=_nested_flattened,
    ),
    Fault(
        name="index-without-its-deleted-entry",
        title="An index comes back without an entry whose manifest was deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT", "PULL-MANIFEST-GET-BODY-EXACT"),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-LIST",
            "PULL-ACCEPT-INDEX-INTACT",
            "PULL-ACCEPT-DIGEST-NOT-CONVERTED",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-SHA512",
            "PULL-ACCEPT-EXACT",
        ),
        apply=_deleted_taken_out,
    ),
    Fault(
        name="nested-index-swept",
        title="The deletion of an index deletes the indexes that it lists.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_nested_swept,
    ),
    Fault(
        name="docker-list-deleted-with-children",
        title="The deletion of a Docker manifest list deletes the images that it lists.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=(
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-GET-TAG-200",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
        ),
        apply=removal(_with_children),
    ),
    Fault(
        name="tagged-index-deleted-with-outer",
        title="The deletion of an index deletes the indexes that it lists, even if they have tags.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_tagged_index_deleted_with_outer,
    ),
    Fault(
        name="part-of-an-index-not-deleted",
        title="DELETE of a manifest that an index lists returns 202 and deletes nothing.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TWICE-404",
        ),
        apply=_guarded,
    ),
    Fault(
        name="index-deletes-its-manifests",
        title="The deletion of an index deletes the manifests that it lists.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("PUSH-MANIFEST-KEPT",),
        apply=_children_go_too,
    ),
    Fault(
        name="tag-of-nested-index-flattened",
        title="The tag of an index that lists an index yields the one that is listed.",
        breaks=("PULL-ACCEPT-INDEX-INTACT", "PULL-TYPE-OCI-INDEX"),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PULL-TYPE-DOCKER-LIST",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_flattened,
    ),
    Fault(
        name="tag-of-nested-index-descends",
        title="The tag of an index that begins with an index yields the inner one.",
        breaks=("PULL-ACCEPT-INDEX-INTACT", "PULL-TYPE-OCI-INDEX"),
        also=(
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
            "PUSH-MANIFEST-INDEX-NESTED",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
        ),
        apply=_descended,
    ),
)
