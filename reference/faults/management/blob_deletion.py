"""Faults of the deletion of blobs."""

from __future__ import annotations

from reference.app import Registry
from reference.faults.management.shared import (
    deletable_again,
    disabled_400,
    disabled_as,
    malformed_digest_answered,
    unknown_is_fine,
)
from reference.faults.shared import code_instead, no_answer, no_content, other_digest, where_answer
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, answers, drop_header, on, override, set_header, set_status

_BLOB = "blob.delete"
_OTHER = digest_of(b"what was there before")


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


def _after_a_delete(registry: Registry) -> None:
    """A blob that was deleted and pushed again stays unknown."""
    remove, find, gone = registry.blobs.remove, registry.blobs.find, set[tuple[str, str]]()

    def removed(name: str, digest: str) -> bool:
        gone.add((name, digest))
        return remove(name, digest)

    override(
        registry.blobs,
        remove=removed,
        find=lambda name, digest: None if (name, digest) in gone else find(name, digest),
    )


def _deleted_in_one_place(registry: Registry) -> None:
    """The answer to the deletion of a blob is wrong where another repository holds it still."""

    def elsewhere(request: Request, _response: Response) -> bool:
        storage = registry.storage
        return any(storage.has_blob(name, request.reference) for name in storage.repositories())

    on("blob.delete", status=202, change=where_answer(elsewhere, other_digest))(registry)


FAULTS = (
    Fault(
        name="delete-blob-nothing",
        title="DELETE of a blob returns 202 and deletes nothing.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        # It is found when it is deleted again.
        also=("MGMT-BLOB-DELETE-UNKNOWN-404",),
        apply=_blob_stays,
    ),
    Fault(
        name="delete-blob-200",
        title="DELETE of a blob returns 200.",
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
        title="DELETE of an unknown blob returns 202.",
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
        name="delete-blob-disabled-501",
        title="DELETE of a blob returns 501 where deletion is disabled.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-400-405",),
        apply=disabled_as("blob.delete", 501),
    ),
    Fault(
        name="deleted-blob-never-back",
        title="A deleted blob is accepted again, and not found.",
        breaks=("MGMT-BLOB-DELETE-REUPLOAD",),
        also=("PUSH-PATCH-CHUNKS-CONCATENATED",),
        apply=_blob_never_again,
    ),
    Fault(
        name="delete-blob-without-digest",
        title="The 202 of a deleted blob has no Docker-Content-Digest.",
        breaks=("MGMT-BLOB-DELETE-HEADERS",),
        apply=on("blob.delete", change=drop_header("Docker-Content-Digest")),
    ),
    Fault(
        name="delete-blob-twice-202",
        title="A blob can be deleted again and again.",
        breaks=("MGMT-BLOB-DELETE-TWICE-404",),
        apply=deletable_again(_BLOB),
    ),
    Fault(
        name="delete-blob-disabled-400",
        title="DELETE of a blob returns 400 where deletion is disabled.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-405",),
        configuration="delete-off",
        apply=answers(_BLOB, status=405, change=disabled_400),
    ),
    Fault(
        name="delete-blob-disabled-code",
        title="DELETE of a blob has the code DENIED where deletion is disabled.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-CODE",),
        # It is the code of every 405.
        also=("BASE-METHOD-405-CODE",),
        configuration="delete-off",
        apply=code_instead(_BLOB, b"UNSUPPORTED", b"DENIED", status=405),
    ),
    Fault(
        name="delete-blob-malformed-202",
        title="DELETE of what is no digest returns 202.",
        breaks=("MGMT-BLOB-DELETE-MALFORMED-REFUSED",),
        # There is no digest to name in the header of the 202.
        also=("MGMT-BLOB-DELETE-HEADERS",),
        apply=malformed_digest_answered(_BLOB, Response(202)),
    ),
    Fault(
        name="delete-blob-malformed-404",
        title="DELETE of what is no digest returns 404.",
        breaks=("MGMT-BLOB-DELETE-MALFORMED-400",),
        apply=malformed_digest_answered(_BLOB, None),
    ),
    Fault(
        name="blob-delete-closes",
        title="The connection is closed at the deletion of a blob.",
        breaks=("MGMT-BLOB-DELETE-DISABLED-400-405",),
        apply=no_answer("blob.delete"),
    ),
    Fault(
        name="blob-unknown-after-its-deletion",
        title="A blob that was deleted and pushed again stays unknown.",
        breaks=("MGMT-BLOB-DELETE-REUPLOAD",),
        also=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-PATCH-CHUNKS-CONCATENATED",
        ),
        apply=_after_a_delete,
    ),
    Fault(
        name="blob-delete-answered-203",
        title="The deletion of a blob returns 203.",
        breaks=("MGMT-BLOB-DELETE-202",),
        apply=on("blob.delete", status=202, change=set_status(203)),
    ),
    Fault(
        name="blob-delete-answered-204",
        title="The deletion of a blob returns 204.",
        breaks=("MGMT-BLOB-DELETE-202",),
        apply=on("blob.delete", status=202, change=no_content),
    ),
    Fault(
        name="blob-delete-always-203",
        title="The deletion of a blob returns 203, also where it is refused.",
        breaks=("MGMT-BLOB-DELETE-202",),
        apply=answers("blob.delete", change=set_status(203)),
    ),
    Fault(
        name="delete-blob-other-digest",
        title="The 202 of a deleted blob names another one.",
        breaks=("MGMT-BLOB-DELETE-DCD-TRUE",),
        apply=on("blob.delete", status=202, change=set_header("Docker-Content-Digest", _OTHER)),
    ),
    Fault(
        name="digest-wrong-for-blobs-deleted-in-one-place",
        title="The deletion of a blob that another repository holds has the Docker-Content-Digest of something else.",
        breaks=("MGMT-BLOB-DELETE-HEADERS",),
        seldom=True,
        apply=_deleted_in_one_place,
    ),
)
