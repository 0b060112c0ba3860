"""Faults of tag lists, the catalogue and referrers after reports about registries that are in use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reference import errors
from reference.app import Registry
from reference.documents import OCI_MANIFEST, Json, parse
from reference.faults.shared import instead
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, moved_tags, on, override
from reference.resources import paging
from reference.storage import Manifest

_EMPTY = "application/vnd.oci.empty.v1+json"
#: A version as Helm writes it in a tag, with an underscore ahead of what it says of its build.
_VERSION = re.compile(r"(v?\d+\.\d+\.\d+[^_]*)_(.+)")


def _moved_last(registry: Registry) -> None:
    """Pages are in the order in which tags were written, for those that were moved."""
    moved = moved_tags(registry)

    def change(request: Request, response: Response) -> Response | None:
        size = paging.page_size(request)
        tags = list(registry.tags.order(registry.storage.tags(request.name)))
        late = [tag for tag in tags if (request.name, tag) in moved]
        if not size or not late:
            return None
        ordered = [tag for tag in tags if tag not in late] + late
        last = request.query.get("last")
        following = set(registry.tags.after(tags, last))
        rest = ordered[ordered.index(last) + 1 :] if last in ordered else [t for t in ordered if t in following]
        page = rest[:size]
        changed = Response.json(registry.tags.document(request.name, page), response.status)
        if len(rest) > len(page):
            changed.headers.add(*paging.link(request, size, page[-1]))
        return changed

    on("tags.list", status=200, change=change)(registry)


@around("tags.list")
async def _last_ahead_of_all(registry: Registry, request: Request, handler: Handler) -> Response:
    last = request.query.get("last")
    tags = registry.tags.order(registry.storage.tags(request.name))
    if last and tags and last not in tags and len(registry.tags.after(tags, last)) == len(tags):
        raise errors.name_unknown(request.name)
    return await handler(request)


def _plus_for_underscore(registry: Registry) -> None:
    document = registry.tags.document

    def changed(name: str, page: Sequence[str]) -> dict[str, object]:
        return document(name, [_VERSION.sub(r"\1+\2", tag) for tag in page])

    override(registry.tags, document=changed)


@around("catalog.list")
async def _nothing_behind(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The last name of a page is looked up where there is none."""
    response = await handler(request)
    if request.query.get("n") not in (None, "0") and b"[]" in response.body:
        raise errors.internal(request.id)
    return response


def _absent_filtered(registry: Registry) -> None:
    def when(request: Request) -> bool:
        storage, place = registry.storage, (request.name, request.reference)
        known = storage.manifest(*place) is not None or storage.referrers(*place)
        return "artifactType" in request.query.raw and storage.exists(request.name) and not known

    def answer(request: Request) -> Response:
        registry.referrers.check_digest(request.reference)
        raise errors.manifest_unknown(request.reference)

    instead("referrers.list", when=when, answer=answer)(registry)


def _type_of_filled_config(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.media_type == OCI_MANIFEST:
            config = parse(manifest.content)["config"]["mediaType"]
            descriptor["artifactType"] = descriptor["artifactType"] if config == _EMPTY else config
        return descriptor

    override(registry.referrers, describe=changed)


FAULTS = (
    Fault(
        name="moved-tags-end-the-pages",
        title="In a list of tags by n those that were moved come behind all others.",
        breaks=("DISC-TAGS-ORDER-LEXICAL",),
        also=(
            "DISC-TAGS-ORDER-SAME-IN-PAGES",
            "DISC-TAGS-N-FROM-START",
            "DISC-TAGS-LAST-EXCLUSIVE",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_moved_last,
    ),
    Fault(
        name="last-ahead-of-all-tags-404",
        title="A last that is no tag and lies ahead of all tags gets 404.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        apply=_last_ahead_of_all,
    ),
    Fault(
        name="version-tag-listed-with-plus",
        title="A tag that is a version with an underscore, like 1.2.0_b3, is listed with a plus sign, 1.2.0+b3.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        apply=_plus_for_underscore,
    ),
    Fault(
        name="catalog-page-behind-the-end-500",
        title="A page of the catalogue behind the last name gets 500.",
        breaks=("DISC-CATALOG-N-LAST",),
        also=("DISC-CATALOG-SHAPE", "BASE-ERROR-STRANGE-INPUT"),
        apply=_nothing_behind,
    ),
    Fault(
        name="filtered-referrers-of-absent-404",
        title="Referrers by type of a digest that the repository lacks get 404; those of all types are an empty list.",
        breaks=("DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",),
        also=("DISC-REFERRERS-FILTER-SUPPORTED", "DISC-REFERRERS-FILTER-HEADER"),
        apply=_absent_filtered,
    ),
    Fault(
        name="artifact-type-hidden-by-filled-config",
        title="A referrer with an artifactType is listed with the type of its config, unless that is the empty one.",
        breaks=("DISC-REFERRERS-ARTIFACTTYPE-MANIFEST",),
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-FILTER-SUPPORTED"),
        apply=_type_of_filled_config,
    ),
)
