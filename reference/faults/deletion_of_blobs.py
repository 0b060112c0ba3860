"""Faults of the deletion of blobs."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.faults.deletion import code_instead, disabled_as, unknown_is_fine
from reference.messages import Request, Response
from reference.modifications import Fault, drop_header, on, override, set_status


def _blob_stays(registry: Registry) -> None:
    override(registry.blobs, remove=registry.storage.has_blob)


def _head_remembers_blobs(registry: Registry) -> None:
    seen: dict[tuple[str, str], int] = {}
    remove, get = registry.blobs.remove, registry.handlers["blob.head"]

    def remember(name: str, digest: str) -> bool:
        content = registry.storage.open_blob(name, digest)
        if content is not None:
            seen[name, digest] = content.size
            content.close()
        return remove(name, digest)

    async def head(request: Request) -> Response:
        size = seen.get((request.name, request.reference))
        if size is None or registry.storage.has_blob(request.name, request.reference):
            return await get(request)
        return Response(200, [("Content-Length", str(size)), ("Docker-Content-Digest", request.reference)])

    override(registry.blobs, remove=remember)
    registry.handlers["blob.head"] = head


def _blob_everywhere(registry: Registry) -> None:
    remove = registry.blobs.remove

    def changed(name: str, digest: str) -> bool:
        found = remove(name, digest)
        for other in registry.storage.repositories() if found else []:
            registry.storage.delete_blob(other, digest)
        return found

    override(registry.blobs, remove=changed)


def _refused_but_done(registry: Registry) -> None:
    delete = registry.handlers["blob.delete"]

    async def changed(request: Request) -> Response:
        await delete(request)
        raise errors.unsupported(["GET", "HEAD"])

    registry.handlers["blob.delete"] = changed


def _blob_never_again(registry: Registry) -> None:
    gone: set[tuple[str, str]] = set()
    remove, find = registry.blobs.remove, registry.blobs.find

    def remember(name: str, digest: str) -> bool:
        gone.add((name, digest))
        return remove(name, digest)

    override(
        registry.blobs,
        remove=remember,
        find=lambda name, digest: None if (name, digest) in gone else find(name, digest),
    )


FAULTS = (
    Fault(
        name="delete-blob-nothing",
        title="DELETE of a blob is answered 202 and deletes nothing.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        # It is found when it is deleted again.
        also=("MGMT-BLOB-DELETE-UNKNOWN-404",),
        apply=_blob_stays,
    ),
    Fault(
        name="delete-blob-200",
        title="DELETE of a blob is answered 200.",
        breaks=("MGMT-BLOB-DELETE-202",),
        apply=on("blob.delete", status=202, change=set_status(200)),
    ),
    Fault(
        name="delete-blob-head-200",
        title="HEAD still finds a deleted blob.",
        breaks=("MGMT-BLOB-DELETE-HEAD-404",),
        apply=_head_remembers_blobs,
    ),
    Fault(
        name="delete-blob-everywhere",
        title="A blob is deleted in every repository.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        apply=_blob_everywhere,
    ),
    Fault(
        name="delete-blob-unknown-202",
        title="DELETE of an unknown blob is answered 202.",
        breaks=("MGMT-BLOB-DELETE-UNKNOWN-404",),
        apply=unknown_is_fine("blob.delete", b"BLOB_UNKNOWN"),
    ),
    Fault(
        name="delete-blob-unknown-code",
        title="DELETE of an unknown blob has the code MANIFEST_UNKNOWN.",
        breaks=("MGMT-BLOB-DELETE-UNKNOWN-CODE",),
        apply=code_instead("blob.delete", b"BLOB_UNKNOWN", b"MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="delete-blob-refused-but-done",
        title="DELETE of a blob is answered 405, and carried out.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        apply=_refused_but_done,
    ),
    Fault(
        name="delete-blob-disabled-501",
        title="Blobs cannot be deleted: 501.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-400-405",),
        apply=disabled_as("blob.delete", 501),
    ),
    Fault(
        name="delete-blob-for-ever",
        title="A deleted blob is accepted again, and not found.",
        breaks=("MGMT-BLOB-DELETE-REUPLOAD",),
        apply=_blob_never_again,
    ),
    Fault(
        name="delete-blob-without-digest",
        title="The 202 of a deleted blob has no Docker-Content-Digest.",
        breaks=("MGMT-BLOB-DELETE-HEADERS",),
        apply=on("blob.delete", change=drop_header("Docker-Content-Digest")),
    ),
)
