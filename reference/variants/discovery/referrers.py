"""Variants of lists of referrers."""

from __future__ import annotations

import base64
import json

from reference import errors
from reference.app import Registry
from reference.documents import OCI_INDEX
from reference.messages import Handler, Request, Response
from reference.modifications import Variant, around, both, drop_header, on, override
from reference.resources import next_link
from reference.variants.discovery.shared import unsupported_operation, written_lately


def _referrers_later(registry: Registry) -> None:
    recent = written_lately(registry, "put_manifest", lambda name, manifest, _subject: (name, manifest.digest))
    listed = registry.storage.referrers
    override(
        registry.storage,
        referrers=lambda name, subject: [d for d in listed(name, subject) if not recent((name, d))],
    )


@around("referrers.list")
async def _unknown_404(registry: Registry, request: Request, handler: Handler) -> Response:
    response = await handler(request)
    if not registry.storage.exists(request.name):
        raise errors.name_unknown(request.name)
    return response


def _raw(request: Request, name: str) -> str:
    return next((p.partition("=")[2] for p in request.query.raw.split("&") if p.startswith(f"{name}=")), "")


@around("referrers.list")
async def _paged(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Two referrers a page, and an opaque cursor."""
    cursor = request.query.get("cursor")
    start = int(base64.urlsafe_b64decode(cursor)) if cursor is not None else 0
    response = await handler(request)
    if response.status != 200:
        return response
    entries = json.loads(response.body)["manifests"]
    paged = Response.json(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries[start : start + 2]}, media_type=OCI_INDEX
    )
    if applied := response.headers.get("OCI-Filters-Applied"):
        paged.headers.add("OCI-Filters-Applied", applied)
    if len(entries) > start + 2:
        kept = f"artifactType={wanted}&" if (wanted := _raw(request, "artifactType")) else ""
        position = base64.urlsafe_b64encode(str(start + 2).encode()).decode()
        paged.headers.add(*next_link(request, f"{kept}cursor={position.replace('=', '%3D')}"))
    return paged


VARIANTS = (
    Variant(
        name="referrers-listed-later",
        title="A referrer stands in the list a while after it can be pulled.",
        latitude=("EVENTUAL-CONSISTENCY",),
        options=("--settle", "2"),
        apply=_referrers_later,
    ),
    Variant(
        name="referrers-unsupported",
        title="There are no referrers, and no OCI-Subject.",
        latitude=("REFERRERS-UNSUPPORTED", "OCI-SUBJECT-ABSENT"),
        lacks=("referrers",),
        apply=both(unsupported_operation("referrers.list"), on("manifest.put", change=drop_header("OCI-Subject"))),
    ),
    Variant(
        name="referrers-unknown-repository-404",
        title="Referrers in an unknown repository return 404.",
        latitude=("REFERRERS-UNKNOWN-REPOSITORY",),
        apply=_unknown_404,
    ),
    Variant(
        name="referrers-paged",
        title="Two referrers are listed at once.",
        latitude=("REFERRERS-PAGES-AND-ORDER",),
        apply=_paged,
    ),
    Variant(
        name="referrers-in-small-pages",
        title="One referrer is listed at once.",
        latitude=("REFERRERS-PAGES-AND-ORDER",),
        apply=lambda registry: override(registry.referrers, page_bytes=1),
    ),
)
