"""Faults of the catalog that show with some names."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.resources import paging


def _not_below_the_last(registry: Registry) -> None:
    """The walk of the directories goes on behind that of the last name, and leaves out what is in it."""
    repositories = registry.storage.repositories
    passed: list[str] = []

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            last = request.query.get("last")
            passed[:] = [f"{last}/"] if last else []
            try:
                return await handler(request)
            finally:
                passed.clear()

        return changed

    override(registry.storage, repositories=lambda: [n for n in repositories() if not n.startswith(tuple(passed))])
    wrap(registry, ["catalog.list"], around)


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


def _walk_of_the_tree(registry: Registry) -> None:
    """The catalog is a walk through directories, and last is compared as text."""

    async def listing(request: Request) -> Response:
        asked, limit = paging.page_size(request), registry.options.catalog_limit
        size = limit if asked is None else min(asked, limit)
        names = sorted(registry.storage.repositories(), key=lambda name: name.split("/"))
        rest = [name for name in names if name > (request.query.get("last") or "")]
        response = Response.json({"repositories": rest[:size]})
        if size and len(rest) > size:
            response.headers.add(*paging.link(request, size, rest[size - 1]))
        return response

    registry.handlers["catalog.list"] = listing


def _union_of_all(registry: Registry) -> None:
    """The catalog is the union, repetitions included, of where was pushed to and where was mounted to."""
    mounted: set[str] = set()
    storage = registry.storage
    mount, repositories = storage.mount_blob, storage.repositories

    def noted(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done:
            mounted.add(name)
        return done

    listing = registry.handlers["catalog.list"]

    async def changed(request: Request) -> Response:
        override(storage, repositories=lambda: [*repositories(), *mounted])
        try:
            return await listing(request)
        finally:
            override(storage, repositories=repositories)

    override(storage, mount_blob=noted)
    registry.handlers["catalog.list"] = changed


FAULTS = (
    Fault(
        name="catalog-lacks-extensions-of-last",
        title="A page of the catalog lacks the names that extend the one that is named by last.",
        breaks=("DISC-CATALOG-N-LAST",),
        also=("DISC-CATALOG-LINK-WALK",),
        apply=_not_below_the_last,
    ),
    Fault(
        name="catalog-by-components",
        title="The catalog has a/b before a-b, and its next page begins as if it had not.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        also=("DISC-CATALOG-ORDER", "DISC-CATALOG-N-LAST"),
        apply=_walked,
    ),
    Fault(
        name="catalog-pages-lose-dashes",
        title="The pages of the catalog lack names where one goes on with a dash and another with a slash.",
        breaks=("DISC-CATALOG-LINK-WALK",),
        also=("DISC-CATALOG-N-LAST", "DISC-CATALOG-ORDER"),
        apply=_catalog_by_components,
    ),
    Fault(
        name="catalog-in-tree-order",
        title="The catalog lists what lies below a name before names with a separator there, and loses them at a page.",
        breaks=("DISC-CATALOG-ORDER", "DISC-CATALOG-LINK-WALK"),
        also=("DISC-CATALOG-N-LAST",),
        apply=_walk_of_the_tree,
    ),
    Fault(
        name="catalog-names-mounted-twice",
        title="A repository that something was mounted into stands in the catalog twice.",
        breaks=("DISC-CATALOG-ORDER", "DISC-CATALOG-LINK-WALK"),
        also=("DISC-CATALOG-N-LAST",),
        apply=_union_of_all,
    ),
)
