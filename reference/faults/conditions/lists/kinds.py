"""Faults of lists that show with some kinds of manifests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reference.app import Registry
from reference.documents import DOCKER_LIST, INDEXES, OCI_MANIFEST, Json, parse
from reference.faults.conditions.lists.shared import listed_tags
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Manifest

_LARGE = 3 << 20


def _order_of_names(registry: Registry, change: Callable[[str, Sequence[str]], Sequence[str]]) -> None:
    """Change the tags of a repository before they are listed; by its name."""
    order, listing = registry.tags.order, registry.handlers["tags.list"]
    name = ""

    async def named(request: Request) -> Response:
        nonlocal name
        # Nothing waits between here and the order.
        name = request.name
        return await listing(request)

    registry.handlers["tags.list"] = named
    override(registry.tags, order=lambda tags: change(name, order(tags)))


def _large_unlisted(registry: Registry) -> None:
    def is_small(name: str, tag: str) -> bool:
        digest = registry.storage.tag(name, tag)
        manifest = registry.storage.manifest(name, digest) if digest is not None else None
        return manifest is None or len(manifest.content) <= _LARGE

    _order_of_names(registry, lambda name, tags: [tag for tag in tags if is_small(name, tag)])


def _type_of_member(registry: Registry) -> None:
    """The type of a referrer is read from its member, which need not be there."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        return {**describe(manifest), "mediaType": parse(manifest.content).get("mediaType") or ""}

    override(registry.referrers, describe=changed)


def _docker_lists_unlisted(registry: Registry) -> None:
    """Tags are looked up with the images that they are on."""

    def is_image(name: str, tag: str) -> bool:
        manifest = registry.manifests.find(name, tag)
        return manifest is None or manifest.media_type != DOCKER_LIST

    listed_tags(registry, lambda name, tags: [tag for tag in tags if is_image(name, tag)])


def _index_as_image(registry: Registry) -> None:
    """The table of referrers has one type for all."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor["mediaType"] = OCI_MANIFEST
        return descriptor

    override(registry.referrers, describe=changed)


def _untyped_json(registry: Registry) -> None:
    """A referrer has the type that it says itself to be of."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if "mediaType" not in parse(manifest.content):
            descriptor["mediaType"] = "application/json"
        return descriptor

    override(registry.referrers, describe=changed)


def _with_size_of_content(registry: Registry) -> None:
    """The size of an index is that of all that it lists."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor["size"] = sum(child["size"] for child in parse(manifest.content)["manifests"])
        return descriptor

    override(registry.referrers, describe=changed)


def _streamed_not_indexed(registry: Registry) -> None:
    """A body that was streamed is read once, and nothing is left to index."""
    streamed: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            key = request.name, response.headers.get("Docker-Content-Digest")
            (streamed.add if request.content_length is None else streamed.discard)(key)
            return response

        return changed

    def listed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in streamed]

    wrap(registry, ["manifest.put"], around)
    override(registry.referrers, collect=listed)


def _annotations_of_images(registry: Registry) -> None:
    """What is told of a referrer is read from the table of images."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor.pop("annotations", None)
        return descriptor

    override(registry.referrers, describe=changed)


def _joined_with_images(registry: Registry) -> None:
    """The list of tags is a join of tags and images."""
    storage = registry.storage
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        def of_images(tags: Sequence[str]) -> Sequence[str]:
            found = [(tag, storage.manifest(request.name, storage.tag(request.name, tag) or "")) for tag in tags]
            return order([tag for tag, manifest in found if manifest and manifest.media_type not in INDEXES])

        override(registry.tags, order=of_images)
        return await listing(request)

    order = registry.tags.order
    registry.handlers["tags.list"] = changed


def _typed_within(registry: Registry) -> None:
    """Which manifests may have a subject is decided by the member mediaType, not by the Content-Type."""
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject if "mediaType" in parse(manifest.content) else None)

    override(registry.storage, put_manifest=stored)


FAULTS = (
    Fault(
        name="tag-of-large-manifest-unlisted",
        title="The tag of a manifest of more than 3 MiB is not in the list.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH", "PUSH-MANIFEST-4MB-ACCEPTED"),
        apply=_large_unlisted,
    ),
    Fault(
        name="referrer-without-media-type-nameless",
        title="A referrer without the member mediaType is listed with an empty one.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=_type_of_member,
    ),
    Fault(
        name="tag-of-docker-list-unlisted",
        title="A tag on a Docker manifest list is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "BASE-TAG-ACCEPTED-KEPT", "DISC-TAGS-EMPTY-REPO-200"),
        apply=_docker_lists_unlisted,
    ),
    Fault(
        name="index-listed-as-image-referrer",
        title="An index among the referrers is described as an image manifest.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_index_as_image,
    ),
    Fault(
        name="untyped-referrer-is-json",
        title="A referrer without the member mediaType is listed as application/json.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_untyped_json,
    ),
    Fault(
        name="index-referrer-size",
        title="An index is listed among the referrers with the size of all that it lists.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_with_size_of_content,
    ),
    Fault(
        name="streamed-referrer-unlisted",
        title="A referrer whose push did not announce its length is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "PUSH-MANIFEST-STREAMED-WHOLE",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_streamed_not_indexed,
    ),
    Fault(
        name="index-referrer-without-annotations",
        title="An index that is a referrer is listed without its annotations.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_annotations_of_images,
    ),
    Fault(
        name="referrer-without-member-untyped",
        title="A referrer without the member mediaType is listed with an empty type.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-INDEX-SHAPE",),
        apply=_type_of_member,
    ),
    Fault(
        name="tags-of-indexes-unlisted",
        title="The tag of an index is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "PUSH-TAGPARAM-LISTED-TAG-RESOLVES"),
        apply=_joined_with_images,
    ),
    Fault(
        name="referrers-without-media-type-lost",
        title="A manifest with a subject and without the member mediaType is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_typed_within,
    ),
)
