"""Changes that several modules of variants of discovery have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, override

_LAG_OF_LISTS = 0.15


def written_lately(
    registry: Registry, method: str, key: Callable[..., tuple[str, ...]]
) -> Callable[[tuple[str, ...]], bool]:
    """Note the first write of a method of the storage; tell whether a write is recent."""
    written: dict[tuple[str, ...], float] = {}
    write = getattr(registry.storage, method)

    def changed(*words: Any) -> None:
        written.setdefault(key(*words), time.monotonic())
        write(*words)

    override(registry.storage, **{method: changed})
    return lambda place: time.monotonic() - written.get(place, 0.0) < _LAG_OF_LISTS


def unsupported_operation(operation: str, status: int = 404) -> Apply:
    """Answer an operation with a status alone."""

    def apply(registry: Registry) -> None:
        async def refuse(_request: Request) -> Response:
            return Response(status)

        registry.handlers[operation] = refuse

    return apply
