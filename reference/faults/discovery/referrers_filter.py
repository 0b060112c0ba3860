"""Faults of the filter of referrers."""

from __future__ import annotations

import json
import re
from typing import Any

from reference import errors
from reference.app import Registry
from reference.documents import Json, parse
from reference.faults.shared import IsAnswer, where_answer
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, both, drop_header, on, override, set_header
from reference.storage import Manifest

_REFERRERS_TAG = re.compile("sha256-[0-9a-f]{64}")
_PAGE = 2
_filter = set_header("OCI-Filters-Applied", "artifactType")


def _referrers_tag_stays(registry: Registry) -> None:
    """The tag in place of referrers keeps what was pushed under it first."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if not _REFERRERS_TAG.fullmatch(tag) or registry.storage.tag(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _filter_told_once(registry: Registry) -> None:
    asked: set[str] = set()
    listing = registry.handlers["referrers.list"]

    async def changed(request: Request) -> Response:
        response = await listing(request)
        key = f"{request.name} {request.reference} {request.query.get('artifactType')}"
        if key in asked:
            response.headers.drop("OCI-Filters-Applied")
        asked.add(key)
        return response

    registry.handlers["referrers.list"] = changed


def _filtered_in_part(applies: Any) -> Apply:
    """Filter referrers by some types, and give all of them without a word for others."""

    def apply(registry: Registry) -> None:
        select = registry.referrers.select

        def changed(found: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
            return select(found, wanted) if applies(wanted) else found

        def unsaid(request: Request, response: Response) -> None:
            if not applies(request.query.get("artifactType") or ""):
                response.headers.drop("OCI-Filters-Applied")

        override(registry.referrers, select=changed)
        on("referrers.list", change=unsaid)(registry)

    return apply


def _unfiltered(registry: Registry) -> None:
    override(registry.referrers, select=lambda found, _artifact_type: found)


def _value_of_filter(request: Request, response: Response) -> None:
    if "OCI-Filters-Applied" in response.headers:
        response.headers.set("OCI-Filters-Applied", request.query.get("artifactType") or "")


def _pages_overlap(registry: Registry) -> None:
    """Pages of two; the next one begins with the last of the one before."""

    def page(found: list[Json], last: str | None) -> tuple[list[Json], str | None]:
        rest = [descriptor for descriptor in found if last is None or descriptor["digest"] > last]
        return (rest[:_PAGE], rest[0]["digest"]) if len(rest) > _PAGE else (rest, None)

    override(registry.referrers, page=page)


def _by_own_type(registry: Registry) -> None:
    """Filter by the artifactType of the manifest itself, where the list shows another one."""
    own: dict[str, object] = {}
    describe = registry.referrers.describe

    def remember(manifest: Manifest) -> Json:
        own[manifest.digest] = parse(manifest.content).get("artifactType")
        return describe(manifest)

    override(
        registry.referrers,
        describe=remember,
        select=lambda found, wanted: [each for each in found if own[each["digest"]] == wanted],
    )


def _tag_reserved(registry: Registry) -> None:
    check = registry.manifests.check_tag

    def changed(tag: str) -> None:
        if _REFERRERS_TAG.fullmatch(tag):
            raise errors.manifest_invalid("tags of this form are kept for the registry")
        check(tag)

    override(registry.manifests, check_tag=changed)


def _entries(least: int, most: int) -> IsAnswer:
    """Whether a list of referrers has so many."""
    return lambda _request, response: least <= len(json.loads(response.body)["manifests"]) <= most


FAULTS = (
    Fault(
        name="referrers-tag-never-moves",
        title="The tag in place of referrers keeps what was pushed under it first.",
        breaks=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_referrers_tag_stays,
    ),
    Fault(
        name="referrers-filter-header-once",
        title="OCI-Filters-Applied comes with the first of the same lists.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=_filter_told_once,
    ),
    Fault(
        name="referrers-filter-for-configs-ignored",
        title="The filter of referrers passes over types that come from a configuration.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_filtered_in_part(lambda wanted: "config" not in wanted),
    ),
    Fault(
        name="referrers-filter-ignored-where-nothing-fits",
        title="The filter of referrers gives all of them where none is of the type.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=_filtered_in_part(lambda wanted: "signature" not in wanted),
    ),
    Fault(
        name="referrers-filter-claimed",
        title="The filter is ignored, but said to be applied.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        # What a filtered list holds is stated apart, and that it is filtered at all.
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-FILTER-SUPPORTED"),
        apply=_unfiltered,
    ),
    Fault(
        name="referrers-filter-header-missing",
        title="A filtered list does not say so.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=on("referrers.list", change=drop_header("OCI-Filters-Applied")),
    ),
    Fault(
        name="referrers-filter-header-wrong",
        title="OCI-Filters-Applied has the type that was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER",),
        apply=on("referrers.list", status=200, change=_value_of_filter),
    ),
    Fault(
        name="referrers-filter-header-always",
        title="OCI-Filters-Applied comes without a filter.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        apply=on("referrers.list", status=200, change=set_header("OCI-Filters-Applied", "artifactType")),
    ),
    Fault(
        name="referrers-pages-overlap",
        title="The last referrer of a page stands on the next page again.",
        breaks=("DISC-REFERRERS-LINK-PAGES",),
        apply=_pages_overlap,
    ),
    Fault(
        name="referrers-filter-ignored",
        title="The filter of referrers is ignored.",
        breaks=("DISC-REFERRERS-FILTER-SUPPORTED",),
        apply=both(_unfiltered, on("referrers.list", change=drop_header("OCI-Filters-Applied"))),
    ),
    Fault(
        name="referrers-filter-by-own-type",
        title="The filter does not find a referrer by the type of its config.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_by_own_type,
    ),
    Fault(
        name="referrers-tag-reserved",
        title="The tag in place of referrers cannot be pushed.",
        breaks=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_tag_reserved,
    ),
    Fault(
        name="filter-header-on-empty-lists",
        title="An empty list of referrers comes with OCI-Filters-Applied, though no filter was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        seldom=True,
        apply=on("referrers.list", status=200, change=where_answer(_entries(0, 0), _filter)),
    ),
    Fault(
        name="filter-header-on-longer-lists",
        title="A list of several referrers comes with OCI-Filters-Applied, though no filter was asked for.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        seldom=True,
        apply=on("referrers.list", status=200, change=where_answer(_entries(2, 99), _filter)),
    ),
)
