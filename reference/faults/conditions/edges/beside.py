"""Faults that depend on another operation beside, or on what a refused one leaves behind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from reference import errors
from reference.app import Registry
from reference.documents import Document, Json, parse
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override, wrap
from reference.storage import Manifest, Upload


def _listed_though_refused(registry: Registry) -> None:
    """A referrer is put on the list before it is looked at whether its blobs are there."""
    listed: dict[tuple[str, str], dict[str, Manifest]] = defaultdict(dict)
    present: list[Manifest] = []
    prepared = registry.storage.prepared
    check, collect = registry.manifests.check_references, registry.referrers.collect

    def preparing(manifest: Manifest, tags: Sequence[str]) -> AbstractAsyncContextManager[None]:
        present[:] = [manifest]
        return prepared(manifest, tags)

    def checked(name: str, document: Document) -> None:
        if document.subject is not None:
            listed[name, document.subject][present[0].digest] = present[0]
        check(name, document)
        if document.subject is not None:
            del listed[name, document.subject][present[0].digest]

    def collected(name: str, subject: str) -> list[Json]:
        found = {entry["digest"]: entry for entry in collect(name, subject)}
        for digest, manifest in listed.get((name, subject), {}).items():
            found.setdefault(digest, registry.referrers.describe(manifest))
        return [found[digest] for digest in sorted(found)]

    override(registry.storage, prepared=preparing)
    override(registry.manifests, check_references=checked)
    override(registry.referrers, collect=collected)


def _claimed_by_a_mount(registry: Registry) -> None:
    """A mount notes the blob before its source is looked at, and HEAD believes the note."""
    noted: set[tuple[str, str]] = set()
    commit = registry.storage.commit_upload

    def mounting(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 202:
                noted.add((request.name, request.query.get("mount") or ""))
            return response

        return changed

    def asking(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            try:
                return await handler(request)
            except errors.RegistryError:
                if (request.name, request.reference) not in noted:
                    raise
                return Response(200, registry.blobs.headers(request.reference))

        return changed

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        noted.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    wrap(registry, ("upload.mount",), mounting)
    wrap(registry, ("blob.head",), asking)
    override(registry.storage, commit_upload=committed)


def _reached(registry: Registry, name: str, digests: Iterable[str | None]) -> Iterator[str]:
    """The blobs of manifests, and of those in them."""
    for digest in digests:
        manifest = registry.storage.manifest(name, digest or "")
        if manifest is not None:
            document = Document(manifest.media_type, parse(manifest.content))
            yield from document.blobs
            yield from _reached(registry, name, document.children)


def _swept_from_the_tags(registry: Registry) -> None:
    """With a manifest, those of its blobs go that cannot be reached from a tag."""
    remove = registry.manifests.remove

    def removed(name: str, digest: str) -> None:
        blobs = {*_reached(registry, name, [digest])}
        remove(name, digest)
        tags = list(registry.storage.tags(name))
        for blob in blobs.difference(_reached(registry, name, (registry.storage.tag(name, tag) for tag in tags))):
            registry.storage.delete_blob(name, blob)

    override(registry.manifests, remove=removed)


_CHUNK = re.compile(r"(\d{1,18})-(\d{1,18})")


def _starts_over(registry: Registry) -> None:
    """Keep the row of a deleted tag, find the position by it, and have none where it is marked as deleted."""
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag
    gone: set[tuple[str, str]] = set()

    def tagged(name: str, tag: str, digest: str) -> None:
        gone.discard((name, tag))
        set_tag(name, tag, digest)

    def deleted(name: str, tag: str) -> None:
        gone.add((name, tag))
        delete_tag(name, tag)

    @around("tags.list")
    async def listed(_registry: Registry, request: Request, handler: Handler) -> Response:
        if (request.name, request.query.get("last") or "") in gone:
            request.query.pairs = [pair for pair in request.query.pairs if pair[0] != "last"]
        return await handler(request)

    override(storage, set_tag=tagged, delete_tag=deleted)
    listed(registry)


def _offset_first(registry: Registry) -> None:
    """Write down how far the upload will be, and look at the order of the chunk then."""
    ends: dict[str, int] = {}

    @around("upload.patch")
    async def patched(_registry: Registry, request: Request, handler: Handler) -> Response:
        match = _CHUNK.fullmatch(request.headers.get("content-range").strip())
        try:
            response = await handler(request)
        except errors.RegistryError as error:
            if error.status == 416 and match is not None:
                ends[request.reference] = int(match[2])
            raise
        ends.pop(request.reference, None)
        return response

    @around("upload.get")
    async def asked(_registry: Registry, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if request.reference in ends:
            response.headers.set("Range", f"0-{ends[request.reference]}")
        return response

    patched(registry)
    asked(registry)


def _by_prefix(registry: Registry) -> None:
    """Delete below a path of the object storage."""
    storage = registry.storage
    delete = storage.delete_blob

    def changed(name: str, digest: str) -> bool:
        found = delete(name, digest)
        if found:
            for other in [*storage.repositories()]:
                if other.startswith(f"{name}/"):
                    delete(other, digest)
        return found

    override(storage, delete_blob=changed)


FAULTS = (
    Fault(
        name="refused-referrer-listed",
        title="A manifest with a subject that is refused for its missing blobs is in the list of referrers.",
        breaks=("PUSH-MANIFEST-REFUSED-NOT-STORED",),
        also=(
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-ABSENT-SUBJECT-EMPTY",
        ),
        apply=_listed_though_refused,
    ),
    Fault(
        name="failed-mount-known-to-head",
        title="HEAD of a blob is answered 200 after a mount of it that failed.",
        breaks=("PULL-BLOB-HEAD-UNKNOWN-404",),
        also=(
            "PULL-BLOB-HEAD-GET-AGREE",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
            "PULL-BLOB-GET-UNKNOWN-REPO-404",
            "PUSH-MOUNT-NO-READ-ACCESS",
        ),
        apply=_claimed_by_a_mount,
    ),
    Fault(
        name="deletion-sweeps-from-the-tags",
        title="The deletion of a manifest takes its blobs along, also those that an untagged manifest has as well.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        also=("PUSH-BLOB-KEPT",),
        apply=_swept_from_the_tags,
    ),
    Fault(
        name="last-deleted-starts-over",
        title="A tag list behind a tag that was deleted begins with the first tag.",
        breaks=("DISC-TAGS-LAST-NOT-A-TAG",),
        also=("DISC-TAGS-LINK-WALK-COMPLETE", "DISC-TAGS-LAST-EXCLUSIVE"),
        apply=_starts_over,
    ),
    Fault(
        name="status-counts-refused-chunk",
        title="The status of an upload names the end of the chunk that was refused with 416 last.",
        breaks=("PUSH-PATCH-416-STATE-UNCHANGED",),
        also=(
            "PUSH-STATUS-RANGE-VALUE",
            "PUSH-STATUS-RESUME",
            "PUSH-SESSION-FRESH-RANGE-TRUE",
        ),
        apply=_offset_first,
    ),
    Fault(
        name="blob-deletion-reaches-nested-repository",
        title="The deletion of a blob deletes it in the repositories below the named one as well.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE", "BASE-NAME-ACCEPTED-KEPT"),
        apply=_by_prefix,
    ),
)
