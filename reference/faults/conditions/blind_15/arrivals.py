"""Faults that show with one way in which content comes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from contextvars import ContextVar

from reference import errors
from reference.app import Registry
from reference.grammar import digest_of, is_supported
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, override, wrap
from reference.storage import Upload

#: From this chunk on the state of an upload is a new one.
_RENEWED = 4
_unsized: ContextVar[bool] = ContextVar("unsized", default=False)


def _streams_not_counted(registry: Registry) -> None:
    """The offset of an upload is the sum of its chunks, and a stream is none."""
    streamed: defaultdict[str, int] = defaultdict(int)

    def note(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            upload = registry.uploads.find(request)
            before = upload.size
            response = await handler(request)
            if response.status == 202 and not request.headers.get("content-range").strip():
                streamed[upload.identifier] += upload.size - before
            return response

        return changed

    def check(upload: Upload, start: int | None) -> None:
        if start is not None and start != upload.size - streamed[upload.identifier]:
            raise registry.uploads.out_of_order(upload)

    override(registry.uploads, check_order=check)
    wrap(registry, ["upload.patch"], note)


@around("upload.start-digest")
async def _known_blob_skipped(registry: Registry, request: Request, handler: Handler) -> Response:
    """A blob that is there is not written again; the upload ends, and the answer is that of a begun one."""
    digests = registry.uploads.digests(request)
    if len(digests) > 1 or not registry.storage.has_blob(request.name, digests[0]):
        return await handler(request)
    content = b"".join([piece async for piece in request.pieces()])
    if digest_of(content, digests[0].partition(":")[0]) != digests[0]:
        raise errors.digest_invalid(digests[0])
    upload = registry.storage.start_upload(request.name)
    registry.storage.discard_upload(upload)
    return registry.uploads.accepted(upload)


def _link_is_unique(registry: Registry) -> None:
    """The row of a mounted blob is unique; a push updates rows of its own kind, and inserts one otherwise."""
    storage = registry.storage
    links: set[tuple[str, str]] = set()
    mount, delete, settle = storage.mount_blob, storage.delete_blob, storage.settle

    def mounted(source: str, name: str, digest: str) -> bool:
        pushed = storage.has_blob(name, digest) and (name, digest) not in links
        done = mount(source, name, digest)
        if done and not pushed:
            links.add((name, digest))
        return done

    def deleted(name: str, digest: str) -> bool:
        links.discard((name, digest))
        return delete(name, digest)

    async def settled(upload: Upload, digests: Iterable[str]) -> None:
        if any((upload.repository, digest) in links for digest in digests):
            raise errors.RegistryError(409, (errors.ErrorEntry("BLOB_UPLOAD_INVALID", "duplicate key"),))
        await settle(upload, digests)

    override(storage, mount_blob=mounted, delete_blob=deleted, settle=settled)


def _state_renewed(registry: Registry) -> None:
    """The state of an upload is renewed when its token grew too long, with another identifier in it."""
    chunks: defaultdict[str, int] = defaultdict(int)

    def count(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            response = await handler(request)
            if response.status == 202:
                chunks[request.reference] += 1
                if chunks[request.reference] >= _RENEWED:
                    response.headers.set("Docker-Upload-UUID", str(uuid.uuid4()))
            return response

        return changed

    wrap(registry, ["upload.patch"], count)


def _verified_by_length(registry: Registry) -> None:
    """The digest is compared when as many bytes have come as were announced; without a length that never is so."""
    check = registry.manifests.check_digest

    def note(handler: Handler) -> Handler:
        async def changed(request: Request) -> Response:
            _unsized.set(request.content_length is None and is_supported(request.reference))
            return await handler(request)

        return changed

    def changed(claimed: str, computed: str) -> None:
        if not _unsized.get():
            check(claimed, computed)

    override(registry.manifests, check_digest=changed)
    wrap(registry, ["manifest.put"], note)


FAULTS = (
    Fault(
        name="streamed-bytes-out-of-the-offset",
        title="A chunk with a Content-Range that follows a streamed PATCH gets 416, as if the stream had not come.",
        breaks=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        also=(
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
            "PUSH-PATCH-STATUS-202",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PATCH-OVERLAP-416",
            "PUSH-PATCH-REPEATED-416",
            "PUSH-PATCH-FIRST-NOT-ZERO-416",
            "PUSH-PUT-OUT-OF-ORDER-REJECTED",
            "PUSH-PUT-OUT-OF-ORDER-416",
        ),
        apply=_streams_not_counted,
    ),
    Fault(
        name="repeated-post-falls-back-to-a-closed-upload",
        title="A single POST of a blob that the repository has is answered 202 with the Location of an ended upload.",
        breaks=("PUSH-SINGLE-FALLBACK-USABLE",),
        also=("PUSH-BLOB-REUPLOAD-IDEMPOTENT", "PUSH-SINGLE-LOCATION-PULLABLE", "PUSH-INTERRUPTED-REPUSH"),
        apply=_known_blob_skipped,
    ),
    Fault(
        name="push-over-a-mount-conflicts",
        title="The push of a blob that the repository has by a mount is answered 409.",
        breaks=("PUSH-BLOB-REUPLOAD-IDEMPOTENT",),
        also=(
            "PUSH-PUT-MONOLITHIC-201",
            "PUSH-SINGLE-STATUS-201-OR-202",
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
        ),
        apply=_link_is_unique,
    ),
    Fault(
        name="upload-renamed-at-fourth-chunk",
        title="Docker-Upload-UUID is another one on each answer from the fourth chunk of an upload on.",
        breaks=("PUSH-UPLOAD-UUID-TRUE",),
        also=("PUSH-PATCH-UPLOAD-UUID-HEADER",),
        apply=_state_renewed,
    ),
    Fault(
        name="unsized-manifest-unverified",
        title="A manifest in chunked transfer coding is accepted under a digest that is not its own.",
        breaks=("PUSH-MANIFEST-DIGEST-MISMATCH-REJECTED",),
        also=(
            "PUSH-MANIFEST-DIGEST-MISMATCH-400-CODE",
            "PUSH-MANIFEST-BAD-REFERENCE-NOT-STORED",
            "PUSH-MANIFEST-REFUSED-NOT-STORED",
            "PULL-MANIFEST-GET-DIGEST-BINDS-BODY",
            "PULL-MANIFEST-GET-DCD-TRUE",
            "PUSH-MANIFEST-DIGEST-HEADER-TRUE",
            "PUSH-MANIFEST-STREAMED-WHOLE",
        ),
        apply=_verified_by_length,
    ),
)
