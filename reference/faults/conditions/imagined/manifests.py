"""Strange faults of manifests and tags, and of their deletion."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest


def _type_of_the_tag(registry: Registry) -> None:
    """The type is kept with the tag when it is made, and HEAD tells it."""
    kinds: dict[tuple[str, str], str] = {}
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            kinds.setdefault((name, tag), manifest.media_type)

    def change(request: Request, response: Response) -> None:
        kind = kinds.get((request.name, request.reference))
        if kind is not None:
            response.headers.set("Content-Type", kind)

    override(registry.storage, set_tag=changed)
    on("manifest.head", status=200, change=change)(registry)


def _no_way_back(registry: Registry) -> None:
    """A tag and a manifest that were put together once are not again."""
    seen: set[tuple[str, str, str]] = set()
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if (name, tag, digest) not in seen:
            set_tag(name, tag, digest)
        seen.add((name, tag, digest))

    def deleted(name: str, tag: str) -> None:
        delete_tag(name, tag)
        seen.difference_update({each for each in seen if each[:2] == (name, tag)})

    override(storage, set_tag=changed, delete_tag=deleted)


def _referrer_unlinked_with_tag(registry: Registry) -> None:
    """A tag that is deleted takes the link from the subject with it, though other tags stay."""
    unlinked: set[tuple[str, str]] = set()
    storage = registry.storage
    remove, put, listed = registry.manifests.remove_tag, storage.put_manifest, storage.referrers

    def removed(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        remove(name, tag)
        if digest is not None and storage.tags_of(name, digest):
            unlinked.add((name, digest))

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        unlinked.discard((name, manifest.digest))
        put(name, manifest, subject)

    def referrers(name: str, subject: str) -> list[str]:
        return [each for each in listed(name, subject) if (name, each) not in unlinked]

    override(registry.manifests, remove_tag=removed)
    override(storage, put_manifest=stored, referrers=referrers)


FAULTS = (
    Fault(
        name="head-by-tag-has-the-type-of-its-first-manifest",
        title="HEAD of a tag that moved from an image to an index still names the type of the image.",
        breaks=(
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "PULL-CONSIST-TAG-MOVE",
        ),
        apply=_type_of_the_tag,
    ),
    Fault(
        name="tag-never-back-to-a-former-manifest",
        title="A tag that moved away from a manifest does not move back to it, though the push gets 201.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES", "PULL-CONSIST-TAG-MOVE"),
        apply=_no_way_back,
    ),
    Fault(
        name="referrer-unlisted-with-one-of-its-tags",
        title="A referrer with two tags leaves the list of its subject with one of them.",
        breaks=("MGMT-TAG-DELETE-REFERRER-LISTED",),
        apply=_referrer_unlinked_with_tag,
    ),
)
