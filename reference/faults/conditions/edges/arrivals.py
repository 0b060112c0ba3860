"""Faults that show with some ways in which content comes to a registry."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import refused
from reference.grammar import digest_of
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, both, on, override
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
)
