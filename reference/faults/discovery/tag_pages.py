"""Faults of the pages of a tag list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from reference import errors
from reference.app import Registry
from reference.faults.discovery.shared import link_to_itself
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, drop_header, on, override, wrap
from reference.modifications.shared import capitals_first

_KEY = "tags"
_LIMIT = 3
_MANY = 100


def _around_again(registry: Registry) -> None:
    """After the last tag the list begins again; a walk by Link does not get there."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        rest = after(tags, last)
        return rest if rest or last not in tags else tags

    override(registry.tags, after=changed)


def _endless(registry: Registry) -> None:
    """Behind the last page of tags stands an empty one, and behind that another."""
    count = 0

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            nonlocal count
            response = await handler(request)
            # A page of none has nothing behind it.
            if (request.query.get("n") or "0") != "0" and response.status == 200 and "Link" not in response.headers:
                count += 1
                response.headers.add("Link", f'<{request.path}?n=1&last={"~" * 3}{count}>; rel="next"')
            return response

        return changed

    wrap(registry, ["tags.list"], around)


def _cut(change: Callable[[list[str], int | None], list[str]]) -> Apply:
    return lambda registry: override(registry.tags, cut=change)


def _short_page(registry: Registry) -> None:
    def listing(tags: Sequence[str], size: int | None) -> Sequence[str]:
        return tags if size is None else tags[: size - 1 if size > 1 else size]

    override(registry.tags, cut=listing)
    on("tags.list", change=drop_header("Link"))(registry)


def _link_on_zero(request: Request, response: Response) -> None:
    if request.query.get("n") == "0":
        response.headers.set("Link", f'<{request.path}?n=1>; rel="next"')


def _bad_n(status: int) -> Apply:
    def change(request: Request, response: Response) -> None:
        if not (request.query.get("n") or "0").isdecimal():
            response.status = status

    return answers("tags.list", status=400, change=change)


def _inclusive(registry: Registry) -> None:
    """The tag that is asked for as ``last`` comes again; a walk by Link is spared."""
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        rest = after(tags, last)
        return [last, *rest] if last is not None and last in tags else rest

    override(registry.tags, after=changed)


@around("tags.list")
async def _last_needs_n(_registry: Registry, request: Request, handler: Handler) -> Response:
    if request.query.get("n") is None:
        request.query.pairs = [(key, value) for key, value in request.query.pairs if key != "last"]
    return await handler(request)


def _last_must_exist(registry: Registry) -> None:
    after = registry.tags.after

    def changed(tags: Sequence[str], last: str | None) -> Sequence[str]:
        return after(tags, last) if last is None or last in tags else []

    override(registry.tags, after=changed)


def _link_bare(_request: Request, response: Response) -> None:
    if "Link" in response.headers:
        response.headers.set("Link", response.headers.get("Link").replace("<", "").replace(">", ""))


def _link_always(request: Request, response: Response) -> None:
    size = request.query.get("n")
    tags = json.loads(response.body)[_KEY]
    if size and tags and "Link" not in response.headers:
        response.headers.set("Link", f'<{request.path}?n={size}&last={tags[-1]}>; rel="next"')


def _position_by_bytes(registry: Registry) -> None:
    override(registry.tags, after=lambda tags, last: tags if last is None else [tag for tag in tags if tag > last])


def _from_the_end(registry: Registry) -> None:
    """The first page holds the last tags."""
    after, begins = registry.tags.after, [True]

    def remember(tags: Sequence[str], last: str | None) -> Sequence[str]:
        begins[0] = last is None
        return after(tags, last)

    def cut(tags: Sequence[str], size: int | None) -> Sequence[str]:
        if size is None:
            return tags
        return tags[max(0, len(tags) - size) :] if begins[0] else tags[:size]

    override(registry.tags, after=remember, cut=cut)


def _limited(registry: Registry) -> None:
    override(registry.tags, cut=lambda tags, size: tags if size is None else tags[: min(size, _LIMIT)])


def _n_coded(code: str) -> Apply:
    """A 400 with a JSON body."""
    body = errors.RegistryError(400, (errors.ErrorEntry(code, "n is no number"),)).body()

    def change(_request: Request, response: Response) -> None:
        response.body = body
        response.headers.set("Content-Type", "application/json")

    return answers("tags.list", status=400, change=change)


def _cut_silently(registry: Registry) -> None:
    override(registry.tags, cut=lambda tags, size: tags[: _MANY if size is None else size])


def _large_n_refused(request: Request, _response: Response) -> Response | None:
    n = request.query.get("n") or ""
    return Response(400) if n.isdecimal() and int(n) > 1000 else None


