"""Faults of lists that show under one condition: a kind of manifest, a name, a number, or what went before."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_LIST, INDEXES, OCI_MANIFEST, Json, parse
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.resources import paging
from reference.storage import Manifest

#: How many referrers are looked up in one batch.
_BATCH = 20


def _tags(registry: Registry, change: Callable[[str, list[str]], list[str]]) -> None:
    """Change the tags that are listed of a repository, before they are put in order."""
    listing, order = registry.handlers["tags.list"], registry.tags.order
    asked: list[str] = []

    async def changed(request: Request) -> Response:
        asked[:] = [request.name]
        return await listing(request)

    registry.handlers["tags.list"] = changed
    override(registry.tags, order=lambda tags: order(change(asked[0], tags)))


def _docker_lists_unlisted(registry: Registry) -> None:
    """Tags are looked up with the images that they are on."""

    def is_image(name: str, tag: str) -> bool:
        manifest = registry.manifests.find(name, tag)
        return manifest is None or manifest.media_type != DOCKER_LIST

    _tags(registry, lambda name, tags: [tag for tag in tags if is_image(name, tag)])


def _sha512_listed(registry: Registry) -> None:
    """A reference that is no sha256 digest is taken for a tag."""
    pushed: dict[str, set[str]] = {}

    def noted(request: Request, _response: Response) -> None:
        if request.reference.startswith("sha512:"):
            pushed.setdefault(request.name, set()).add(request.reference)

    def more(name: str, tags: list[str]) -> list[str]:
        return [*tags, *(each for each in pushed.get(name, ()) if registry.storage.manifest(name, each) is not None)]

    on("manifest.put", status=201, change=noted)(registry)
    _tags(registry, more)


def _library(registry: Registry) -> None:
    """A repository of one component is one of the library."""
    document = registry.tags.document

    def changed(name: str, page: list[str]) -> dict[str, object]:
        return document(name if "/" in name else f"library/{name}", page)

    override(registry.tags, document=changed)


def _pages_of_two(registry: Registry) -> None:
    """A page of two leads to the tag behind the next one."""

    def changed(request: Request, response: Response) -> None:
        if request.query.get("n") != "2" or "Link" not in response.headers:
            return
        page = parse(response.body)["tags"]
        ordered = registry.tags.order(registry.storage.tags(request.name))
        rest = registry.tags.after(ordered, page[-1])
        response.headers.set(*paging.link(request, 2, rest[0]))

    on("tags.list", status=200, change=changed)(registry)


def _page_of_one(request: Request, response: Response) -> Response | None:
    """A list of one entry is written as the entry, as XML is made JSON."""
    document = parse(response.body)
    if request.query.get("n") != "1" or len(document["tags"]) != 1:
        return None
    other = Response.json({**document, "tags": document["tags"][0]})
    for value in response.headers.all("Link"):
        other.headers.add("Link", value)
    return other


def _index_as_image(registry: Registry) -> None:
    """The table of referrers has one type for all."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor["mediaType"] = OCI_MANIFEST
        return descriptor

    override(registry.referrers, describe=changed)


def _left_by_its_tag(registry: Registry) -> None:
    """A referrer whose tag goes to another manifest is taken off the list, unless another tag is on it."""
    gone: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    set_tag, put = storage.set_tag, storage.put_manifest

    def moved(name: str, tag: str, digest: str) -> None:
        before = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if before not in (None, digest) and before not in {storage.tag(name, other) for other in storage.tags(name)}:
            gone.add((name, str(before)))

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        gone.discard((name, manifest.digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in gone]

    override(storage, set_tag=moved, put_manifest=stored)
    override(registry.referrers, collect=changed)


def _absence_kept(registry: Registry) -> None:
    """That a digest has no referrers is remembered."""
    absent: set[tuple[str, str]] = set()
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        referrers = collect(name, subject)
        if not referrers:
            absent.add((name, subject))
        return [] if (name, subject) in absent else referrers

    override(registry.referrers, collect=changed)


def _second_batch_untyped(registry: Registry) -> None:
    """Only the first referrers are looked up with their types."""
    collect = registry.referrers.collect

    def changed(name: str, subject: str) -> list[Json]:
        referrers = collect(name, subject)
        for descriptor in referrers[_BATCH:]:
            descriptor.pop("artifactType", None)
        return referrers

    override(registry.referrers, collect=changed)


FAULTS = (
    Fault(
        name="tag-of-docker-list-unlisted",
        title="A tag on a Docker manifest list is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "BASE-TAG-ACCEPTED-KEPT",
            "DISC-TAGS-EMPTY-REPO-200",
        ),
        apply=_docker_lists_unlisted,
    ),
    Fault(
        name="sha512-digest-listed-as-tag",
        title="A manifest that was pushed by its sha512 digest is listed as a tag.",
        breaks=("DISC-TAGS-DIGEST-NOT-LISTED",),
        also=(
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "DISC-TAGS-EMPTY-REPO-200",
            "DISC-TAGS-BODY-ARRAY",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_sha512_listed,
    ),
    Fault(
        name="tags-of-one-component-in-the-library",
        title="The list of tags of a repository of one component has library/ before the name.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_library,
    ),
    Fault(
        name="tags-in-pages-of-two-skip-one",
        title="Between pages of two tags one is passed over.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_pages_of_two,
    ),
    Fault(
        name="tags-in-page-of-one-a-string",
        title="A page of one tag has a string for its tags.",
        breaks=("DISC-TAGS-BODY-ARRAY",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-N-AT-MOST",
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=on("tags.list", status=200, change=_page_of_one),
    ),
    Fault(
        name="index-listed-as-image-referrer",
        title="An index among the referrers is described as an image manifest.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_index_as_image,
    ),
    Fault(
        name="referrer-unlisted-once-its-tag-moved",
        title="A referrer is no longer listed once its tag has moved to another manifest.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "PUSH-MANIFEST-RETAG-KEEPS-OLD",
        ),
        apply=_left_by_its_tag,
    ),
    Fault(
        name="referrers-absent-for-ever",
        title="A list of referrers that was asked for when it was empty stays empty.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "DISC-REFERRERS-STATUS-200",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
            "DISC-REFERRERS-FILTER-SUPPORTED",
        ),
        apply=_absence_kept,
    ),
    Fault(
        name="referrers-beyond-twenty-untyped",
        title="Referrers beyond the twentieth of a list are described without their artifactType.",
        breaks=(
            "DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",
            "DISC-REFERRERS-ARTIFACTTYPE-CONFIG",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        also=(
            "DISC-REFERRERS-FILTER-SUPPORTED",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        apply=_second_batch_untyped,
    ),
)
