"""Faults of mounts: the upload in place of one, sources above and without the blob, the order of parameters."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.conditions.edges.shared import refused
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, around, on, override


def _whole_alone(registry: Registry) -> None:
    """An upload in place of a mount is kept apart from the others, where the chunks do not look."""
    opened: set[str] = set()

    def noted(_request: Request, response: Response) -> None:
        opened.add(response.headers.get("Docker-Upload-UUID"))

    @around("upload.patch")
    async def patched(_registry: Registry, request: Request, handler: Handler) -> Response:
        if request.reference in opened:
            raise errors.upload_unknown(request.reference)
        return await handler(request)

    on("upload.mount", status=202, change=noted)(registry)
    patched(registry)


def _deleted_believed(registry: Registry) -> None:
    """Whether a source has a blob an index tells, which forgets nothing."""
    storage, mounted = registry.storage, registry.uploads.mounted
    delete = storage.delete_blob
    gone: set[tuple[str, str]] = set()

    def deleted(name: str, digest: str) -> bool:
        done = delete(name, digest)
        if done:
            gone.add((name, digest))
        return done

    def mounting(source: str | None, name: str, digest: str) -> bool:
        if (source, digest) in gone and not storage.has_blob(source or "", digest):
            return True
        return mounted(source, name, digest)

    override(storage, delete_blob=deleted)
    override(registry.uploads, mounted=mounting)


def _held_from_above(registry: Registry) -> None:
    """A source whose name the target begins with is taken for the target itself, which has the blob."""
    storage, mounted = registry.storage, registry.uploads.mounted

    def mounting(source: str | None, name: str, digest: str) -> bool:
        if source and name.startswith(f"{source}/") and storage.has_blob(source, digest):
            return True
        return mounted(source, name, digest)

    override(registry.uploads, mounted=mounting)


FAULTS = (
    Fault(
        name="upload-of-a-mount-takes-no-chunks",
        title="The upload that a mount falls back to takes a whole blob, and answers 404 to a chunk.",
        breaks=("PUSH-MOUNT-FALLBACK-SESSION-USABLE",),
        also=("PUSH-PATCH-STATUS-202", "PUSH-SESSION-UNKNOWN-404"),
        apply=_whole_alone,
    ),
    Fault(
        name="mount-of-what-the-source-deleted",
        title="A mount from a repository that deleted the blob is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202", "PUSH-MOUNT-STATUS"),
        apply=_deleted_believed,
    ),
    Fault(
        name="mount-from-ahead-of-mount",
        title="A mount whose parameter from stands ahead of mount is answered 400, the name being no digest.",
        breaks=("PUSH-MOUNT-STATUS",),
        also=("PUSH-MOUNT-DIGEST-MALFORMED", "PUSH-MOUNT-FALLBACK-UNKNOWN-SOURCE-202"),
        apply=refused(
            "upload.mount",
            when=lambda request: request.query.raw.startswith("from="),
            error=lambda request: errors.digest_invalid(request.query.get("from") or ""),
        ),
    ),
    Fault(
        name="mount-from-above-not-held",
        title="A mount from the repository above, a/b into a/b/c, is answered 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "PUSH-CONCURRENT-MOUNT-AVAILABLE"),
        apply=_held_from_above,
    ),
)