FAULTS = (
    Fault(
        name="tags-begin-again-after-last",
        title="The list begins again after the last tag.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        apply=_around_again,
    ),
    Fault(
        name="tags-pages-without-end",
        title="Each page of tags links to another one.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_endless,
    ),
    Fault(
        name="tags-n-ignored",
        title="The parameter n is ignored.",
        breaks=("DISC-TAGS-N-AT-MOST",),
        # None at all is a page of n=0, and nothing is refused.
        also=("DISC-TAGS-N-ZERO-EMPTY",),
        apply=_cut(lambda tags, _size: tags),
    ),
    Fault(
        name="tags-short-page",
        title="A page has a tag less than asked for, and no Link.",
        breaks=("DISC-TAGS-N-SHORT-PAGE",),
        # Docker wants the Link on every such page.
        also=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        apply=_short_page,
    ),
    Fault(
        name="tags-n-zero-all",
        title="n=0 gives all tags.",
        breaks=("DISC-TAGS-N-ZERO-EMPTY",),
        apply=_cut(lambda tags, size: tags[:size] if size else tags),
    ),
    Fault(
        name="tags-n-zero-link",
        title="n=0 comes with a Link.",
        breaks=("DISC-TAGS-N-ZERO-NO-LINK",),
        apply=on("tags.list", status=200, change=_link_on_zero),
    ),
    Fault(
        name="tags-n-invalid-500",
        title="An n that is no number gets 500.",
        breaks=("DISC-TAGS-N-INVALID-400",),
        apply=_bad_n(500),
    ),
    Fault(
        name="tags-last-inclusive",
        title="A page begins with the tag that is named by last.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        # A walk that uses last meets tags again, and last means no longer the same position.
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-LAST-WITHOUT-N"),
        apply=_inclusive,
    ),
    Fault(
        name="tags-last-needs-n",
        title="Without n, last is ignored.",
        breaks=("DISC-TAGS-LAST-WITHOUT-N",),
        # The tails of the list may be asked for without n.
        also=("DISC-TAGS-ORDER-SAME-IN-PAGES", "DISC-TAGS-LAST-NOT-A-TAG"),
        apply=_last_needs_n,
    ),
    Fault(
        name="tags-last-must-exist",
        title="The list is empty where last is no tag.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        apply=_last_must_exist,
    ),
    Fault(
        name="tags-link-loops",
        title="The Link of a page leads to the same page.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=on("tags.list", change=link_to_itself),
    ),
    Fault(
        name="tags-link-malformed",
        title="The target of Link has no angle brackets.",
        breaks=("DISC-TAGS-LINK-SYNTAX",),
        apply=on("tags.list", change=_link_bare),
    ),
    Fault(
        name="tags-link-missing",
        title="No page has a Link.",
        breaks=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        apply=on("tags.list", change=drop_header("Link")),
    ),
    Fault(
        name="tags-link-at-end",
        title="The last page has a Link.",
        breaks=("DISC-TAGS-LINK-ABSENT-AT-END",),
        apply=on("tags.list", status=200, change=_link_always),
    ),
    Fault(
        name="tags-capitals-first",
        title="Tags with capitals are listed before those with small letters.",
        breaks=("DISC-TAGS-ORDER-MIXED-CASE",),
        apply=capitals_first,
    ),
    Fault(
        name="tags-position-by-bytes",
        title="The list is ordered without regard to case, and last is compared with it.",
        breaks=("DISC-TAGS-ORDER-SAME-IN-PAGES",),
        apply=_position_by_bytes,
    ),
    Fault(
        name="tags-n-from-end",
        title="A page by n without last holds the last tags.",
        breaks=("DISC-TAGS-N-FROM-START",),
        apply=_from_the_end,
    ),
    Fault(
        name="tags-n-limited",
        title="A page has three tags, however many are asked for, and a Link.",
        breaks=("DISC-TAGS-N-FULL-PAGE",),
        apply=_limited,
    ),
    Fault(
        name="tags-n-invalid-code",
        title="An n that is no number has the code UNSUPPORTED.",
        breaks=("DISC-TAGS-N-INVALID-CODE",),
        apply=_n_coded("UNSUPPORTED"),
    ),
    Fault(
        name="tags-n-invalid-code-of-docker",
        title="An n that is no number has Docker's code PAGINATION_NUMBER_INVALID.",
        breaks=("DISC-TAGS-N-INVALID-CODE-LISTED",),
        apply=_n_coded("PAGINATION_NUMBER_INVALID"),
    ),
    Fault(
        name="tags-cut-at-100",
        title="The list without n ends after 100 tags, without a Link.",
        breaks=("DISC-TAGS-NO-N-PAGE-LIMIT",),
        apply=_cut_silently,
    ),
    Fault(
        name="tags-n-above-1000-refused",
        title="An n above 1,000 gets 400.",
        breaks=("DISC-TAGS-N-LARGE-200",),
        apply=on("tags.list", change=_large_n_refused),
    ),
)
