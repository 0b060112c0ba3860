"""Faults that show with some ways in which content comes to a registry."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from contextvars import ContextVar

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import refused
from reference.grammar import digest_of, is_supported
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, on, override, wrap
from reference.storage import Upload
from reference.storage.memory import MemoryUpload

_PULLS = ("manifest.get", "manifest.head")
_RECORD = 1024
_LONGEST = 6 * _RECORD - 100


def _hash_of_the_last_request(registry: Registry) -> None:
    """The hash that is told was begun with the request."""
    close = registry.uploads.close

    async def changed(request: Request, upload: Upload, digests: list[str], length: int | None = None) -> Response:
        start = upload.size
        response = await close(request, upload, digests, length)
        if start and isinstance(upload, MemoryUpload):
            told = digest_of(bytes(upload.data[start:]), digests[0].split(":", 1)[0])
            response.headers.set("Docker-Content-Digest", told)
        return response

    override(registry.uploads, close=changed)


def _state_of_each_chunk(request: Request, response: Response) -> None:
    """Location carries a record of each chunk that came."""
    state = (request.query.get("_state") or "") + "0" * _RECORD
    response.headers.set("Location", f"{response.headers.get('Location')}?_state={state}")


#: The proxy ahead takes no longer URL.
_proxy = refused(
    "upload.patch",
    "upload.put",
    when=lambda request: len(request.query.raw) > _LONGEST,
    error=lambda _request: errors.RegistryError(414),
)


@around("upload.mount")
async def _forked_by_a_mount(registry: Registry, request: Request, handler: Handler) -> Response:
    """A repository that a mount creates is a fork of the one that is mounted from."""
    storage, name = registry.storage, request.name
    known = storage.exists(name)
    response = await handler(request)
    source = request.query.get("from")
    if response.status == 201 and not known and source:
        for tag in list(storage.tags(source)):
            digest = storage.tag(source, tag)
            manifest = storage.manifest(source, digest) if digest is not None else None
            if manifest is not None:
                storage.put_manifest(name, manifest, None)
                storage.set_tag(name, tag, manifest.digest)
    return response


def _type_of_the_deleted(registry: Registry) -> None:
    """The type of a deleted manifest is cleared later, when the manifest may be there again."""
    deleted: set[tuple[str, str]] = set()
    remove = registry.storage.delete_manifest

    def removed(name: str, digest: str, subject: str | None) -> None:
        remove(name, digest, subject)
        deleted.add((name, digest))

    def untyped(request: Request, response: Response) -> None:
        if (request.name, response.headers.get("Docker-Content-Digest")) in deleted:
            response.headers.set("Content-Type", "application/json")

    override(registry.storage, delete_manifest=removed)
    on(*_PULLS, status=200, change=untyped)(registry)


def _cancelled_at_the_wrong_replica(registry: Registry) -> None:
    """A cancellation ends what the replica of its connection has of the upload."""
    replica: dict[str, str] = {}

    def begun(request: Request, response: Response) -> None:
        replica[response.headers.get("Docker-Upload-UUID")] = request.address

    @around("upload.delete")
    async def cancelled(_registry: Registry, request: Request, handler: Handler) -> Response:
        upload = registry.uploads.find(request)
        if replica.get(upload.identifier, request.address) != request.address:
            return Response(204)
        return await handler(request)

    both(on("upload.start", "upload.mount", "upload.patch", status=202, change=begun), cancelled)(registry)


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
        name="digest-header-of-the-last-part",
        title="The 201 that closes an upload in chunks has the digest of what came with the closing PUT alone.",
        breaks=("PUSH-PUT-DIGEST-HEADER-VALUE",),
        apply=_hash_of_the_last_request,
    ),
    Fault(
        name="location-grows-with-each-chunk",
        title="The Location of an upload grows with each chunk, and the seventh request of data to it returns 414.",
        breaks=("PUSH-PATCH-STATUS-202",),
        also=(
            "PUSH-PUT-NO-BODY-CLOSES",
            "PUSH-PUT-FINAL-CHUNK-CLOSES",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-PUT-DIGEST-OF-WHOLE",
            "PUSH-CATEGORY-COMPLETE",
            "PUSH-START-LOCATION-RESOLVABLE",
        ),
        apply=both(on("upload.patch", status=202, change=_state_of_each_chunk), _proxy),
    ),
    Fault(
        name="mount-forks-the-repository",
        title="A repository that comes to be by a mount has the tags of the one that the blob was mounted from.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        also=(
            "DISC-TAGS-ISOLATION-REPO",
            "PULL-MANIFEST-OTHER-REPO-DIGEST-404",
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "DISC-TAGS-EMPTY-REPO-200",
        ),
        apply=_forked_by_a_mount,
    ),
    Fault(
        name="type-lost-by-a-former-deletion",
        title="A manifest that was deleted and is pushed again is labelled application/json.",
        breaks=("PULL-MANIFEST-GET-CONTENT-TYPE",),
        also=(
            "PULL-MANIFEST-GET-CONTENT-TYPE-AS-PUSHED",
            "PULL-MANIFEST-GET-CONTENT-TYPE-MEDIATYPE",
            "PULL-MANIFEST-HEAD-CONTENT-TYPE-TRUE",
            "MGMT-MANIFEST-DELETE-REPUSH",
            "PULL-ACCEPT-EXACT",
            "PULL-ACCEPT-MISMATCH",
            "PULL-TYPE-OCI-IMAGE",
            "PULL-TYPE-OCI-INDEX",
            "PULL-TYPE-DOCKER-V2",
            "PULL-TYPE-DOCKER-LIST",
        ),
        apply=_type_of_the_deleted,
    ),
    Fault(
        name="cancelled-at-another-replica",
        title="An upload that is cancelled on another connection than that of its data goes on, in spite of the 204.",
        breaks=("PUSH-CANCEL-SESSION-GONE",),
        also=("PUSH-CANCEL-NO-BLOB", "PUSH-CANCEL-UNKNOWN-404"),
        apply=_cancelled_at_the_wrong_replica,
    ),
    Fault(
        name="streamed-bytes-out-of-the-offset",
        title="A chunk with a Content-Range that follows a streamed PATCH gets 416, as if the stream had not come.",
        breaks=("PUSH-PATCH-STATUS-202",),
        also=(
            "PUSH-PATCH-CHUNKS-CONCATENATED",
            "PUSH-STATUS-RESUME",
            "PUSH-INTERRUPTED-RESUME",
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
