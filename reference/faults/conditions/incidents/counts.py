"""Faults that depend on how many there are."""

from __future__ import annotations

from collections import Counter

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, override, wrap

_PARTS = 16
_MOVES = 5


def _parts_of_one_page(registry: Registry) -> None:
    parts: Counter[str] = Counter()

    def patched(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            parts[request.reference] += 1
            return response

        return changed

    def closed(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if parts[request.reference] > _PARTS:
                raise errors.digest_invalid(request.query.get("digest") or "")
            return await handler(request)

        return changed

    wrap(registry, ["upload.patch"], patched)
    wrap(registry, ["upload.put"], closed)


def _moves_counted(registry: Registry) -> None:
    moves: Counter[tuple[str, str]] = Counter()
    storage = registry.storage
    set_tag = storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if storage.tag(name, tag) not in (None, digest):
            moves[name, tag] += 1
        if moves[name, tag] <= _MOVES:
            set_tag(name, tag, digest)

    override(storage, set_tag=changed)


FAULTS = (
    Fault(
        name="upload-of-many-chunks-not-closed",
        title="An upload of more than sixteen chunks is not closed, its digest being called wrong.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED", "PUSH-PUT-NO-BODY-CLOSES", "PUSH-PUT-FINAL-CHUNK-CLOSES"),
        apply=_parts_of_one_page,
    ),
    Fault(
        name="sixth-move-of-a-tag-lost",
        title="A tag that has moved five times stays where it is, though pushes are accepted.",
        breaks=("PUSH-MANIFEST-RETAG-MOVES", "PULL-CONSIST-TAG-MOVE"),
        apply=_moves_counted,
    ),
)
