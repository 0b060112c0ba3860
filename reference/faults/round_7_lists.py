"""Faults of lists that show under one condition each: a name, a number of entries, a kind, or what happened before."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.documents import INDEXES, Json
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.resources import paging
from reference.storage import Manifest

_MOST = 100
_LINK_BUFFER = 256


def _limited_unsaid(_request: Request, response: Response) -> None:
    """No more than a hundred are fetched; whether more follow is reckoned with the n that was asked for."""
    document = json.loads(response.body)
    if len(document["tags"]) > _MOST:
        document["tags"] = document["tags"][:_MOST]
        response.body = json.dumps(document).encode()


def _asked(request: Request, response: Response) -> None:
    if request.query.get("n") is not None:
        _limited_unsaid(request, response)


def _behind_all_that_begin_so(registry: Registry) -> None:
    """The list goes on behind last with the greatest character added."""
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        return after(tags, last if last is None else f"{last}\uffff")

    override(registry.tags, after=changed)


def _link_in_a_buffer(_request: Request, response: Response) -> None:
    link = response.headers.get("Link")
    if len(link) > _LINK_BUFFER:
        response.headers.set("Link", link[:_LINK_BUFFER])


def _catalog_by_components(registry: Registry) -> None:
    """The catalog is sorted by its characters, and goes on in the order of a walk through directories."""
    listing = registry.handlers["catalog.list"]

    async def changed(request: Request) -> Response:
        last = request.query.get("last")
        if last is None:
            return await listing(request)
        asked = paging.page_size(request)
        size = registry.catalog.limit if asked is None else min(asked, registry.catalog.limit)
        names = sorted(registry.storage.repositories())
        rest = [name for name in names if name.split("/") > last.split("/")]
        response = Response.json({"repositories": rest[:size]})
        if size and len(rest) > size:
            response.headers.add(*paging.link(request, size, rest[size - 1]))
        return response

    registry.handlers["catalog.list"] = changed


def _subjects_by_sha256(registry: Registry) -> None:
    """The table of subjects has room for digests of one length."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, None if subject and subject.startswith("sha512:") else subject)

    override(registry.storage, put_manifest=changed)


def _annotations_of_images(registry: Registry) -> None:
    """What is told of a referrer is read from the table of images."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type in INDEXES:
            descriptor.pop("annotations", None)
        return descriptor

    override(registry.referrers, describe=changed)


def _still_marked(registry: Registry) -> None:
    """The row of a deleted referrer is marked, and stays so when the referrer is inserted again."""
    marked: set[tuple[str, str]] = set()
    delete, collect = registry.storage.delete_manifest, registry.referrers.collect

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        marked.add((name, digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marked]

    override(registry.storage, delete_manifest=deleted)
    override(registry.referrers, collect=changed)


FAULTS = (
    Fault(
        name="seventh-limited-unsaid",
        title="A page of more than 100 tags ends after 100, as if there were no more.",
        breaks=(
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        also=(
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-TAGS-CONCURRENT-COMPLETE",
        ),
        apply=on("tags.list", status=200, change=_asked),
    ),
    Fault(
        name="seventh-behind-all-that-begin-so",
        title="The page behind a tag lacks the tags that begin with it.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-LAST-WITHOUT-N",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-N-FULL-PAGE",
        ),
        apply=_behind_all_that_begin_so,
    ),
    Fault(
        name="seventh-link-in-a-buffer",
        title="The Link of a page of tags ends after 256 characters, as it does for a name of full length.",
        breaks=("DISC-TAGS-LINK-SYNTAX",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=on("tags.list", status=200, change=_link_in_a_buffer),
    ),
    Fault(
        name="seventh-catalog-by-components",
        title="The pages of the catalog lack names where one goes on with a dash and another with a slash.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        also=(
            "DISC-CATALOG-N-LAST",
            "DISC-CATALOG-ORDER",
        ),
        apply=_catalog_by_components,
    ),
    Fault(
        name="seventh-subjects-by-sha256",
        title="The referrers of a subject that is named by sha512 are not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
        ),
        apply=_subjects_by_sha256,
    ),
    Fault(
        name="seventh-annotations-of-images",
        title="An index that is a referrer is listed without its annotations.",
        breaks=("DISC-REFERRERS-ANNOTATIONS",),
        apply=_annotations_of_images,
    ),
    Fault(
        name="seventh-referrer-still-marked",
        title="A referrer that was deleted and pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_still_marked,
    ),
)
