"""Faults of the order and the pages of lists, and of what else can be discovered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference import errors
from reference.app import Registry
from reference.faults.deletion import code_instead
from reference.messages import Request, Response, encode_value
from reference.modifications import Apply, Fault, answers, drop_header, on, override

_ROUTES = frozenset({"tags", "manifests", "blobs", "uploads", "referrers"})
_LIMIT = 3
_MANY = 100


def _entries(operation: str, member: str, change_entry: Callable[[Any], object]) -> Apply:
    """Change each entry of a list."""

    def change(_request: Request, response: Response) -> None:
        body = json.loads(response.body)
        body[member] = [change_entry(each) for each in body[member]]
        response.body = json.dumps(body).encode()

    return on(operation, status=200, change=change)


def _n_coded(code: str) -> Apply:
    """A 400 with a JSON body."""
    body = errors.RegistryError(400, (errors.ErrorEntry(code, "n is no number"),)).body()

    def change(_request: Request, response: Response) -> None:
        response.body = body
        response.headers.set("Content-Type", "application/json")

    return answers("tags.list", status=400, change=change)


def _route_words(registry: Registry) -> None:
    """The path of the list of x/tags is taken for another one."""
    exists = registry.tags.exists
    override(registry.tags, exists=lambda name: name.rpartition("/")[2] not in _ROUTES and exists(name))


def _capitals_first(registry: Registry) -> None:
    override(
        registry.tags,
        order=sorted,
        after=lambda tags, last: tags if last is None else [tag for tag in tags if tag > last],
    )


def _position_by_bytes(registry: Registry) -> None:
    override(registry.tags, after=lambda tags, last: tags if last is None else [tag for tag in tags if tag > last])


def _from_the_end(registry: Registry) -> None:
    """The first page holds the last tags."""
    after, begins = registry.tags.after, [True]

    def remember(tags: list[str], last: str | None) -> list[str]:
        begins[0] = last is None
        return after(tags, last)

    def cut(tags: list[str], size: int | None) -> list[str]:
        if size is None:
            return tags
        return tags[max(0, len(tags) - size) :] if begins[0] else tags[:size]

    override(registry.tags, after=remember, cut=cut)


def _limited(registry: Registry) -> None:
    override(registry.tags, cut=lambda tags, size: tags if size is None else tags[: min(size, _LIMIT)])


def _cut_silently(registry: Registry) -> None:
    override(registry.tags, cut=lambda tags, size: tags[: _MANY if size is None else size])


def _asked_for(registry: Registry) -> None:
    """A repository stands in the catalog as soon as somebody asked for it."""
    asked: set[str] = set()
    listing, catalog, storage = registry.handlers["tags.list"], registry.catalog, registry.storage

    async def remember(request: Request) -> Response:
        asked.add(request.name)
        return await listing(request)

    class Listed:
        def repositories(self) -> list[str]:
            return sorted({*storage.repositories(), *asked})

    registry.handlers["tags.list"] = remember
    override(catalog, storage=Listed())


def _catalog_any_n(registry: Registry) -> None:
    listing = registry.handlers["catalog.list"]

    async def changed(request: Request) -> Response:
        try:
            return await listing(request)
        except errors.RegistryError:
            request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"]
            return await listing(request)

    registry.handlers["catalog.list"] = changed


def _catalog_inclusive(registry: Registry) -> None:
    """A page of the catalog begins with the name that is asked for as ``last``."""
    listing = registry.handlers["catalog.list"]

    async def changed(request: Request) -> Response:
        last = request.query.get("last")
        response = await listing(request)
        if last is not None and response.status == 200:
            names = [last, *json.loads(response.body)["repositories"]][: int(request.query.get("n") or _MANY)]
            response.body = json.dumps({"repositories": names}).encode()
        return response

    registry.handlers["catalog.list"] = changed


def _catalog_overlap(_request: Request, response: Response) -> None:
    """The Link of a page leads to the one that begins with the last name of this."""
    names = json.loads(response.body)["repositories"]
    if len(names) > 1 and "link" in response.headers:
        # A name that comes right before another.
        before = names[-1][:-1] + chr(ord(names[-1][-1]) - 1) + "z"
        response.headers.set(
            "Link", response.headers.get("Link").replace(encode_value(names[-1]), encode_value(before))
        )


FAULTS = (
    Fault(
        name="tags-as-objects",
        title="The list of tags has an object for each tag.",
        breaks=("DISC-TAGS-BODY-ARRAY",),
        apply=_entries("tags.list", "tags", lambda tag: {"name": tag}),
    ),
    Fault(
        name="tags-unknown-repository-code",
        title="The list of tags of an unknown repository has the code MANIFEST_UNKNOWN.",
        breaks=("DISC-TAGS-UNKNOWN-REPO-CODE",),
        apply=code_instead("tags.list", b"NAME_UNKNOWN", b"MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="tags-of-route-words-404",
        title="A repository whose name ends in a word of the API has no list of tags.",
        breaks=("DISC-TAGS-NAME-RESERVED-WORD",),
        apply=_route_words,
    ),
    Fault(
        name="tags-capitals-first",
        title="Tags with capitals are listed before those with small letters.",
        breaks=("DISC-TAGS-ORDER-MIXED-CASE",),
        apply=_capitals_first,
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
        name="catalog-of-what-was-asked-for",
        title="The catalog lists a repository that was only asked for.",
        breaks=("DISC-CATALOG-LISTED-EXISTS",),
        apply=_asked_for,
    ),
    Fault(
        name="catalog-last-inclusive",
        title="A page of the catalog begins with the name that is named by last.",
        breaks=("DISC-CATALOG-N-LAST",),
        also=("DISC-CATALOG-LINK-WALK",),
        apply=_catalog_inclusive,
    ),
    Fault(
        name="catalog-without-link",
        title="A page of the catalog has no Link.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        apply=on("catalog.list", change=drop_header("Link")),
    ),
    Fault(
        name="catalog-pages-overlap",
        title="The last name of a page of the catalog is the first of the next one.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        apply=on("catalog.list", status=200, change=_catalog_overlap),
    ),
    Fault(
        name="catalog-n-invalid-200",
        title="The catalog passes over an n that is no number.",
        breaks=("DISC-CATALOG-N-INVALID-400",),
        apply=_catalog_any_n,
    ),
    Fault(
        name="extensions-without-url",
        title="Extensions are discovered without a URL.",
        breaks=("DISC-EXT-DISCOVER-SHAPE",),
        apply=_entries("ext.discover", "extensions", lambda entry: {"name": entry["name"]}),
    ),
)
