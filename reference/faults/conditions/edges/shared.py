"""Changes that several modules of faults at one value have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, around

KIB_64 = 1 << 16
MIB = 1 << 20


def refused(
    *operations: str, when: Callable[[Request], object], error: Callable[[Request], errors.RegistryError]
) -> Apply:
    """Refuse some requests of operations, and do nothing of what they ask."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if when(request):
            raise error(request)
        return await handler(request)

    return changed


def no_such_manifest(request: Request) -> errors.RegistryError:
    """Why a manifest is not found."""
    return errors.manifest_unknown(request.reference)
