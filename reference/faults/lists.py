"""Faults of the lists of tags and repositories."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, on, override, set_header, set_status

_KEY = "tags"


def _body(change: Callable[[dict[str, Any]], None], *operations: str) -> Apply:
    """Change the JSON of a list."""

    def edit(_request: Request, response: Response) -> None:
        body = json.loads(response.body)
        change(body)
        response.body = json.dumps(body).encode()

    return on(*(operations or ("tags.list",)), status=200, change=edit)


def _without_name(body: dict[str, Any]) -> None:
    del body["name"]


def _short_name(body: dict[str, Any]) -> None:
    body["name"] = body["name"].rpartition("/")[2]


def _null(body: dict[str, Any]) -> None:
    body[_KEY] = body[_KEY] or None


def _twice(body: dict[str, Any]) -> None:
    body[_KEY] = [tag for tag in body[_KEY] for _ in range(2)]


def _never_the_last(registry: Registry) -> None:
    """The last of several tags is in no list."""
    order = registry.tags.order

    def changed(tags: list[str]) -> list[str]:
        ordered = order(tags)
        return ordered[:-1] if len(ordered) > 1 else ordered

    override(registry.tags, order=changed)


def _cut(change: Callable[[list[str], int | None], list[str]]) -> Apply:
    return lambda registry: override(registry.tags, cut=change)


def _short_page(registry: Registry) -> None:
    def listing(tags: list[str], size: int | None) -> list[str]:
        return tags if size is None else tags[: size - 1 if size > 1 else size]

    override(registry.tags, cut=listing)
    on("tags.list", change=drop_header("Link"))(registry)


def _inclusive(registry: Registry) -> None:
    """The tag that is asked for as ``last`` comes again; a walk by Link is spared."""
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        rest = after(tags, last)
        return [last, *rest] if last is not None and last in tags else rest

    override(registry.tags, after=changed)


def _last_needs_n(registry: Registry) -> None:
    listing = registry.handlers["tags.list"]

    async def changed(request: Request) -> Response:
        if request.query.get("n") is None:
            request.query.pairs = [(key, value) for key, value in request.query.pairs if key != "last"]
        return await listing(request)

    registry.handlers["tags.list"] = changed


def _last_must_exist(registry: Registry) -> None:
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        return after(tags, last) if last is None or last in tags else []

    override(registry.tags, after=changed)


def _reversed(registry: Registry) -> None:
    """From the end to the beginning, with ``last`` in its place."""

    def order(tags: list[str]) -> list[str]:
        return sorted(tags, key=str.lower, reverse=True)

    def after(tags: list[str], last: str | None) -> list[str]:
        return tags if last is None else [tag for tag in tags if tag.lower() < last.lower()]

    override(registry.tags, order=order, after=after)


def _link_to_itself(request: Request, response: Response) -> None:
    if "Link" in response.headers:
        response.headers.set("Link", f'<{request.path}?{request.query.raw}>; rel="next"')


def _link_bare(_request: Request, response: Response) -> None:
    if "Link" in response.headers:
        response.headers.set("Link", response.headers.get("Link").replace("<", "").replace(">", ""))


def _link_always(request: Request, response: Response) -> None:
    size = request.query.get("n")
    tags = json.loads(response.body)[_KEY]
    if size and tags and "Link" not in response.headers:
        response.headers.set("Link", f'<{request.path}?n={size}&last={tags[-1]}>; rel="next"')


def _link_on_zero(request: Request, response: Response) -> None:
    if request.query.get("n") == "0":
        response.headers.set("Link", f'<{request.path}?n=1>; rel="next"')


def _bad_n(status: int) -> Apply:
    def change(request: Request, response: Response) -> None:
        if not (request.query.get("n") or "0").isdecimal():
            response.status = status

    return answers("tags.list", status=400, change=change)


def _unknown_is_empty(registry: Registry) -> None:
    override(registry.tags, exists=lambda _name: True)


def _neighbours_too(registry: Registry) -> None:
    tags = registry.storage.tags

    def changed(name: str) -> list[str]:
        below = [other for other in registry.storage.repositories() if other.startswith(f"{name}/")]
        return list(dict.fromkeys([*tags(name), *(tag for other in below for tag in tags(other))]))

    override(registry.storage, tags=changed)


def _empty_is_unknown(registry: Registry) -> None:
    override(registry.tags, exists=lambda name: bool(registry.storage.tags(name)))


def _catalog(change: Callable[[list[str]], list[str]]) -> Apply:
    def apply(registry: Registry) -> None:
        async def listing(request: Request) -> Response:
            size = request.query.get("n")
            if size is not None and not size.isdecimal():
                raise errors.page_invalid()
            return Response.json({"repositories": change(registry.storage.repositories())})

        registry.handlers["catalog.list"] = listing

    return apply


FAULTS = (
    Fault(
        name="tags-without-name",
        title="The list of tags has no name.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_body(_without_name),
    ),
    Fault(
        name="tags-name-short",
        title="The name in the list of tags is its last component.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=_body(_short_name),
    ),
    Fault(
        name="tags-null",
        title="An empty list of tags is null.",
        breaks=("DISC-TAGS-EMPTY-ARRAY",),
        apply=_body(_null),
    ),
    Fault(
        name="tags-twice",
        title="Each tag is listed twice.",
        breaks=("DISC-TAGS-NO-DUPLICATES",),
        # A page holds more than was asked for, and a walk meets a tag again.
        also=("DISC-TAGS-N-AT-MOST", "DISC-TAGS-LINK-WALK-COMPLETE", "PUSH-MANIFEST-RETAG-MOVES"),
        apply=_body(_twice),
    ),
    Fault(
        name="tags-last-missing",
        title="The last tag is in no list.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        # A walk does not meet it either.
        also=(
            "DISC-TAGS-LINK-WALK-COMPLETE",
            "PUSH-TAGPARAM-LISTED-TAG-RESOLVES",
            "MGMT-TAG-DELETE-OTHER-TAGS-KEPT",
        ),
        apply=_never_the_last,
    ),
    Fault(
        name="tags-not-json",
        title="The list of tags is labelled text/plain.",
        breaks=("DISC-TAGS-CONTENT-TYPE-JSON",),
        apply=on("tags.list", status=200, change=set_header("Content-Type", "text/plain")),
    ),
    Fault(
        name="tags-reversed",
        title="Tags are listed in reverse order.",
        breaks=("DISC-TAGS-ORDER-LEXICAL",),
        # The order without regard to case is reversed as well.
        also=("DISC-TAGS-ORDER-MIXED-CASE",),
        apply=_reversed,
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
        title="An n that is no number is answered 500.",
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
        title="Behind a last that is no tag there is nothing.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        apply=_last_must_exist,
    ),
    Fault(
        name="tags-link-loops",
        title="The Link of a page leads to the same page.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=on("tags.list", change=_link_to_itself),
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
        name="tags-unknown-repository-200",
        title="An unknown repository has an empty list.",
        breaks=("DISC-TAGS-UNKNOWN-REPO-404",),
        apply=_unknown_is_empty,
    ),
    Fault(
        name="tags-of-repositories-below",
        title="The tags of repositories below are listed too.",
        breaks=("DISC-TAGS-ISOLATION-REPO",),
        apply=_neighbours_too,
    ),
    Fault(
        name="tags-empty-repository-404",
        title="A repository without tags is unknown.",
        breaks=("DISC-TAGS-EMPTY-REPO-200",),
        apply=_empty_is_unknown,
    ),
    Fault(
        name="tags-status-203",
        title="The list of tags is answered 203.",
        breaks=("DISC-TAGS-STATUS-200",),
        apply=on("tags.list", status=200, change=set_status(203)),
    ),
    Fault(
        name="catalog-unsorted",
        title="The catalog is sorted backwards.",
        breaks=("DISC-CATALOG-ORDER",),
        # It is not cut either, as last would have no meaning.
        also=("DISC-CATALOG-N-LAST", "DISC-CATALOG-LINK-WALK"),
        apply=_catalog(lambda names: sorted(names, reverse=True)),
    ),
    Fault(
        name="catalog-n-ignored",
        title="The catalog ignores n and last.",
        breaks=("DISC-CATALOG-N-LAST",),
        # Nor is there a Link.
        also=("DISC-CATALOG-LINK-WALK",),
        apply=_catalog(sorted),
    ),
    Fault(
        name="catalog-link-loops",
        title="The Link of a page of the catalog leads to the same page.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        apply=on("catalog.list", change=_link_to_itself),
    ),
    Fault(
        name="catalog-null",
        title="The catalog has no member repositories.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=on(
            "catalog.list",
            status=200,
            change=lambda _request, response: Response.json({"names": json.loads(response.body)["repositories"]}),
        ),
    ),
)
