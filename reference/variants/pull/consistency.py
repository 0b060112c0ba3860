"""Variants of pulls that have to agree with each other."""

from __future__ import annotations

import itertools
import time

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Variant, override, wrap
from reference.storage import Manifest

_LAG_OF_READS = 0.05
_LAGGING = 5


def _lagging(registry: Registry) -> None:
    """What was written shows a while later."""
    written: dict[tuple[str, str], float] = {}
    count = itertools.count()
    commit, put, tagged = registry.storage.commit_upload, registry.storage.put_manifest, registry.storage.set_tag

    def hidden(name: str, reference: str) -> bool:
        return time.monotonic() - written.get((name, reference), 0.0) < _LAG_OF_READS

    def stamp(name: str, *references: str) -> None:
        # Not each of them: a run in which every write lags takes minutes.
        if next(count) % _LAGGING == 0:
            written.update({(name, reference): time.monotonic() for reference in references})

    def commit_later(upload: object, digests: list[str]) -> None:
        stamp(upload.repository, *digests)  # type: ignore[attr-defined]  # the storage in use says its type
        commit(upload, digests)  # type: ignore[arg-type]  # as above

    def put_later(name: str, manifest: Manifest, subject: str | None) -> None:
        stamp(name, manifest.digest)
        put(name, manifest, subject)

    def tag_later(name: str, tag: str, digest: str) -> None:
        stamp(name, tag)
        tagged(name, tag, digest)

    override(registry.storage, commit_upload=commit_later, put_manifest=put_later, set_tag=tag_later)

    def around(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if hidden(request.name, request.reference):
                kind = errors.blob_unknown if request.operation.startswith("blob") else errors.manifest_unknown
                raise kind(request.reference)
            return await handler(request)

        return changed

    wrap(registry, ("manifest.get", "manifest.head", "blob.get", "blob.head"), around)
    document = registry.tags.order
    names: list[str] = []

    async def listing(request: Request) -> Response:
        names[:] = [request.name]
        return await plain(request)

    plain = registry.handlers["tags.list"]
    registry.handlers["tags.list"] = listing
    override(registry.tags, order=lambda tags: document([tag for tag in tags if not hidden(names[0], tag)]))


VARIANTS = (
    Variant(
        name="written-later",
        title="Some of what was written shows after a while.",
        latitude=("EVENTUAL-CONSISTENCY",),
        warns=("PULL-CONSIST-AT-ONCE",),
        options=("--settle", "0.5"),
        apply=_lagging,
    ),
)
