"""Faults of lists that show under one condition alone: a number, a name, a tag, or what went ahead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from reference.app import Registry
from reference.documents import Json
from reference.messages import Request, Response
from reference.modifications import Fault, on, override

_NODE = 20
_ROWS = 100
_PREVIEW = 5
_LONGEST = 255


class _Listed:
    """What the list of tags sees of a storage."""

    def __init__(self, registry: Registry, listed: Callable[[str, list[str]], Iterable[str]]) -> None:
        self._storage = registry.storage
        self._listed = listed

    def exists(self, name: str) -> bool:
        """Whether a repository exists."""
        return self._storage.exists(name)

    def tags(self, name: str) -> list[str]:
        """Those of its tags that are listed."""
        return list(self._listed(name, self._storage.tags(name)))


def _library(request: Request, response: Response) -> Response | None:
    if "/" in request.name:
        return None
    document = {**json.loads(response.body), "name": f"library/{request.name}"}
    return _again(response, document)


def _again(response: Response, document: Json) -> Response:
    changed = Response.json(document)
    for link in response.headers.all("link"):
        changed.headers.add("Link", link)
    return changed


def _link_cut(request: Request, response: Response) -> None:
    link = response.headers.get("link")
    if len(request.name) == _LONGEST and link:
        response.headers.set("Link", link.replace(request.name, request.name[:-1], 1))


def _small_letters(registry: Registry) -> None:
    """The list has the names of files, on a system that knows no capitals."""
    override(registry.tags, storage=_Listed(registry, lambda _name, tags: {tag.lower() for tag in tags}))


def _latest_first(_request: Request, response: Response) -> Response | None:
    document = json.loads(response.body)
    if "latest" not in document["tags"]:
        return None
    document["tags"].remove("latest")
    document["tags"].insert(0, "latest")
    return _again(response, document)


def _untagged_stay_so(registry: Registry) -> None:
    """Whether a manifest is listed is decided when it is first pushed."""
    hidden: set[tuple[str, str]] = set()
    put, storage = registry.handlers["manifest.put"], registry.storage

    async def changed(request: Request) -> Response:
        by_digest = ":" in request.reference
        known = by_digest and storage.manifest(request.name, request.reference) is not None
        response = await put(request)
        if response.status == 201 and by_digest and not known:
            hidden.add((request.name, request.reference))
        return response

    def listed(name: str, tags: list[str]) -> list[str]:
        return [tag for tag in tags if (name, storage.tag(name, tag)) not in hidden]

    registry.handlers["manifest.put"] = changed
    override(registry.tags, storage=_Listed(registry, listed))


def _successor_skipped(registry: Registry) -> None:
    """The removal of an entry shifts the next one into its place, which is passed over then."""
    hidden: set[tuple[str, str]] = set()
    remove_tag, set_tag = registry.manifests.remove_tag, registry.storage.set_tag

    def removed(name: str, tag: str) -> None:
        ordered = registry.tags.order(registry.storage.tags(name))
        remove_tag(name, tag)
        hidden.update((name, other) for other in ordered[ordered.index(tag) + 1 :][:1])

    def tagged(name: str, tag: str, digest: str) -> None:
        hidden.discard((name, tag))
        set_tag(name, tag, digest)

    def listed(name: str, tags: list[str]) -> list[str]:
        return [tag for tag in tags if (name, tag) not in hidden]

    override(registry.manifests, remove_tag=removed)
    override(registry.storage, set_tag=tagged)
    override(registry.tags, storage=_Listed(registry, listed))


def _empty_remembered(registry: Registry) -> None:
    """An empty list of referrers is kept for the next time, and nothing makes it invalid."""
    empty: set[tuple[str, str]] = set()
    referrers = registry.storage.referrers

    def changed(name: str, subject: str) -> list[str]:
        found = referrers(name, subject) if (name, subject) not in empty else []
        if not found:
            empty.add((name, subject))
        return found

    override(registry.storage, referrers=changed)


def _border_twice(registry: Registry) -> None:
    """A node of the tree holds twenty entries, and the last of the first one is in the second too."""
    cut = registry.tags.cut

    def changed(tags: list[str], size: int | None) -> list[str]:
        page = cut(tags, size)
        return cut([*page[:_NODE], *page[_NODE - 1 :]], size) if len(page) > _NODE else page

    override(registry.tags, cut=changed)


def _one_more_than_asked(registry: Registry) -> None:
    """Whether there is more is decided by all tags of the repository, and off by one."""

    def change(request: Request, response: Response) -> None:
        size = request.query.get("n") or ""
        if size.isdecimal() and len(registry.storage.tags(request.name)) == int(size) + 1:
            response.headers.drop("Link")

    on("tags.list", status=200, change=change)(registry)


def _first_rows(registry: Registry) -> None:
    """The query for referrers ends after a hundred rows."""
    collect = registry.referrers.collect
    override(registry.referrers, collect=lambda name, subject: collect(name, subject)[:_ROWS])


def _filter_of_preview(registry: Registry) -> None:
    """What is filtered are the five that are kept at hand."""
    select = registry.referrers.select
    override(registry.referrers, select=lambda found, wanted: select(found[:_PREVIEW], wanted))


FAULTS = (
    Fault(
        name="single-name-in-library",
        title="The list of tags of a repository of one component names it library/NAME.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_library),
    ),
    Fault(
        name="longest-name-link-cut",
        title="The Link of a page of tags lacks the last character of a name of 255.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=(
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-N-SHORT-PAGE",
            "DISC-TAGS-LINK-SYNTAX",
        ),
        apply=on("tags.list", status=200, change=_link_cut),
    ),
    Fault(
        name="capitals-listed-small",
        title="Tags with capitals are listed in small letters.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-NO-DUPLICATES",
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-ORDER-WHOLE",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "MGMT-TAG-DELETE-NOT-LISTED",
        ),
        apply=_small_letters,
    ),
    Fault(
        name="latest-listed-first",
        title="The tag latest is the first in each list.",
        breaks=(
            "DISC-TAGS-ORDER-WHOLE",
            "DISC-TAGS-ORDER-LEXICAL",
        ),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-FROM-START",
        ),
        apply=on("tags.list", status=200, change=_latest_first),
    ),
    Fault(
        name="tag-of-untagged-not-listed",
        title="A tag on a manifest that was first pushed by its digest is not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_untagged_stay_so,
    ),
    Fault(
        name="tag-behind-deleted-not-listed",
        title="The tag that follows a deleted one in the list is not listed any more.",
        breaks=(
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-LAST-NOT-A-TAG",
        ),
        apply=_successor_skipped,
    ),
    Fault(
        name="referrers-empty-remembered",
        title="A list of referrers that was empty when it was asked for stays so.",
        breaks=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-COMPLETE-INDEX",
        ),
        also=(
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
            "MGMT-MANIFEST-DELETE-REPUSH",
        ),
        apply=_empty_remembered,
    ),
    Fault(
        name="tag-at-node-border-twice",
        title="In a list of more than twenty tags the twentieth stands twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-ORDER-WHOLE",
        ),
        apply=_border_twice,
    ),
    Fault(
        name="no-link-before-one-more",
        title="A page of tags has no Link where the repository has one tag more than was asked for.",
        breaks=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-N-SHORT-PAGE",
        ),
        apply=_one_more_than_asked,
    ),
    Fault(
        name="referrers-end-after-100",
        title="The list of referrers ends after a hundred, without a Link.",
        breaks=(
            "DISC-REFERRERS-COMPLETE",
            "DISC-REFERRERS-LINK-PAGES",
        ),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-CONCURRENT-COMPLETE",
        ),
        apply=_first_rows,
    ),
    Fault(
        name="filter-of-five-referrers",
        title="The filter of referrers looks at the first five alone.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-COMPLETE",),
        apply=_filter_of_preview,
    ),
)
