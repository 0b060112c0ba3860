"""Variants of tag lists."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Variant, on, override
from reference.modifications.shared import capitals_first
from reference.variants.discovery.shared import written_lately


def _tags_later(registry: Registry) -> None:
    recent = written_lately(registry, "set_tag", lambda name, tag, _digest: (name, tag))
    order, listing = registry.tags.order, registry.handlers["tags.list"]
    names: list[str] = []

    async def named(request: Request) -> Response:
        names[:] = [request.name]
        return await listing(request)

    registry.handlers["tags.list"] = named
    override(registry.tags, order=lambda tags: order([tag for tag in tags if not recent((names[0], tag))]))


def _gone_with_its_tags(registry: Registry) -> None:
    exists = registry.tags.exists
    override(registry.tags, exists=lambda name: exists(name) and bool(registry.storage.tags(name)))


def _null(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b'"tags": []', b'"tags": null')


VARIANTS = (
    Variant(
        name="tags-listed-later",
        title="A tag stands in the list a while after it can be pulled.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_tags_later,
    ),
    Variant(
        name="tags-in-ascii-order",
        title="Capitals are listed before small letters.",
        latitude=("TAGS-ORDER",),
        profiles=("docker-v2", "oci-1.2-dev"),
        warns=("DISC-TAGS-ORDER-MIXED-CASE",),
        apply=capitals_first,
    ),
    Variant(
        name="tags-empty-404",
        title="A repository without tags has no list.",
        latitude=("TAGS-EMPTY-200-OR-404",),
        warns=("DISC-TAGS-EMPTY-REPO-200",),
        apply=_gone_with_its_tags,
    ),
    Variant(
        name="tags-empty-null",
        title="An empty list of tags is null.",
        latitude=("TAGS-NULL",),
        profiles=("docker-v2",),
        warns=("DISC-TAGS-EMPTY-ARRAY",),
        apply=on("tags.list", status=200, change=_null),
    ),
)
