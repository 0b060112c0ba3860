"""Variants of pulls that are redirected."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Application, Handler, Message, Receive, Request, Response, Scope, Send
from reference.modifications import Variant, around, override, wrap
from reference.variants.shared import other_host, redirected

_LISTS = ("tags.list", "catalog.list", "referrers.list")
_STORE = b"/storage/"
_MARK = (b"x-from-storage", b"yes")
#: Blobs above this are the store's; smaller ones the registry sends itself.
_LARGE = 512 << 10
#: In the query of a URL of the store. A real one would be a signature.
_SIGNED = "store-signature"


def _reads_redirected(registry: Registry) -> None:
    wrap(registry, ("manifest.get", "manifest.head"), redirected(308, lambda r: f"http://{other_host(r)}", "second"))
    wrap(registry, ("manifest.get", "manifest.head"), redirected(302, lambda _: "", "first"))
    wrap(registry, _LISTS, redirected(307, lambda _: "", "moved"))


@around("blob.get", "blob.head")
async def _redirecting(_registry: Registry, request: Request, handler: Handler) -> Response:
    if request.headers.get("x-from-storage"):
        return await handler(request)
    response = await handler(request)
    if response.status not in (200, 206):
        return response
    if response.content is not None:
        response.content.close()
    location = f"/storage/{request.name}/{request.reference}?signature=a%2Bb"
    return Response(307, [("Location", location), ("Docker-Content-Digest", request.reference)])


def _store(application: Application) -> Application:
    """Serve /storage/NAME/DIGEST beside the API, without the headers of the registry."""

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if scope["type"] != "http" or not raw.startswith(_STORE):
            await application(scope, receive, send)
            return
        name, _, digest = raw[len(_STORE) :].partition(b"?")[0].rpartition(b"/")
        inner = {
            **scope,
            "raw_path": b"/v2/" + name + b"/blobs/" + digest,
            "query_string": b"",
            "headers": [*scope["headers"], _MARK],
        }

        async def plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(key, value) for key, value in message["headers"] if not key.lower().startswith(b"docker-")]
                message = {**message, "headers": kept}
            await send(message)

        await application(inner, receive, plain)

    return changed


def _trust_signatures(registry: Registry) -> None:
    """Who has a signed URL needs no login."""
    authenticator = registry.authenticator
    if authenticator is None:
        return
    check = authenticator.check

    async def signed(request: Request) -> None:
        if request.query.get(_SIGNED) is None or request.query.get(_SIGNED) != request.reference[-8:]:
            await check(request)

    override(authenticator, check=signed)


def _downloads(registry: Registry) -> None:
    """Redirect pulls of large blobs to a signed URL of another host."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            content = response.content
            if content is None or content.size <= _LARGE or request.query.get(_SIGNED) is not None:
                return response
            content.close()
            where = f"{request.scheme}://{other_host(request)}{request.path}?{_SIGNED}={request.reference[-8:]}"
            return Response(307, [("Location", where), ("Docker-Content-Digest", request.reference)])

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)
    _trust_signatures(registry)


VARIANTS = (
    Variant(
        name="reads-redirected",
        title="Manifests and lists are redirected, over several steps, with a body.",
        latitude=("REDIRECT-ANY-READ",),
        apply=_reads_redirected,
    ),
    Variant(
        name="blob-redirected",
        title="Blobs are pulled by a 307 to a signed URL of a store.",
        latitude=("REDIRECT-BLOB", "REDIRECT-SIGNED-TARGET", "REDIRECT-HEADER-PLACE"),
        apply=_redirecting,
        layer=_store,
    ),
    Variant(
        name="large-blobs-on-another-host",
        title="Large blobs are pulled by a 307 to a signed URL of another host, which asks for no login.",
        latitude=("REDIRECT-BLOB", "REDIRECT-SIGNED-TARGET"),
        configuration="htpasswd",
        apply=_downloads,
    ),
)
