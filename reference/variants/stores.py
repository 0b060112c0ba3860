"""Variants of stores: content that is sent or taken in by another host than the registry's."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Variant, override, wrap
from reference.variants.hosts import other_host

#: Blobs above this are the store's; smaller ones the registry sends itself.
LARGE = 512 << 10
#: In the query of a URL of the store. A real one would be a signature.
SIGNED = "store-signature"


def _downloads(registry: Registry) -> None:
    """Redirect pulls of large blobs to a signed URL of another host."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            content = response.content
            if content is None or content.size <= LARGE or request.query.get(SIGNED) is not None:
                return response
            content.close()
            where = f"{request.scheme}://{other_host(request)}{request.path}?{SIGNED}={request.reference[-8:]}"
            return Response(307, [("Location", where), ("Docker-Content-Digest", request.reference)])

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)
    _trust_signatures(registry)


def _trust_signatures(registry: Registry) -> None:
    """Who has a signed URL needs no login."""
    authenticator = registry.authenticator
    if authenticator is None:
        return
    check = authenticator.check

    async def signed(request: Request) -> None:
        if request.query.get(SIGNED) is None or request.query.get(SIGNED) != request.reference[-8:]:
            await check(request)

    override(authenticator, check=signed)


def _large_bodies(registry: Registry) -> None:
    """Redirect pushes of large manifests."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if (request.content_length or 0) <= LARGE // 8 or request.query.get(SIGNED) is not None:
                return await handler(request)
            query = "&".join(part for part in (request.query.raw, f"{SIGNED}=1") if part)
            return Response(307, [("Location", f"{request.path}?{query}")])

        return changed

    wrap(registry, ("manifest.put",), around)


VARIANTS = (
    Variant(
        name="large-blobs-elsewhere",
        title="Large blobs are pulled by a 307 to a signed URL of another host, which asks for no login.",
        latitude=("REDIRECT-BLOB", "REDIRECT-SIGNED-TARGET"),
        configuration="htpasswd",
        apply=_downloads,
    ),
    Variant(
        name="large-manifests-elsewhere",
        title="Pushes of large manifests are redirected by 307.",
        latitude=("REDIRECT-WRITE",),
        profiles=("oci-1.2-dev",),
        apply=_large_bodies,
    ),
)
