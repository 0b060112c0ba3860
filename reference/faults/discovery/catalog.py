"""Faults of the catalog."""

from __future__ import annotations

import json
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.discovery.shared import link_to_itself
from reference.faults.shared import answered_500, instead, no_content
from reference.messages import Handler, Request, Response, encode_value
from reference.modifications import Apply, Fault, answers, around, drop_header, on, override, set_status

_MANY = 100


def _catalog(change: Callable[[list[str]], list[str]]) -> Apply:
    def apply(registry: Registry) -> None:
        async def listing(request: Request) -> Response:
            size = request.query.get("n")
            if size is not None and not size.isdecimal():
                raise errors.page_invalid()
            return Response.json({"repositories": change(list(registry.storage.repositories()))})

        registry.handlers["catalog.list"] = listing

    return apply


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


@around("catalog.list")
async def _catalog_inclusive(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A page of the catalog begins with the name that is asked for as ``last``."""
    last = request.query.get("last")
    response = await handler(request)
    if last is not None and response.status == 200:
        names = [last, *json.loads(response.body)["repositories"]][: int(request.query.get("n") or _MANY)]
        response.body = json.dumps({"repositories": names}).encode()
    return response


def _catalog_overlap(_request: Request, response: Response) -> None:
    """The Link of a page leads to the one that begins with the last name of this."""
    names = json.loads(response.body)["repositories"]
    if len(names) > 1 and "link" in response.headers:
        # A name that comes right before another.
        before = names[-1][:-1] + chr(ord(names[-1][-1]) - 1) + "z"
        response.headers.set(
            "Link", response.headers.get("Link").replace(encode_value(names[-1]), encode_value(before))
        )


@around("catalog.list")
async def _catalog_any_n(_registry: Registry, request: Request, handler: Handler) -> Response:
    try:
        return await handler(request)
    except errors.RegistryError:
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"]
        return await handler(request)


FAULTS = (
    Fault(
        name="catalog-500",
        title="The catalogue returns 500.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=instead("catalog.list", when=lambda _: True, answer=answered_500),
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
        apply=on("catalog.list", change=link_to_itself),
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
        name="catalog-answered-203",
        title="The catalog returns 203.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=on("catalog.list", status=200, change=set_status(203)),
    ),
    Fault(
        name="catalog-answered-204",
        title="The catalog returns 204.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=on("catalog.list", status=200, change=no_content),
    ),
    Fault(
        name="catalog-always-203",
        title="The catalog returns 203, also where it is refused.",
        breaks=("DISC-CATALOG-SHAPE",),
        apply=answers("catalog.list", change=set_status(203)),
    ),
)
