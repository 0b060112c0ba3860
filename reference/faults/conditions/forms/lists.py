"""Faults of the lists of tags."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override

#: The tags of a page that has a number, and the number of the first that is wrong.
_LARGE, _THIRD = 10, 3
_Key = tuple[str | None, str | None]


def _changed(response: Response, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the document of a list."""
    document = json.loads(response.body)
    change(document)
    response.body = json.dumps(document).encode()


@around("tags.list")
async def _n_before_last(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Look for last behind n only."""
    names = [name for name, _ in request.query.pairs]
    if "n" in names and "last" in names and names.index("last") < names.index("n"):
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "last"]
    return await handler(request)


@around("tags.list")
async def _one_too_far(_registry: Registry, request: Request, handler: Handler) -> Response:
    """From the third page on the position is told by the number of the page, and is one too great."""
    number, size = int(request.query.get("page") or 1), request.query.get("n") or ""
    response = await handler(request)
    if response.status == 200 and size.isdecimal() and int(size) >= _LARGE:
        if number >= _THIRD:
            _changed(response, lambda document: document.update(tags=document["tags"][1:]))
        link = response.headers.get("Link")
        if link:
            response.headers.set("Link", link.replace("?", f"?page={number + 1}&", 1))
    return response


def _pages_until_push(registry: Registry) -> None:
    """Keep pages until something is pushed."""
    kept: dict[str, dict[_Key, Response]] = defaultdict(dict)
    set_tag = registry.storage.set_tag

    def tagged(name: str, tag: str, digest: str) -> None:
        kept.pop(name, None)
        set_tag(name, tag, digest)

    @around("tags.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        key = request.query.get("n"), request.query.get("last")
        if key[0] is None:
            return await handler(request)
        known = kept[request.name].get(key)
        if known is None:
            known = kept[request.name][key] = await handler(request)
        return Response(known.status, _own(known), known.body)

    override(registry.storage, set_tag=tagged)
    listed(registry)


def _own(response: Response) -> list[tuple[str, str]]:
    """The headers that a list itself has."""
    return [(name, response.headers.get(name)) for name in ("Content-Type", "Link") if name in response.headers]


def _absence_kept(registry: Registry) -> None:
    """A list that was not there is not looked for again."""
    absent: set[str] = set()

    @around("tags.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if request.name in absent:
            raise errors.name_unknown(request.name)
        try:
            return await handler(request)
        except errors.RegistryError as error:
            if error.status == 404:
                absent.add(request.name)
            raise

    listed(registry)


def _null_once_emptied(registry: Registry) -> None:
    """What deletions empty is null, and what was never filled is empty."""
    emptied: set[str] = set()
    delete_tag, set_tag = registry.storage.delete_tag, registry.storage.set_tag

    def deleted(name: str, tag: str) -> None:
        emptied.add(name)
        delete_tag(name, tag)

    def tagged(name: str, tag: str, digest: str) -> None:
        emptied.discard(name)
        set_tag(name, tag, digest)

    @around("tags.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if request.name in emptied and response.status == 200 and not registry.storage.tags(request.name):
            _changed(response, lambda document: document.update(tags=None))
        return response

    override(registry.storage, delete_tag=deleted, set_tag=tagged)
    listed(registry)


def _short_name(request: Request, response: Response) -> None:
    """The pages behind the first are made by other code."""
    if request.query.get("last") is not None:
        _changed(response, lambda document: document.update(name=request.name.rpartition("/")[2]))


FAULTS = (
    Fault(
        name="last-ahead-of-n-ignored",
        title="The parameter last of a tag list is passed over where it stands ahead of n.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        also=("DISC-TAGS-LAST-NOT-A-TAG",),
        apply=_n_before_last,
    ),
    Fault(
        name="third-page-of-ten-begins-late",
        title="The third page of ten tags or more, and each behind it, lacks its first tag.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_one_too_far,
    ),
    Fault(
        name="pages-kept-until-the-next-push",
        title="A page of tags that was asked for before a deletion has the deleted tag until the next push.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        also=(
            "MGMT-TAG-DELETE-NOT-LISTED",
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
        ),
        apply=_pages_until_push,
    ),
    Fault(
        name="list-asked-for-in-vain-stays-unknown",
        title="The tag list of a repository that was asked for before the first push there is 404 for ever.",
        breaks=("DISC-TAGS-STATUS-200",),
        also=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_absence_kept,
    ),
    Fault(
        name="emptied-list-null",
        title="The list of tags of a repository whose last tag was deleted is null.",
        breaks=("DISC-TAGS-EMPTY-ARRAY",),
        also=("DISC-TAGS-BODY-ARRAY",),
        apply=_null_once_emptied,
    ),
    Fault(
        name="later-pages-named-by-last-component",
        title="The name in a page of tags behind another is the last component of the repository's.",
        breaks=("DISC-TAGS-BODY-NAME",),
        apply=on("tags.list", status=200, change=_short_name),
    ),
)
