"""Faults that depend on when something is done, and after what."""

from __future__ import annotations

import asyncio
from collections import Counter

from reference import errors
from reference.app import Registry
from reference.faults.conditions.dimensions.shared import Key, served_where
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap
from reference.storage import Manifest

#: Seconds in which requests for one blob are answered together.
_TOGETHER = 0.03


def _left_over(registry: Registry) -> None:
    """What was refused lies under the name that it was to have, and is not written over."""
    left: dict[Key, bytes | None] = {}
    served_where(registry, left)

    def around_put(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            upload = registry.storage.find_upload(request.name, request.reference)
            try:
                return await handler(request)
            except errors.RegistryError:
                for digest in request.query.all("digest"):
                    if upload is not None and upload.closed and not registry.storage.has_blob(request.name, digest):
                        left[request.name, digest] = bytes(getattr(upload, "data", b""))
                raise

        return changed

    wrap(registry, ("upload.put",), around_put)


def _listed_again(registry: Registry) -> None:
    """Each push of a referrer is a row."""
    storage = registry.storage
    put, delete, referrers = storage.put_manifest, storage.delete_manifest, storage.referrers
    pushes: Counter[Key] = Counter()

    def pushed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject)
        pushes[name, manifest.digest] += 1

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject)
        pushes.pop((name, digest), None)

    override(
        storage,
        put_manifest=pushed,
        delete_manifest=deleted,
        referrers=lambda name, subject: [d for d in referrers(name, subject) for _ in range(pushes[name, d])],
    )


def _ranges_together(registry: Registry) -> None:
    """Requests for one blob that come at the same time are one, whatever range they are for."""
    under_way: dict[Key, str] = {}

    def around_get(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            wanted, key = request.headers.get("range"), (request.name, request.reference)
            if not wanted:
                return await handler(request)
            if key in under_way:
                request.headers.set("Range", under_way[key])
                return await handler(request)
            under_way[key] = wanted
            try:
                await asyncio.sleep(_TOGETHER)
                return await handler(request)
            finally:
                del under_way[key]

        return changed

    wrap(registry, ("blob.get",), around_get)


FAULTS = (
    Fault(
        name="refused-upload-served-after-the-right-one",
        title="A blob that is pushed after other bytes were refused under its digest has those bytes.",
        breaks=("PUSH-PUT-BLOB-PULLABLE-AT-DIGEST", "PULL-BLOB-GET-BODY-EXACT"),
        apply=_left_over,
    ),
    Fault(
        name="referrer-pushed-again-listed-again",
        title="A referrer that is pushed twice is listed twice.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_listed_again,
    ),
    Fault(
        name="ranges-at-the-same-time-are-one",
        title="Two ranges of a blob that are pulled at the same time both yield the first of them.",
        breaks=("PULL-BLOB-RANGE-TRUE",),
        apply=_ranges_together,
    ),
)
