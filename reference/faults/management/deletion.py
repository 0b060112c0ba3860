"""Faults of deletions of every kind."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.faults.management.shared import after_deletion, deleted_manifests
from reference.messages import Handler, Request, Response
from reference.modifications import Apply, Fault, answers, around, on, override, set_header
from reference.storage import Manifest

_MANIFEST = "manifest.delete"
_BLOB = "blob.delete"


def _referrers_lost(registry: Registry) -> None:
    """The referrers of a deleted manifest are gone, and listed."""
    lost: set[tuple[str, str]] = set()
    find = registry.manifests.find

    def note(_registry: Registry, name: str, manifest: Manifest) -> None:
        lost.update((name, digest) for digest in registry.storage.referrers(name, manifest.digest))

    def changed(name: str, reference: str) -> Manifest | None:
        return None if (name, reference) in lost else find(name, reference)

    after_deletion(note)(registry)
    override(registry.manifests, find=changed)


def _referrers_as_404(registry: Registry) -> None:
    """The list of the referrers of a deleted manifest comes with status 404."""
    deleted = deleted_manifests(registry)

    def change(request: Request, response: Response) -> None:
        if (request.name, request.reference) in deleted and response.body.find(b'"digest"') >= 0:
            response.status = 404

    on("referrers.list", status=200, change=change)(registry)


def _referrer_stays_listed(registry: Registry) -> None:
    kept: dict[tuple[str, str], Manifest] = {}
    remove, collect = registry.manifests.remove, registry.referrers.collect

    def remember(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        subject = Document(manifest.media_type, parse(manifest.content)).subject if manifest is not None else None
        if manifest is not None and subject is not None:
            kept[name, subject] = manifest
        remove(name, digest)

    override(registry.manifests, remove=remember)
    override(
        registry.referrers,
        collect=lambda name, subject: [
            *collect(name, subject),
            *(
                registry.referrers.describe(manifest)
                for key, manifest in kept.items()
                if key == (name, subject) and registry.storage.manifest(name, manifest.digest) is None
            ),
        ],
    )


@around("blob.delete")
async def _refused_but_done(_registry: Registry, request: Request, handler: Handler) -> Response:
    await handler(request)
    raise errors.unsupported(["GET", "HEAD"])


def _unknown_subject_404(registry: Registry) -> None:
    listing = registry.handlers["referrers.list"]
    deleted: set[tuple[str, str]] = set()
    remove = registry.manifests.remove

    def remember(name: str, digest: str) -> None:
        remove(name, digest)
        deleted.add((name, digest))

    async def changed(request: Request) -> Response:
        if (request.name, request.reference) in deleted:
            return Response(404)
        return await listing(request)

    registry.handlers["referrers.list"] = changed
    override(registry.manifests, remove=remember)


def _deletion(operation: str) -> Apply:
    """Carry a deletion out that is refused as switched off."""

    def apply(registry: Registry) -> None:
        check = registry.check_allowed

        def changed(request: Request) -> None:
            try:
                check(request)
            except errors.RegistryError:
                if operation == "blob" and request.operation == "blob.delete":
                    registry.blobs.remove(request.name, request.reference)
                if operation == "tag" and request.operation == "manifest.delete" and ":" not in request.reference:
                    registry.manifests.remove_tag(request.name, request.reference)
                raise

        override(registry, check_allowed=changed)

    return apply


FAULTS = (
    Fault(
        name="referrers-of-deleted-subject-lost",
        title="The referrers of a deleted manifest are listed, and gone.",
        breaks=("DISC-REFERRERS-SUBJECT-DELETED",),
        apply=_referrers_lost,
    ),
    Fault(
        name="referrers-of-deleted-subject-listed-as-404",
        title="The list of the referrers of a deleted manifest comes with status 404.",
        breaks=("DISC-REFERRERS-SUBJECT-DELETED",),
        apply=_referrers_as_404,
    ),
    Fault(
        name="delete-referrer-leaves-it-listed",
        title="A deleted referrer is listed.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        apply=_referrer_stays_listed,
    ),
    Fault(
        name="delete-blob-refused-but-done",
        title="DELETE of a blob returns 405, and deletes the blob.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        apply=_refused_but_done,
    ),
    Fault(
        name="delete-disabled-allow-lists-it",
        title="Deletion is refused with 405, and Allow lists DELETE.",
        breaks=("MGMT-DELETE-405-ALLOW",),
        configuration="delete-off",
        apply=answers(_MANIFEST, _BLOB, status=405, change=set_header("Allow", "GET, HEAD, DELETE")),
    ),
    Fault(
        name="referrers-subject-deleted-404",
        title="The referrers of a deleted manifest get 404.",
        breaks=("DISC-REFERRERS-SUBJECT-DELETED",),
        apply=_unknown_subject_404,
    ),
    Fault(
        name="refused-blob-deletion-done",
        title="The deletion of a blob is refused and carried out.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        configuration="delete-off",
        apply=_deletion("blob"),
    ),
    Fault(
        name="refused-tag-deletion-done",
        title="The deletion of a tag is refused and carried out.",
        breaks=("MGMT-DELETE-REFUSED-NO-EFFECT",),
        configuration="delete-off",
        apply=_deletion("tag"),
    ),
)
