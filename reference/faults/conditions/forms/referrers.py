"""Faults of the lists of referrers."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.documents import DOCKER_LIST, Json, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, around, override
from reference.resources import matches
from reference.storage import Manifest

_PAGE = 50
#: The members of a descriptor that it has to have.
_KEY = frozenset({"mediaType", "digest", "size"})


def _unindexed(which: Callable[[Json], bool]) -> Apply:
    """Store some referrers as manifests without a subject."""

    def apply(registry: Registry) -> None:
        put = registry.storage.put_manifest

        def stored(name: str, manifest: Manifest, subject: str | None) -> None:
            named = parse(manifest.content).get("subject") if subject is not None else None
            put(name, manifest, None if named is not None and which(named) else subject)

        override(registry.storage, put_manifest=stored)

    return apply


def _pages_of_fifty(registry: Registry) -> None:
    """Give pages, whose Link says that there is a filter, and not which."""

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        rest = [descriptor for descriptor in found if last is None or descriptor["digest"] > last]
        return rest[:_PAGE], rest[_PAGE - 1]["digest"] if len(rest) > _PAGE else None

    @around("referrers.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if request.query.get("filtered") is not None:
            response.headers.set("OCI-Filters-Applied", "artifactType")
        link = response.headers.get("Link")
        if link and "OCI-Filters-Applied" in response.headers:
            target, _, rest = link.partition("?")
            response.headers.set("Link", f"{target}?filtered=1&{rest[rest.index('last=') :]}")
        return response

    override(registry.referrers, page=page)
    listed(registry)


@around("referrers.list")
async def _validator_of_subject(_registry: Registry, request: Request, handler: Handler) -> Response:
    """What belongs to a digest never changes, a cache is told."""
    response = await handler(request)
    if response.status == 200:
        etag = f'"{request.reference}"'
        response.headers.set("ETag", etag)
        condition = ",".join(request.headers.all("if-none-match"))
        if condition and matches(condition, etag):
            return Response(304, [("ETag", etag)])
    return response


FAULTS = (
    Fault(
        name="subject-compared-as-a-whole",
        title="A manifest whose subject is described with more than type, digest and size is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT"),
        apply=_unindexed(lambda subject: not subject.keys() <= _KEY),
    ),
    Fault(
        name="referrers-of-docker-list-unlisted",
        title="A manifest whose subject is a Docker manifest list is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_unindexed(lambda subject: subject.get("mediaType") == DOCKER_LIST),
    ),
    Fault(
        name="filter-lost-behind-fifty-referrers",
        title="The pages behind the fiftieth of filtered referrers have those of all types.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        also=("DISC-REFERRERS-FILTER-HEADER-HONEST", "DISC-REFERRERS-FILTER-SUPPORTED"),
        apply=_pages_of_fifty,
    ),
    Fault(
        name="referrers-unchanged-on-a-condition",
        title="Lists of referrers have the digest of the subject for an ETag, and get 304 though referrers came.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("PULL-CACHE-FALSE-304",),
        apply=_validator_of_subject,
    ),
)
