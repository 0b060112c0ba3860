"""Variants of the pages of a tag list."""

from __future__ import annotations

import base64
import json

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import OCI, Variant, around, drop_header, on

_LIMIT_3 = 3
_LIMIT_1000 = 1000


@around("tags.list")
async def _limited(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Never more than three tags at once, with a Link to the rest."""
    asked = request.query.get("n")
    if asked is None or (asked.isdecimal() and int(asked) > _LIMIT_3):
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"] + [("n", str(_LIMIT_3))]
    return await handler(request)


@around("tags.list")
async def _cursor(_registry: Registry, request: Request, handler: Handler) -> Response:
    """The Link has an opaque cursor, is absolute, and stands among others."""
    cursor = request.query.get("cursor")
    if cursor is not None:
        pairs = json.loads(base64.urlsafe_b64decode(cursor))
        others = [pair for pair in request.query.pairs if pair[0] != "cursor"]
        request.query.pairs = [*((key, value) for key, value in pairs), *others]
    response = await handler(request)
    if "Link" in response.headers:
        last = json.loads(response.body)["tags"][-1]
        pairs = [("n", request.query.get("n") or ""), ("last", last)]
        token = base64.urlsafe_b64encode(json.dumps(pairs).encode()).decode()
        where = f"{request.scheme}://{request.headers.get('host')}{request.path}?cursor={token}"
        response.headers.set("Link", f'</help>; rel="help", <{where}>; title="more; tags"; rel=next')
    return response


@around("tags.list")
async def _edge_values(registry: Registry, request: Request, handler: Handler) -> Response:
    """An n that is no number is ignored, a large one reduced; an unknown last leads nowhere."""
    n, last = request.query.get("n"), request.query.get("last")
    if n is not None and not n.isdecimal():
        request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "n"]
    elif n is not None and int(n) > _LIMIT_1000:
        request.query.pairs = [(key, str(_LIMIT_1000) if key == "n" else value) for key, value in request.query.pairs]
    if last is not None and last not in registry.storage.tags(request.name):
        return Response.json({"name": request.name, "tags": []})
    return await handler(request)


VARIANTS = (
    Variant(
        name="tags-page-limit",
        title="Three tags at most are listed at once, with a Link.",
        latitude=("TAGS-PAGE-SMALLER",),
        profiles=("docker-v2", "oci-1.1", "oci-1.2-dev"),
        warns=("DISC-TAGS-N-FULL-PAGE",),
        apply=_limited,
    ),
    Variant(
        name="tags-opaque-cursor",
        title="The Link of a page is absolute, has an opaque cursor, and stands behind another.",
        latitude=("LINK-FORMS",),
        apply=_cursor,
    ),
    Variant(
        name="tags-without-link",
        title="A full page has no Link.",
        latitude=("TAGS-LINK-ABSENT",),
        profiles=OCI,
        warns=("DISC-TAGS-LINK-PRESENT-WHEN-MORE",),
        apply=on("tags.list", change=drop_header("Link")),
    ),
    Variant(
        name="tags-page-edge-values",
        title="An n that is no number is ignored, and a last that is no tag gives an empty list.",
        latitude=("TAGS-PAGING-EDGE-VALUES",),
        profiles=OCI,
        warns=("DISC-TAGS-N-INVALID-400", "DISC-TAGS-LAST-NOT-A-TAG"),
        apply=_edge_values,
    ),
)
