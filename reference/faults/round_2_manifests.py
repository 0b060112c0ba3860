"""Faults of manifests and tags that show at one kind, name or form of tag alone, most of them after something else."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import INDEXES, Document, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

#: The column that holds repository and tag together.
_COLUMN = 256
#: The tags that go with their manifest in one statement.
_BATCH = 20
_WORDS = ("tags", "blobs", "manifests", "uploads", "referrers", "list")


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


def _sha256_in_location(request: Request, response: Response) -> None:
    """The algorithm in the Location is a constant."""
    if request.reference.startswith("sha512:"):
        location = response.headers.get("Location")
        response.headers.set("Location", location.replace("/sha512:", "/sha256:"))


def _tags_of_full_names_collide(registry: Registry) -> None:
    """The key of a tag, its repository in front, is cut at the width of a column."""
    rows: dict[str, str] = {}
    tag, set_tag = registry.storage.tag, registry.storage.set_tag

    def key(name: str, reference: str) -> str:
        return f"{name}:{reference}"[:_COLUMN]

    def written(name: str, reference: str, digest: str) -> None:
        rows[key(name, reference)] = digest
        set_tag(name, reference, digest)

    def found(name: str, reference: str) -> str | None:
        right = tag(name, reference)
        cut = right is not None and len(name) == _COLUMN - 1
        return rows.get(key(name, reference)) if cut else right

    override(registry.storage, tag=found, set_tag=written)


def _folded_deletion(registry: Registry) -> None:
    """The deletion of a tag with capitals compares without regard to case."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        remove(name, tag)
        if tag != tag.lower():
            for other in list(registry.storage.tags(name)):
                if other.lower() == tag.lower():
                    remove(name, other)

    override(registry.manifests, remove_tag=changed)


def _tag_of_digest_goes(registry: Registry) -> None:
    """With a manifest goes the tag that is made of its digest."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        tag = digest.replace(":", "-")
        if registry.storage.tag(name, tag) is not None:
            registry.storage.delete_tag(name, tag)

    override(registry.manifests, remove=changed)


def _long_tags_cached(registry: Registry) -> None:
    """A pull by tag fills a cache; what a push drops from it has a key of 127 characters at most."""
    cache: dict[tuple[str, str], str] = {}
    tag, set_tag, delete_tag = registry.storage.tag, registry.storage.set_tag, registry.storage.delete_tag

    def found(name: str, reference: str) -> str | None:
        digest = tag(name, reference)
        return cache.setdefault((name, reference), digest) if digest is not None else None

    def moved(name: str, reference: str, digest: str) -> None:
        cache.pop((name, reference[:127]), None)
        set_tag(name, reference, digest)

    def deleted(name: str, reference: str) -> None:
        cache.pop((name, reference), None)
        delete_tag(name, reference)

    override(registry.storage, tag=found, set_tag=moved, delete_tag=deleted)


def _words_stay(registry: Registry) -> None:
    """The route of a deletion takes a tag that is a word of the API for something else, and does nothing."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        if tag not in _WORDS:
            remove(name, tag)

    override(registry.manifests, remove_tag=changed)


def _batch_of_tags(registry: Registry) -> None:
    """A statement deletes twenty tags of a manifest; those that are left keep the manifest."""
    kept: dict[tuple[str, str], Manifest] = {}
    find = registry.manifests.find

    def remove_tags(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        tags = [tag for tag in registry.storage.tags(name) if registry.storage.tag(name, tag) == digest]
        for tag in tags[:_BATCH]:
            registry.storage.delete_tag(name, tag)
        if manifest is not None:
            kept.update(((name, tag), manifest) for tag in tags[_BATCH:])

    def found(name: str, reference: str) -> Manifest | None:
        manifest = find(name, reference)
        left = kept.get((name, reference))
        gone = manifest is None and left is not None
        return left if gone and left and registry.storage.tag(name, reference) == left.digest else manifest

    override(registry.manifests, remove_tags_of=remove_tags, find=found)


def _subject_told_once(registry: Registry) -> None:
    """A push of what is stored already takes a short way, that sets the tag and knows of no subject."""
    put = registry.storage.put_manifest
    seen: set[tuple[str, str]] = set()
    again: set[tuple[str, str]] = set()

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        (again if (name, manifest.digest) in seen else seen).add((name, manifest.digest))
        put(name, manifest, subject)

    def change(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("Docker-Content-Digest")) in again and ":" not in request.reference:
            response.headers.drop("OCI-Subject")

    override(registry.storage, put_manifest=noting)
    on("manifest.put", status=201, change=change)(registry)


FAULTS = (
    Fault(
        name="inner-index-deleted-with-outer",
        title="With an index that lists another index that one is deleted, too.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_inner_indexes_go,
    ),
    Fault(
        name="sha512-manifest-located-by-sha256",
        title="The Location of a manifest pushed by sha512 has the name of the other algorithm in front of its digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("PULL-MANIFEST-SHA512",),
        apply=on("manifest.put", status=201, change=_sha256_in_location),
    ),
    Fault(
        name="tags-collide-in-longest-name",
        title="In a repository whose name has 255 characters every tag leads to what was pushed last.",
        breaks=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
        ),
        also=(
            "PUSH-MANIFEST-MULTIPLE-TAGS",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-NAME-ACCEPTED-KEPT",
            "BASE-NAME-LENGTH-MAX",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_tags_of_full_names_collide,
    ),
    Fault(
        name="deletion-of-capitals-folded",
        title="The deletion of a tag with capitals takes the tag that differs from it in case alone.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        also=("BASE-TAG-CASE",),
        apply=_folded_deletion,
    ),
    Fault(
        name="tag-of-digest-goes-with-manifest",
        title="With a manifest the tag is deleted that is made of its digest, whatever that leads to.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        also=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_tag_of_digest_goes,
    ),
    Fault(
        name="longest-tag-pulled-once-never-moves",
        title="A tag of 128 characters that was pulled leads there for ever, though it is moved.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "BASE-TAG-ACCEPTED-KEPT",
            "BASE-TAG-ACCEPT",
        ),
        apply=_long_tags_cached,
    ),
    Fault(
        name="tag-of-route-word-not-deleted",
        title="The deletion of a tag that is a word of the API is answered 202 and done nothing about.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        also=(
            "MGMT-TAG-DELETE-HEAD-404",
            "MGMT-TAG-DELETE-NOT-LISTED",
        ),
        apply=_words_stay,
    ),
    Fault(
        name="twenty-first-tag-outlives-manifest",
        title="Of the tags of a deleted manifest the twenty-first and those behind it still deliver it.",
        breaks=(
            "MGMT-MANIFEST-DELETE-TAGS-404",
            "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",
        ),
        also=(),
        apply=_batch_of_tags,
    ),
    Fault(
        name="subject-not-told-at-second-tag",
        title="The push of a manifest with a subject that is there already, to a tag, has no OCI-Subject.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-INDEX",),
        apply=_subject_told_once,
    ),
)
