"""Faults of redirects: what happens where a client is sent to another host."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, wrap
from reference.variants.stores import SIGNED


def _login_wanted(registry: Registry) -> None:
    """The other host asks for the login of the registry, which no client sends there."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.query.get(SIGNED) is not None and not request.headers.get("authorization"):
                raise errors.unauthorized('Basic realm="store"')
            return await handler(request)

        return changed

    wrap(registry, ("blob.get", "blob.head"), around)


def _answered_200(registry: Registry) -> None:
    """What a redirect led to is answered 200."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 201 and request.query.get(SIGNED) is not None:
                response.status = 200
            return response

        return changed

    wrap(registry, ("manifest.put",), around)


FAULTS = (
    Fault(
        name="redirect-wants-login",
        title="Large blobs are redirected to another host, which asks for the login of the registry.",
        breaks=("PULL-REDIRECT-NO-AUTHORIZATION",),
        configuration="htpasswd",
        variants=("large-blobs-elsewhere",),
        apply=_login_wanted,
    ),
    Fault(
        name="redirected-push-200",
        title="A push that was redirected is answered 200.",
        breaks=("PUSH-REDIRECT-ALLOWED",),
        # It is the answer to large manifests alone.
        also=("PUSH-MANIFEST-4MB-ACCEPTED",),
        variants=("large-manifests-elsewhere",),
        apply=_answered_200,
    ),
)
