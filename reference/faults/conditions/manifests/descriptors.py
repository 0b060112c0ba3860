"""Faults of manifests that show with many descriptors."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference.app import Registry
from reference.documents import IMAGES, parse
from reference.faults.conditions.manifests.shared import removal
from reference.messages import Request
from reference.modifications import Fault, override
from reference.storage import Manifest

#: No manifest of fewer bytes has that many descriptors.
_MANY_BYTES = 50_000
_MANY = 1000
_ROWS = 500
_VARIABLES = 999
_PARAMETERS = 999
_BATCH = 500


def _descriptors(manifest: Manifest) -> int:
    members = parse(manifest.content)
    counts = [len(value) for key in ("layers", "manifests", "blobs") if isinstance(value := members.get(key), list)]
    return sum(counts) + ("config" in members)


def _written_again(registry: Registry) -> None:
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        if manifest is None or len(manifest.content) < _MANY_BYTES or _descriptors(manifest) < _MANY:
            return manifest
        members = parse(manifest.content)
        text = json.dumps(members, separators=(",", ":")).encode()
        if text == manifest.content:
            text = json.dumps(members).encode()
        return Manifest(manifest.digest, manifest.media_type, text)

    override(registry.manifests, find=changed)


def _put_together_from_rows(registry: Registry) -> None:
    """By digest, a manifest of many descriptors is made again from the first rows of their table."""

    def negotiate(request: Request, manifest: Manifest) -> Manifest:
        if ":" not in request.reference:
            return manifest
        members = parse(manifest.content)
        long = [key for key in ("layers", "manifests") if len(members.get(key) or ()) > _ROWS]
        if not long:
            return manifest
        cut = {key: value[:_ROWS] if key in long else value for key, value in members.items()}
        return Manifest(manifest.digest, manifest.media_type, json.dumps(cut).encode())

    override(registry.manifests, negotiate=negotiate)


def _too_many_variables(registry: Registry) -> None:
    """The statement that writes the tag has a variable for each descriptor, and fails above 999."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        members = parse(manifest.content) if manifest is not None else {}
        parts = [*(members.get("layers") or ()), *(members.get("manifests") or ())]
        if len(parts) + ("config" in members) <= _VARIABLES:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _not_with_many(_registry: Registry, name: str, manifest: Manifest, remove: Callable[[str, str], None]) -> None:
    """A statement has 999 parameters at most; one that fails is rolled back."""
    members = parse(manifest.content)
    parts = len(members.get("manifests") or ()) + len(members.get("layers") or ())
    if parts + (manifest.media_type in IMAGES) <= _PARAMETERS:
        remove(name, manifest.digest)


def _first_batch_alone(registry: Registry) -> None:
    """What belongs to a manifest is deleted before it, and all that in one batch."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        members = parse(manifest.content) if manifest is not None else {}
        if len(members.get("layers", ())) + len(members.get("manifests", ())) >= _BATCH:
            registry.manifests.remove_tags_of(name, digest)
            return
        remove(name, digest)

    override(registry.manifests, remove=changed)


def _many_variables(registry: Registry) -> None:
    """The rows of all descriptors are one statement; where it fails, what comes after it is left out."""
    failed: set[tuple[str, str]] = set()
    put, set_tag = registry.storage.put_manifest, registry.storage.set_tag

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        members = parse(manifest.content)
        rows = [members.get("config"), *(members.get("layers") or ()), *(members.get("manifests") or ())]
        if len([row for row in rows if row]) > _VARIABLES:
            failed.add((name, manifest.digest))
        put(name, manifest, subject)

    def tagged(name: str, tag: str, digest: str) -> None:
        if (name, digest) not in failed:
            set_tag(name, tag, digest)

    override(registry.storage, put_manifest=stored, set_tag=tagged)


def _as_many_rows(registry: Registry) -> None:
    """The descriptors of a manifest are rows, of which a query gives so many."""

    def negotiate(_request: Request, manifest: Manifest) -> Manifest:
        members = parse(manifest.content)
        for member in ("layers", "manifests"):
            entries = members.get(member)
            if isinstance(entries, list) and len(entries) > _ROWS:
                cut = json.dumps({**members, member: entries[:_ROWS]}).encode()
                return Manifest(manifest.digest, manifest.media_type, cut)
        return manifest

    override(registry.manifests, negotiate=negotiate)


FAULTS = (
    Fault(
        name="manifest-of-1000-descriptors-rewritten",
        title="A manifest of 1,000 descriptors or more is served with other blanks.",
        breaks=("PUSH-MANIFEST-BYTES-EXACT", "PULL-MANIFEST-GET-BODY-EXACT", "PULL-MANIFEST-GET-DCD-TRUE"),
        apply=_written_again,
    ),
    Fault(
        name="descriptors-after-500-cut",
        title="A manifest of more than 500 descriptors has by digest the first 500.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
        ),
        apply=_put_together_from_rows,
    ),
    Fault(
        name="thousand-descriptors-untagged",
        title="A manifest of a thousand descriptors is accepted, and its tag is not set.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        also=(
            "BASE-TAG-ACCEPTED-KEPT",
            "PULL-MANIFEST-HEAD-200",
            "PUSH-MANIFEST-RETAG-MOVES",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PULL-CONSIST-TAG-MOVE",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-GET-BODY-EXACT",
            "PUSH-MANIFEST-BYTES-EXACT",
        ),
        apply=_too_many_variables,
    ),
    Fault(
        name="thousand-descriptors-undeleted",
        title="The deletion of a manifest with a thousand descriptors returns 202, and the manifest stays.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=(
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
            "MGMT-MANIFEST-DELETE-TWICE-404",
            "PULL-MANIFEST-GET-UNKNOWN-404",
        ),
        apply=removal(_not_with_many),
    ),
    Fault(
        name="manifest-of-500-descriptors-undeleted",
        title="A manifest of 500 descriptors or more is still there when it was deleted.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        also=("MGMT-MANIFEST-DELETE-HEAD-404", "MGMT-MANIFEST-DELETE-TWICE-404"),
        apply=_first_batch_alone,
    ),
    Fault(
        name="manifest-of-many-parts-untagged",
        title="A manifest of more than 999 descriptors gets 201, and its tag is not set.",
        breaks=("PUSH-MANIFEST-BY-TAG-PULLABLE", "PULL-MANIFEST-GET-TAG-200"),
        also=(
            "PULL-MANIFEST-HEAD-200",
            "PULL-CONSIST-AT-ONCE",
            "PUSH-MANIFEST-KEPT",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_many_variables,
    ),
    Fault(
        name="descriptors-beyond-500-lost",
        title="A manifest with more than 500 descriptors is pulled with the first 500 of them.",
        breaks=("PULL-MANIFEST-GET-BODY-EXACT",),
        also=(
            "PUSH-MANIFEST-BYTES-EXACT",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-BY-DIGEST-PULLABLE",
            "PUSH-MANIFEST-4MB-ACCEPTED",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PULL-MANIFEST-HEAD-CONTENT-LENGTH-TRUE",
            "PULL-MANIFEST-HEAD-DCD-TRUE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_as_many_rows,
    ),
)
