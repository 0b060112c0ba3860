"""Faults of uploads that are redirected."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around

#: In the query of a URL of the store. A real one would be a signature.
_SIGNED = "store-signature"


@around("manifest.put")
async def _answered_200(_registry: Registry, request: Request, handler: Handler) -> Response:
    """What a redirect led to is answered 200."""
    response = await handler(request)
    if response.status == 201 and request.query.get(_SIGNED) is not None:
        response.status = 200
    return response


FAULTS = (
    Fault(
        name="redirected-push-200",
        title="A push that was redirected returns 200.",
        breaks=("PUSH-REDIRECT-ALLOWED",),
        # It is the answer to large manifests alone.
        also=(
            "PUSH-MANIFEST-4MB-ACCEPTED",
            "PUSH-MANIFEST-STATUS-201",
        ),
        variants=("large-manifests-redirected",),
        apply=_answered_200,
    ),
)
