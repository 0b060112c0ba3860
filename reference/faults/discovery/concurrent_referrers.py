"""Faults of referrers that are pushed at the same time."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.shared import IndexedStorage, after_put
from reference.messages import Request, Response
from reference.modifications import Fault, override


def _referrers_written_back(registry: Registry) -> None:
    indexed = IndexedStorage(registry.storage)
    override(registry.referrers, storage=indexed)

    async def add(request: Request, response: Response) -> None:
        if subject := response.headers.get("OCI-Subject"):
            await indexed.add((request.name, subject), {response.headers.get("Docker-Content-Digest")})

    after_put(registry, add)


FAULTS = (
    Fault(
        name="concurrent-referrers-lost",
        title="Some of the referrers that are pushed at the same time are not listed.",
        breaks=("DISC-REFERRERS-CONCURRENT-COMPLETE",),
        apply=_referrers_written_back,
    ),
)
