"""Faults of pulls that show in a crowd alone."""

from __future__ import annotations

import asyncio

from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, wrap
from reference.storage.memory import MemoryContent

#: So many pulls at once go well: a run has no more, a load does.
_BUFFERS = 20
#: Seconds that a pull waits for each other one, and at most: who meets others queues, so that a crowd stays one.
_TURN, _LONGEST = 0.01, 0.2


def _buffers_shared(registry: Registry) -> None:
    """Twenty buffers for the pulls of blobs: in a crowd, one is used for two."""
    under_way = 0

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            nonlocal under_way
            under_way += 1
            try:
                await asyncio.sleep(min((under_way - 1) * _TURN, _LONGEST))
                response = await handler(request)
                content = response.content
                if under_way > _BUFFERS and response.status == 200 and isinstance(content, MemoryContent):
                    response.content = MemoryContent(content.data[:-1] + bytes([content.data[-1] ^ 1]))
                return response
            finally:
                under_way -= 1

        return changed

    wrap(registry, ("blob.get",), around)


FAULTS = (
    Fault(
        name="crowded-blob-spoilt",
        title="A blob that is pulled while more than twenty pulls are under way has a wrong byte.",
        breaks=("PULL-BLOB-GET-BODY-EXACT",),
        apply=_buffers_shared,
        under_load=True,
    ),
)
