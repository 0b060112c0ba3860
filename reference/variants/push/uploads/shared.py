"""Changes that several modules of variants of push/uploads have in common."""

from __future__ import annotations

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, wrap


def refusing(*operations: str, status: int, when: str = "", allow: str = "") -> Apply:
    """Refuse operations, or those of their requests that have a header; without a body."""

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if when and not request.headers.get(when):
                return await handler(request)
            return Response(status, [("Allow", allow)] if allow else [])

        return changed

    def apply(registry: Registry) -> None:
        wrap(registry, operations, around)

    return apply
