"""Faults of lists under one condition: an entry, a length, a page, a name."""

from __future__ import annotations

import re
from itertools import count

from reference.app import Registry
from reference.documents import Json
from reference.messages import Request, Response
from reference.modifications import Fault, both, on, override
from reference.resources import paging
from reference.storage import Manifest

_PAGE = 20
_MOST = 100
_COLUMN = 71
_CURSOR = re.compile(r"(last=[^&>]{64})[^&>]*")
_NUMBER = re.compile(r"[1-9][0-9]*")


def _library(registry: Registry) -> None:
    document = registry.tags.document
    override(
        registry.tags,
        document=lambda name, tags: document(name if "/" in name else f"library/{name}", tags),
    )


def _numbers(registry: Registry) -> None:
    """Write what looks like a number as one."""

    def document(name: str, tags: list[str]) -> dict[str, object]:
        return {"name": name, "tags": [int(tag) if _NUMBER.fullmatch(tag) else tag for tag in tags]}

    override(registry.tags, document=document)


def _cursor_short(_request: Request, response: Response) -> None:
    """A cursor has room for 64 characters."""
    link = response.headers.get("Link")
    if link:
        response.headers.set("Link", _CURSOR.sub(r"\1", link))


def _pages_limited(registry: Registry) -> None:
    cut = registry.tags.cut
    override(registry.tags, cut=lambda tags, size: cut(tags, None if size is None else min(size, _MOST)))


def _short_is_last(request: Request, response: Response) -> None:
    """A page with less than was asked for is the last one."""
    if (paging.page_size(request) or 0) > _MOST:
        response.headers.drop("Link")


def _pages_of_two_orders(registry: Registry) -> None:
    """Sort by time, and begin a page behind a digest."""
    arrived: dict[str, int] = {}
    clock, put = count(), registry.storage.put_manifest

    def noting(name: str, manifest: Manifest, subject: str | None) -> None:
        arrived.setdefault(manifest.digest, next(clock))
        put(name, manifest, subject)

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        ordered = sorted(found, key=lambda each: arrived[each["digest"]])
        rest = [each for each in ordered if last is None or each["digest"] > last]
        return rest[:_PAGE], rest[_PAGE - 1]["digest"] if len(rest) > _PAGE else None

    override(registry.storage, put_manifest=noting)
    override(registry.referrers, page=page)


def _deleted_for_ever(registry: Registry) -> None:
    """Deletion marks the line of a referrer, and a push leaves a line that is there as it is."""
    marked: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    delete = storage.delete_manifest

    def noting(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        marked.add((name, digest))

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in marked]

    override(storage, delete_manifest=noting)
    override(registry.referrers, collect=changed)


def _subject_cut(registry: Registry) -> None:
    """Note the subject in a column that a sha256 digest fills."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:_COLUMN] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _walked(registry: Registry) -> None:
    """List directories as they are walked; a page begins behind a name as it is written."""

    async def listing(request: Request) -> Response:
        asked, last = paging.page_size(request), request.query.get("last")
        size = registry.catalog.limit if asked is None else min(asked, registry.catalog.limit)
        walked = sorted(registry.storage.repositories(), key=lambda name: name.split("/"))
        rest = [name for name in walked if last is None or name > last]
        response = Response.json({"repositories": rest[:size]})
        if size and len(rest) > size:
            response.headers.add(*paging.link(request, size, rest[size - 1]))
        return response

    registry.handlers["catalog.list"] = listing


FAULTS = (
    Fault(
        name="sixth-link-behind-a-long-tag",
        title="The Link behind a tag of more than 64 characters names those alone.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-NO-DUPLICATES",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=on("tags.list", status=200, change=_cursor_short),
    ),
    Fault(
        name="sixth-name-in-the-library",
        title="The list of tags of a repository of one component is that of one in library.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_library,
    ),
    Fault(
        name="sixth-tags-as-numbers",
        title="Tags of digits alone are listed as numbers.",
        breaks=("DISC-TAGS-BODY-ARRAY",),
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_numbers,
    ),
    Fault(
        name="sixth-n-above-100-is-the-last-page",
        title="A page of more than 100 tags ends after 100, without a Link.",
        breaks=(
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        also=(
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-N-LARGE-200",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=both(_pages_limited, on("tags.list", status=200, change=_short_is_last)),
    ),
    Fault(
        name="sixth-referrers-in-two-orders",
        title="Of more than twenty referrers the second page repeats some and lacks others.",
        breaks=(
            "DISC-REFERRERS-LINK-PAGES",
            "DISC-REFERRERS-COMPLETE",
        ),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-FILTER-ONLY-MATCHING",
        ),
        apply=_pages_of_two_orders,
    ),
    Fault(
        name="sixth-referrer-deleted-for-ever",
        title="A referrer that was deleted and pushed again is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_deleted_for_ever,
    ),
    Fault(
        name="sixth-referrers-of-sha512-lost",
        title="The referrers of a subject by sha512 are not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-ONLY-MATCHING-SUBJECT",
        ),
        apply=_subject_cut,
    ),
    Fault(
        name="sixth-catalog-by-components",
        title="The catalog has a/b before a-b, and its next page begins as if it had not.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        also=(
            "DISC-CATALOG-ORDER",
            "DISC-CATALOG-N-LAST",
        ),
        apply=_walked,
    ),
)
