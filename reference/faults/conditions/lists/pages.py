"""Faults of lists that show at some sizes of a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from reference.app import Registry
from reference.documents import parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, both, on, override
from reference.resources import paging

#: The least page behind which a single tag is passed over.
_PAGE = 10
_MOST = 100


def _no_page_behind_one(request: Request, response: Response) -> None:
    if request.query.get("n") == "1":
        response.headers.drop("Link")


def _single_rest_passed_over(registry: Registry) -> None:
    """Whether more follows is looked up two behind the page."""

    def change(request: Request, response: Response) -> None:
        page = json.loads(response.body)["tags"]
        if "Link" in response.headers and len(page) >= _PAGE:
            ordered = registry.tags.order(registry.storage.tags(request.name))
            if len(registry.tags.after(ordered, page[-1])) == 1:
                response.headers.drop("Link")

    on("tags.list", status=200, change=change)(registry)


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


def _one_more_than_asked(registry: Registry) -> None:
    """Whether there is more is decided by all tags of the repository, and off by one."""

    def change(request: Request, response: Response) -> None:
        size = request.query.get("n") or ""
        if size.isdecimal() and len(registry.storage.tags(request.name)) == int(size) + 1:
            response.headers.drop("Link")

    on("tags.list", status=200, change=change)(registry)


def _paged(change: Callable[[Request, Response, int, Sequence[str]], None]) -> Apply:
    """Change first pages; with the number that was asked for and all the tags."""

    def apply(registry: Registry) -> None:
        def changed(request: Request, response: Response) -> None:
            size = paging.page_size(request)
            if size and request.query.get("last") is None:
                change(request, response, size, registry.tags.order(registry.storage.tags(request.name)))

        on("tags.list", status=200, change=changed)(registry)

    return apply


def _link_behind_all(request: Request, response: Response, size: int, tags: Sequence[str]) -> None:
    """The position is taken from the row that was read ahead."""
    if size == len(tags) - 1:
        response.headers.set(*paging.link(request, size, tags[-1]))


def _begins_again(_request: Request, response: Response, size: int, tags: Sequence[str]) -> None:
    """The buffer is a ring, and the reader is one ahead."""
    if tags and size > len(tags):
        document = json.loads(response.body)
        response.body = json.dumps({**document, "tags": [*document["tags"], document["tags"][0]]}).encode()


def _pages_limited(registry: Registry) -> None:
    cut = registry.tags.cut
    override(registry.tags, cut=lambda tags, size: cut(tags, None if size is None else min(size, _MOST)))


def _short_is_last(request: Request, response: Response) -> None:
    """A page with less than was asked for is the last one."""
    if (paging.page_size(request) or 0) > _MOST:
        response.headers.drop("Link")


def _limited_unsaid(_request: Request, response: Response) -> None:
    """No more than a hundred are fetched; whether more follow is reckoned with the n that was asked for."""
    document = json.loads(response.body)
    if len(document["tags"]) > _MOST:
        document["tags"] = document["tags"][:_MOST]
        response.body = json.dumps(document).encode()


def _asked(request: Request, response: Response) -> None:
    if request.query.get("n") is not None:
        _limited_unsaid(request, response)


def _pages_of_one(registry: Registry) -> Apply:
    """The first row is that of last, and dropped where a page has more than one."""

    def change(request: Request, response: Response) -> None:
        last = request.query.get("last")
        listed = json.loads(response.body)
        if request.query.get("n") == "1" and listed["tags"] and last in registry.storage.tags(request.name):
            response.body = json.dumps({**listed, "tags": [last]}).encode()

    return on("tags.list", status=200, change=change)


def _one_more_looked_for(registry: Registry) -> None:
    """One more than asked for is looked up, to see whether more follow; a single one of two is not split off."""
    cut = registry.tags.cut
    override(registry.tags, cut=lambda tags, size: cut(tags, 2 if size == 1 else size))


FAULTS = (
    Fault(
        name="tags-one-by-one-without-link",
        title="A page of one tag has no Link to the next.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=on("tags.list", status=200, change=_no_page_behind_one),
    ),
    Fault(
        name="link-to-a-single-tag-missing",
        title="A page of ten tags or more has no Link where one tag alone is left.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=_single_rest_passed_over,
    ),
    Fault(
        name="tags-in-pages-of-two-skip-one",
        title="The list skips a tag between pages of two tags.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-N-SHORT-PAGE", "DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-ORDER-SAME-IN-PAGES"),
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
        name="no-link-before-one-more",
        title="A page of tags has no Link where the repository has one tag more than was asked for.",
        breaks=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-N-SHORT-PAGE"),
        apply=_one_more_than_asked,
    ),
    Fault(
        name="link-behind-all",
        title="The Link of a page that has all tags but one leads behind the last tag.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-LAST-EXCLUSIVE"),
        apply=_paged(_link_behind_all),
    ),
    Fault(
        name="page-begins-again",
        title="The first tag is listed again at the end where n is greater than the number of tags.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "DISC-TAGS-ORDER-LEXICAL",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-LARGE-200",
            "DISC-TAGS-N-FROM-START",
        ),
        apply=_paged(_begins_again),
    ),
    Fault(
        name="n-above-100-is-the-last-page",
        title="A page of more than 100 tags ends after 100, without a Link.",
        breaks=("DISC-TAGS-N-SHORT-PAGE", "DISC-TAGS-LINK-WALK-COMPLETE"),
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
        name="tags-page-limit-without-link",
        title="A page of more than 100 tags ends after 100, as if there were no more.",
        breaks=("DISC-TAGS-N-SHORT-PAGE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        also=(
            "DISC-TAGS-N-FULL-PAGE",
            "DISC-TAGS-LINK-PRESENT-WHEN-MORE",
            "DISC-TAGS-COMPLETE-AFTER-PUSH",
            "DISC-TAGS-CONCURRENT-COMPLETE",
        ),
        apply=on("tags.list", status=200, change=_asked),
    ),
    Fault(
        name="tags-by-one-begin-with-last",
        title="A page of one tag holds the tag that is named by last.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE", "DISC-TAGS-LINK-WALK-COMPLETE"),
        also=("DISC-TAGS-NO-DUPLICATES", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-COMPLETE-AFTER-PUSH"),
        apply=lambda registry: _pages_of_one(registry)(registry),
    ),
    Fault(
        name="page-of-one-has-two",
        title="A page of one tag has two.",
        breaks=("DISC-TAGS-N-AT-MOST",),
        also=("DISC-TAGS-N-FULL-PAGE", "DISC-TAGS-N-FROM-START", "DISC-TAGS-LAST-EXCLUSIVE"),
        apply=_one_more_looked_for,
    ),
)
