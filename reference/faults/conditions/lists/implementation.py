"""Faults of lists that come from how a registry makes them, and show under one condition."""

from __future__ import annotations

import json
import re
from collections import defaultdict

from reference.app import Registry
from reference.documents import Document, Json, parse
from reference.faults.conditions.lists.shared import listed_again, listed_tags
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.resources import paging
from reference.storage import Manifest

_DECIMAL = re.compile(r"\d{1,9}\.\d{1,9}")
_DEPTH = 3


def _decimals_read(registry: Registry) -> None:
    """The tags go through a format that knows numbers with a point."""
    listed_tags(registry, lambda _name, tags: [repr(float(tag)) if _DECIMAL.fullmatch(tag) else tag for tag in tags])


def _filtered_by_prefix(registry: Registry) -> None:
    """The filter is a search by the beginning of the type."""

    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        return [descriptor for descriptor in found if str(descriptor.get("artifactType", "")).startswith(artifact_type)]

    override(registry.referrers, select=changed)


def _size_in_characters(registry: Registry) -> None:
    """The manifests are text, and their size is that of the text."""
    describe = registry.referrers.describe
    override(
        registry.referrers,
        describe=lambda manifest: {**describe(manifest), "size": len(manifest.content.decode(errors="replace"))},
    )


def _row_ahead_dropped(registry: Registry) -> None:
    """One row more is read than asked for, and the last one dropped where the page is full."""

    def change(request: Request, response: Response) -> Response | None:
        size = paging.page_size(request)
        rest = registry.tags.after(registry.tags.order(registry.storage.tags(request.name)), request.query.get("last"))
        if not size or len(rest) != size:
            return None
        document = json.loads(response.body)
        return listed_again(response, {**document, "tags": document["tags"][:-1]})

    on("tags.list", status=200, change=change)(registry)


def _position_of_three_components(request: Request, response: Response) -> None:
    """The position in the Link of a catalog has three components at most."""
    page = json.loads(response.body)["repositories"]
    if "Link" in response.headers and page[-1].count("/") >= _DEPTH:
        position = "/".join(page[-1].split("/")[:_DEPTH])
        response.headers.set(*paging.link(request, paging.page_size(request) or len(page), position))


def _listed_at_the_root(registry: Registry) -> None:
    """A referrer is listed where the chain of subjects begins."""
    put = registry.storage.put_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        seen: set[str] = set()
        while subject is not None and subject not in seen:
            seen.add(subject)
            above = registry.storage.manifest(name, subject)
            next_subject = Document(above.media_type, parse(above.content)).subject if above is not None else None
            if next_subject is None:
                break
            subject = next_subject
        put(name, manifest, subject)

    override(registry.storage, put_manifest=stored)


def _list_begun_anew(registry: Registry) -> None:
    """Each push of a manifest makes its row anew, and with the old one goes the list of its referrers."""
    dropped: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    put, referrers = registry.storage.put_manifest, registry.storage.referrers

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        if registry.storage.manifest(name, manifest.digest) is not None:
            dropped[name, manifest.digest].update(referrers(name, manifest.digest))
        put(name, manifest, subject)
        if subject is not None:
            dropped[name, subject].discard(manifest.digest)

    def listed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) if digest not in dropped[name, subject]]

    override(registry.storage, put_manifest=stored, referrers=listed)


def _pages_kept(registry: Registry) -> None:
    """Pages are kept by their query, until a tag is deleted; a push does not make them forgotten."""
    kept: defaultdict[str, dict[str, Response]] = defaultdict(dict)
    listing, delete_tag = registry.handlers["tags.list"], registry.storage.delete_tag

    async def changed(request: Request) -> Response:
        pages = kept[request.name]
        if request.query.get("n") is None:
            return await listing(request)
        if request.query.raw not in pages:
            pages[request.query.raw] = await listing(request)
        page = pages[request.query.raw]
        return Response(page.status, page.headers.pairs, page.body)

    def deleted(name: str, tag: str) -> None:
        kept.pop(name, None)
        delete_tag(name, tag)

    registry.handlers["tags.list"] = changed
    override(registry.storage, delete_tag=deleted)


FAULTS = (
    Fault(
        name="decimal-tag-listed-short",
        title="A tag like 1.10 is listed as 1.1.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-NO-DUPLICATES", "DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LAST-EXCLUSIVE"),
        apply=_decimals_read,
    ),
    Fault(
        name="filter-by-beginning",
        title="Referrers filtered by a type are also those whose type goes on behind it.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_filtered_by_prefix,
    ),
    Fault(
        name="referrer-size-in-characters",
        title="A referrer with letters beyond ASCII is listed with the number of its characters for its size.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=_size_in_characters,
    ),
    Fault(
        name="full-last-page-lacks-one",
        title="A page of tags lacks the last one where as many are left as were asked for.",
        breaks=("DISC-TAGS-N-SHORT-PAGE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        also=(
            "DISC-TAGS-NAME-RESERVED-WORD",
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-LAST-NOT-A-TAG",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
        ),
        apply=_row_ahead_dropped,
    ),
    Fault(
        name="catalog-link-three-deep",
        title="The Link of a page of the catalog names the first three components alone of a last name that has more.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        also=("DISC-CATALOG-ORDER", "DISC-CATALOG-N-LAST"),
        apply=on("catalog.list", status=200, change=_position_of_three_components),
    ),
    Fault(
        name="referrer-of-referrer-at-the-root",
        title="A referrer of a referrer is listed for the subject of that, and not for its own.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-ONLY-MATCHING-SUBJECT"),
        also=("DISC-REFERRERS-STATUS-200", "DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT"),
        apply=_listed_at_the_root,
    ),
    Fault(
        name="referrers-lost-with-subject-again",
        title="The referrers of a manifest are no longer listed when it is pushed again.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-BEFORE-SUBJECT",),
        apply=_list_begun_anew,
    ),
    Fault(
        name="page-of-tags-kept",
        title="A page of tags that was asked for before lacks the tags that were pushed since.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-CONDITION-FRESH",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_pages_kept,
    ),
)
