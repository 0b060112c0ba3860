"""Faults of pulls that have to agree with each other."""

from __future__ import annotations

from collections import Counter

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, override


def _wearing_out(registry: Registry) -> None:
    get, pulls = registry.handlers["manifest.get"], Counter[str]()

    async def worn(request: Request) -> Response:
        response = await get(request)
        if response.status == 200 and ":" in request.reference:
            pulls[request.reference] += 1
            if pulls[request.reference] > 8:
                response.body += b"\n"
        return response

    registry.handlers["manifest.get"] = worn


def _tag_stays(registry: Registry) -> None:
    set_tag, tag_of = registry.storage.set_tag, registry.storage.tag

    def only_once(name: str, tag: str, digest: str) -> None:
        if tag_of(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=only_once)


def _old_is_gone(registry: Registry) -> None:
    set_tag, storage = registry.storage.set_tag, registry.storage

    def replace(name: str, tag: str, digest: str) -> None:
        old = storage.tag(name, tag)
        set_tag(name, tag, digest)
        if old is not None and old != digest and old not in {storage.tag(name, other) for other in storage.tags(name)}:
            storage.delete_manifest(name, old, None)

    override(storage, set_tag=replace)


def _absent_at_first(registry: Registry) -> None:
    """A blob is found from the second look on, as where a cache remembers that it was not there."""
    check, find = registry.check_allowed, registry.blobs.find
    seen: set[tuple[str, str]] = set()
    heading = False

    def changed(request: Request) -> None:
        nonlocal heading
        heading = request.method == "HEAD"
        check(request)

    def found(name: str, digest: str) -> Content | None:
        content = find(name, digest)
        if content is None or not heading or (name, digest) in seen:
            return content
        seen.add((name, digest))
        content.close()
        return None

    override(registry, check_allowed=changed)
    override(registry.blobs, find=found)


FAULTS = (
    Fault(
        name="manifest-longer-after-eight-pulls",
        title="A pull of a digest has a byte more from the ninth pull on.",
        breaks=("PULL-CONSIST-REPEATABLE",),
        # The body no longer fits its digest then, nor its length that of HEAD.
        also=("PULL-MANIFEST-GET-DIGEST-BINDS-BODY",),
        apply=_wearing_out,
    ),
    Fault(
        name="tag-move-lost",
        title="A tag that exists stays where it is, though the push gets 201.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        # The same is said of the push, of the digests of tags that differ in case, and of several
        # tags.
        also=("PUSH-MANIFEST-RETAG-MOVES", "PUSH-MANIFEST-MULTIPLE-TAGS", "MGMT-MANIFEST-DELETE-TAGS-404"),
        apply=_tag_stays,
    ),
    Fault(
        name="tag-move-deletes",
        title="A manifest that its last tag left is gone.",
        breaks=("PULL-CONSIST-OLD-DIGEST",),
        # The same is said of the push.
        also=("PUSH-MANIFEST-RETAG-KEEPS-OLD",),
        apply=_old_is_gone,
    ),
    Fault(
        name="blob-absent-at-first",
        title="The first HEAD of a new blob returns 404, the second 200.",
        breaks=("PULL-CONSIST-AT-ONCE",),
        options=("--settle", "2"),
        apply=_absent_at_first,
    ),
)
