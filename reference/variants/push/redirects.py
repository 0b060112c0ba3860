"""Variants of pushes that are redirected."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Variant, around, wrap
from reference.variants.shared import other_host, redirected

#: Blobs above this are the store's; smaller ones the registry sends itself.
_LARGE = 512 << 10
#: In the query of a URL of the store. A real one would be a signature.
_SIGNED = "store-signature"


def _writes_redirected(registry: Registry) -> None:
    writes = ("manifest.put", "manifest.delete", "blob.delete", "upload.start", "upload.mount", "upload.start-digest")
    wrap(registry, writes, redirected(307, lambda r: f"http://{other_host(r)}", "moved"))


@around("manifest.put")
async def _large_bodies(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Redirect pushes of large manifests."""
    if (request.content_length or 0) <= _LARGE // 8 or request.query.get(_SIGNED) is not None:
        return await handler(request)
    query = "&".join(part for part in (request.query.raw, f"{_SIGNED}=1") if part)
    return Response(307, [("Location", f"{request.path}?{query}")])


VARIANTS = (
    Variant(
        name="writes-redirected",
        title="Writes are redirected to another host by 307.",
        latitude=("REDIRECT-WRITE",),
        profiles=("oci-1.2-dev",),
        apply=_writes_redirected,
    ),
    Variant(
        name="large-manifests-redirected",
        title="Pushes of large manifests are redirected by 307.",
        latitude=("REDIRECT-WRITE",),
        profiles=("oci-1.2-dev",),
        apply=_large_bodies,
    ),
)
