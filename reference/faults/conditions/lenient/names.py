"""Faults that depend on how names, tags and digests are spelled."""

from __future__ import annotations

import re

from reference.app import Registry
from reference.documents import Json
from reference.messages import Content, Handler, Request, Response
from reference.modifications import Apply, Fault, around, override

_DEVICES = frozenset({"con", "prn", "aux", "nul", "com1", "lpt1"})


def _cut(operations: tuple[str, ...], end: str) -> Apply:
    """Leave out what follows some text in a reference."""

    @around(*operations)
    async def changed(_registry: Registry, request: Request, handler: Handler) -> Response:
        request.reference = request.reference.partition(end)[0]
        return await handler(request)

    return changed


def _devices(registry: Registry) -> None:
    find = registry.blobs.find

    def changed(name: str, digest: str) -> Content | None:
        return None if _DEVICES & set(name.split("/")) else find(name, digest)

    override(registry.blobs, find=changed)


def _like(registry: Registry) -> None:
    def changed(found: list[Json], artifact_type: str) -> list[Json]:
        pattern = re.compile(re.escape(artifact_type).replace("_", "."))
        return [entry for entry in found if pattern.fullmatch(str(entry.get("artifactType")))]

    override(registry.referrers, select=changed)


FAULTS = (
    Fault(
        name="tag-with-path-parameter-served",
        title="A manifest is served under its tag with a path parameter behind it, as latest;v=1.",
        breaks=("PULL-MANIFEST-GET-BAD-REFERENCE",),
        apply=_cut(("manifest.get", "manifest.head"), ";"),
    ),
    Fault(
        name="names-of-devices-lose-blobs",
        title="A blob is accepted and unknown in a repository with a component like nul or aux, a device on Windows.",
        breaks=("BASE-NAME-ACCEPTED-KEPT", "PULL-BLOB-GET-200"),
        apply=_devices,
    ),
    Fault(
        name="filter-underscore-any-character",
        title="An underscore in the type by which referrers are filtered stands for any character.",
        breaks=("DISC-REFERRERS-FILTER-ONLY-MATCHING",),
        apply=_like,
    ),
)
