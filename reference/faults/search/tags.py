"""Faults of lists of many tags."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override


@around("tags.list")
async def _page_loses_one(_registry: Registry, request: Request, handler: Handler) -> Response:
    """A last page that is full, behind another one, lacks its last tag."""
    response = await handler(request)
    size = request.query.get("n") or ""
    first = request.query.get("last") is None
    if response.status != 200 or not size.isdecimal() or first or response.headers.get("link"):
        return response
    document = json.loads(response.body)
    if len(document["tags"]) == int(size) > 1:
        document["tags"].pop()
        return Response.json(document)
    return response


def _long_tag_unlisted(registry: Registry) -> None:
    """Tags of more than 100 characters are not listed."""
    tags = registry.storage.tags
    override(
        registry.tags, order=lambda found: sorted((t for t in found if len(t) <= 100), key=lambda t: (t.lower(), t))
    )
    override(registry.storage, tags=tags)


FAULTS = (
    Fault(
        name="tags-full-last-page-loses-one",
        title="The last page of tags lacks one where it is full.",
        breaks=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_page_loses_one,
    ),
    Fault(
        name="tags-long-not-listed",
        title="Tags of more than 100 characters are not listed.",
        breaks=("DISC-TAGS-COMPLETE-AFTER-PUSH",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE",),
        apply=_long_tag_unlisted,
    ),
)
