"""Faults by which a registry remembers an answer, or an upload, that is past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reference import errors
from reference.app import Registry
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload


def _absence_remembered(registry: Registry) -> None:
    """That a manifest is unknown is remembered, until something is pushed under the same reference."""
    absent: set[tuple[str, str]] = set()

    def pulling(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            key = request.name, request.reference
            if key in absent:
                raise errors.manifest_unknown(request.reference)
            try:
                return await handler(request)
            except errors.RegistryError as error:
                if error.status == 404 and ":" in request.reference:
                    absent.add(key)
                raise

        return changed

    def pushing(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            absent.discard((request.name, request.reference))
            return response

        return changed

    wrap(registry, ("manifest.get", "manifest.head"), pulling)
    wrap(registry, ("manifest.put",), pushing)


def _buffer_of_the_cancelled(registry: Registry) -> None:
    """The buffer of a cancelled upload goes to the next one of the repository, with what is in it."""
    buffers: dict[str, bytes] = {}
    start = registry.storage.start_upload

    def cancelling(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            upload = registry.storage.find_upload(request.name, request.reference)
            response = await handler(request)
            if isinstance(upload, MemoryUpload) and upload.data:
                buffers[request.name] = bytes(upload.data)
            return response

        return changed

    def started(name: str) -> Upload:
        upload = start(name)
        left = buffers.pop(name, b"")
        if left and isinstance(upload, MemoryUpload):
            upload.data += left
            upload.size = len(left)
            upload._state = None
        return upload

    wrap(registry, ("upload.delete",), cancelling)
    override(registry.storage, start_upload=started)


def _cached_without_the_query(registry: Registry) -> None:
    """The first page of referrers is cached by its path, until a manifest is pushed or deleted."""
    cached: dict[str, tuple[bytes, list[tuple[str, str]]]] = {}

    def listing(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            if request.query.get("last") is not None:
                return await handler(request)
            if request.path not in cached:
                response = await handler(request)
                cached[request.path] = response.body, [*response.headers.pairs]
            body, headers = cached[request.path]
            return Response(200, headers, body)

        return changed

    def changing(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            cached.clear()
            return await handler(request)

        return changed

    wrap(registry, ("referrers.list",), listing)
    wrap(registry, ("manifest.put", "manifest.delete"), changing)


def _known_pair(registry: Registry) -> None:
    """Insert a pair of tag and digest, and ignore that it is there."""
    storage = registry.storage
    set_tag, delete_tag = storage.set_tag, storage.delete_tag
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)

    def changed(name: str, tag: str, digest: str) -> None:
        if digest not in pairs[name, tag]:
            set_tag(name, tag, digest)
            pairs[name, tag].add(digest)

    def deleted(name: str, tag: str) -> None:
        pairs.pop((name, tag), None)
        delete_tag(name, tag)

    override(storage, set_tag=changed, delete_tag=deleted)


def _miss_kept(registry: Registry) -> None:
    """Remember what is not there, until it is uploaded."""
    missed: set[tuple[str, str]] = set()
    commit = registry.storage.commit_upload

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        missed.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    @around("blob.head")
    async def remembered(_registry: Registry, request: Request, handler: Handler) -> Response:
        if (request.name, request.reference) in missed:
            raise errors.blob_unknown(request.reference)
        try:
            return await handler(request)
        except errors.RegistryError as error:
            if error.status == 404:
                missed.add((request.name, request.reference))
            raise

    override(registry.storage, commit_upload=committed)
    remembered(registry)


FAULTS = (
    Fault(
        name="absence-remembered-by-digest",
        title="A manifest that was asked for by digest before it was pushed by tag stays unknown by digest.",
        breaks=("PULL-MANIFEST-GET-DIGEST-200",),
        also=(
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PULL-MANIFEST-HEAD-200",
            "PUSH-MANIFEST-LOCATION-PULLABLE",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_absence_remembered,
    ),
    Fault(
        name="upload-begins-with-a-cancelled-one",
        title="An upload that is opened after another one of the repository was cancelled begins with its data.",
        breaks=("PUSH-SESSION-FRESH-RANGE-TRUE",),
        also=(
            "PUSH-PUT-MONOLITHIC-201",
            "PUSH-PATCH-STATUS-202",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PATCH-RANGE-VALUE",
            "PUSH-SINGLE-LOCATION-PULLABLE",
            "PUSH-CANCEL-NO-BLOB",
            "MGMT-BLOB-DELETE-REUPLOAD",
        ),
        apply=_buffer_of_the_cancelled,
    ),
    Fault(
        name="referrers-cached-without-the-query",
        title="A list of referrers is answered with the former one of its subject, filtered as that one was.",
        breaks=("DISC-REFERRERS-FILTER-HEADER-HONEST",),
        also=("DISC-REFERRERS-FILTER-ONLY-MATCHING", "DISC-REFERRERS-FILTER-HEADER", "DISC-REFERRERS-COMPLETE"),
        apply=_cached_without_the_query,
    ),
    Fault(
        name="retag-to-former-ignored",
        title="The push of a manifest to a tag that led to it before, and leads to another now, does not move the tag.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=(
            "PUSH-MANIFEST-RETAG-MOVES",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "BASE-TAG-ACCEPTED-KEPT",
            "PUSH-MANIFEST-KEPT",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
        ),
        apply=_known_pair,
    ),
    Fault(
        name="blob-miss-kept-after-mount",
        title="HEAD does not find a mounted blob that it did not find before the mount.",
        breaks=("PULL-BLOB-HEAD-200",),
        also=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PULL-BLOB-HEAD-GET-AGREE",
        ),
        apply=_miss_kept,
    ),
)
