"""Faults of the deletion of manifests."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Document, parse
from reference.faults.management.shared import (
    after_deletion,
    deletable_again,
    deleted_manifests,
    deletion_status,
    disabled_400,
    disabled_as,
    malformed_digest_answered,
    unknown_is_fine,
)
from reference.faults.shared import busy, code_instead, no_content
from reference.messages import Request, Response
from reference.modifications import Fault, Transform, answers, on, override, set_status
from reference.storage import Manifest

_MANIFEST = "manifest.delete"


def _holders(registry: Registry, name: str, digest: str) -> list[str]:
    """The other repositories that have the same manifest."""
    storage = registry.storage
    return [other for other in storage.repositories() if other != name and storage.manifest(other, digest)]


def _blobs_taken(registry: Registry, name: str, manifest: Manifest) -> None:
    document = parse(manifest.content)
    for other in _holders(registry, name, manifest.digest):
        for part in (document.get("config"), *document.get("layers", ())):
            if part:
                registry.storage.delete_blob(other, part["digest"])


def _manifests_emptied(registry: Registry, name: str, manifest: Manifest) -> None:
    for other in _holders(registry, name, manifest.digest):
        emptied = Manifest(manifest.digest, manifest.media_type, b"{}")
        registry.storage.put_manifest(other, emptied, None)


def _again_lost(registry: Registry) -> None:
    """A manifest that comes back after its deletion is not listed under its tag."""
    deleted = deleted_manifests(registry)
    tags = registry.storage.tags

    def changed(name: str) -> list[str]:
        return [tag for tag in tags(name) if (name, registry.storage.tag(name, tag)) not in deleted]

    override(registry.storage, tags=changed)


def _manifest_stays(registry: Registry) -> None:
    override(registry.manifests, remove=lambda _name, _digest: None)


def _tags_stay(registry: Registry) -> None:
    """Tags of a deleted manifest still resolve; the digest does not."""
    find, remove = registry.manifests.find, registry.manifests.remove
    kept: dict[tuple[str, str], Manifest] = {}

    def remember(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            kept[name, digest] = manifest
        remove(name, digest)

    def by_tag(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is not None or ":" in reference:
            return found
        return kept.get((name, registry.storage.tag(name, reference) or ""))

    override(registry.manifests, find=by_tag, remove=remember, remove_tags_of=lambda _name, _digest: None)


def _tags_stay_listed(registry: Registry) -> None:
    override(registry.manifests, remove_tags_of=lambda _name, _digest: None)


def _head_remembers_manifests(registry: Registry) -> None:
    seen: dict[tuple[str, str], Manifest] = {}
    remove, get = registry.manifests.remove, registry.handlers["manifest.head"]

    def remember(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            seen[name, digest] = manifest
        remove(name, digest)

    async def head(request: Request) -> Response:
        manifest = seen.get((request.name, request.reference))
        if manifest is None or registry.storage.manifest(request.name, request.reference) is not None:
            return await get(request)
        headers = [("Content-Type", manifest.media_type), ("Docker-Content-Digest", manifest.digest)]
        return Response(200, headers, manifest.content)

    override(registry.manifests, remove=remember)
    registry.handlers["manifest.head"] = head


def _takes_all(registry: Registry) -> None:
    """Deletes the other manifests with the same config, too."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        for tag in registry.storage.tags(name):
            other = registry.storage.tag(name, tag)
            if other is not None:
                remove(name, other)

    override(registry.manifests, remove=changed)


def _takes_blobs(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        manifest = registry.storage.manifest(name, digest)
        remove(name, digest)
        blobs = Document(manifest.media_type, parse(manifest.content)).blobs if manifest is not None else []
        for blob in blobs:
            registry.storage.delete_blob(name, blob)

    override(registry.manifests, remove=changed)


def _manifest_everywhere(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        for other in registry.storage.repositories():
            remove(other, digest)

    override(registry.manifests, remove=changed)


def _never_again(registry: Registry) -> None:
    """What was deleted once is accepted again, and not found."""
    gone: set[tuple[str, str]] = set()
    remove, find = registry.manifests.remove, registry.manifests.find

    def remember(name: str, digest: str) -> None:
        remove(name, digest)
        gone.add((name, digest))

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        return None if found is not None and (name, found.digest) in gone else found

    override(registry.manifests, remove=remember, find=changed)


def _by_digest(change: Transform) -> Transform:
    """Change the answers to requests of manifests by digest alone."""

    def changed(request: Request, response: Response) -> Response | None:
        return change(request, response) if ":" in request.reference else None

    return changed


FAULTS = (
    Fault(
        name="deletion-takes-blobs-of-other-repositories",
        title="The deletion of a manifest removes its blobs from the other repositories that have it.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=after_deletion(_blobs_taken),
    ),
    Fault(
        name="deletion-empties-other-repositories",
        title="A manifest is empty from the time on when another repository deleted it.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=after_deletion(_manifests_emptied),
    ),
    Fault(
        name="manifest-again-unlisted",
        title="The tag of a manifest that comes back after its deletion is not listed.",
        breaks=("MGMT-MANIFEST-DELETE-REPUSH",),
        apply=_again_lost,
    ),
    Fault(
        name="delete-deletes-nothing",
        title="DELETE of a manifest returns 202 and deletes nothing.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        # Every consequence of a deletion is missing.
        also=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED"),
        apply=_manifest_stays,
    ),
    Fault(
        name="delete-manifest-200",
        title="DELETE of a manifest returns 200.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=deletion_status(by_tag=False, status=200),
    ),
    Fault(
        name="delete-manifest-leaves-tags",
        title="The tags of a deleted manifest still deliver it.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-404",),
        # They are listed as well.
        also=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_tags_stay,
    ),
    Fault(
        name="delete-manifest-leaves-tags-listed",
        title="The tags of a deleted manifest are listed, and unknown.",
        breaks=("MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED",),
        apply=_tags_stay_listed,
    ),
    Fault(
        name="delete-manifest-head-200",
        title="HEAD still finds a deleted manifest.",
        breaks=("MGMT-MANIFEST-DELETE-HEAD-404",),
        apply=_head_remembers_manifests,
    ),
    Fault(
        name="delete-manifest-takes-others",
        title="The deletion of a manifest deletes every tagged manifest of the repository.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        # Other tags, a subject or a second referrer may be among them.
        also=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"),
        apply=_takes_all,
    ),
    Fault(
        name="delete-manifest-takes-blobs",
        title="The deletion of a manifest deletes its blobs, though another manifest has them.",
        breaks=("MGMT-MANIFEST-DELETE-SHARED-BLOBS-KEPT",),
        apply=_takes_blobs,
    ),
    Fault(
        name="delete-manifest-everywhere",
        title="A manifest is deleted in every repository.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=_manifest_everywhere,
    ),
    Fault(
        name="delete-manifest-unknown-202",
        title="DELETE of an unknown manifest returns 202.",
        breaks=("MGMT-MANIFEST-DELETE-UNKNOWN-404",),
        # A tag that does not exist is an unknown manifest.
        also=("MGMT-TAG-DELETE-UNKNOWN-404",),
        apply=unknown_is_fine("manifest.delete", b"MANIFEST_UNKNOWN"),
    ),
    Fault(
        name="delete-manifest-unknown-code",
        title="DELETE of an unknown manifest has the code BLOB_UNKNOWN.",
        breaks=("MGMT-MANIFEST-DELETE-UNKNOWN-CODE",),
        apply=code_instead("manifest.delete", b"MANIFEST_UNKNOWN", b"BLOB_UNKNOWN"),
    ),
    Fault(
        name="delete-repository-unknown-400",
        title="DELETE of a manifest in an unknown repository returns 400.",
        breaks=("MGMT-MANIFEST-DELETE-REPO-UNKNOWN-404",),
        apply=answers(
            "manifest.delete",
            status=404,
            change=lambda request, response: (
                set_status(400)(request, response) if b"NAME_UNKNOWN" in response.body else None
            ),
        ),
    ),
    Fault(
        name="delete-manifest-disabled-404",
        title="DELETE of a manifest returns 404 where deletion is disabled.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-400-405",),
        # Tags cannot be deleted either.
        also=("MGMT-TAG-DELETE-DISABLED-400-405",),
        apply=disabled_as("manifest.delete", 404),
    ),
    Fault(
        name="deleted-manifest-never-back",
        title="A deleted manifest is accepted again, and not found.",
        breaks=("MGMT-MANIFEST-DELETE-REPUSH",),
        apply=_never_again,
    ),
    Fault(
        name="delete-manifest-disabled-400",
        title="DELETE of a manifest returns 400 where deletion is disabled.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-405",),
        configuration="delete-off",
        apply=answers(_MANIFEST, status=405, change=disabled_400),
    ),
    Fault(
        name="delete-manifest-disabled-code",
        title="DELETE of a manifest has the code DENIED where deletion is disabled.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-CODE",),
        # It is the code of every 405.
        also=("BASE-METHOD-405-CODE",),
        configuration="delete-off",
        apply=code_instead(_MANIFEST, b"UNSUPPORTED", b"DENIED", status=405),
    ),
    Fault(
        name="delete-manifest-twice-202",
        title="A manifest can be deleted again and again.",
        breaks=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=deletable_again(_MANIFEST),
    ),
    Fault(
        name="delete-manifest-malformed-202",
        title="DELETE of a manifest by what is no digest returns 202.",
        breaks=("MGMT-MANIFEST-DELETE-MALFORMED-REFUSED",),
        apply=malformed_digest_answered(_MANIFEST, Response(202)),
    ),
    Fault(
        name="delete-manifest-malformed-404",
        title="DELETE of a manifest by what is no digest returns 404.",
        breaks=("MGMT-MANIFEST-DELETE-MALFORMED-400",),
        apply=malformed_digest_answered(_MANIFEST, None),
    ),
    Fault(
        name="manifest-delete-503",
        title="Deletions of manifests return 503, with a short Retry-After.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-400-405",),
        apply=busy(503, "manifest.delete", when=lambda r: ":" in r.reference, after="0"),
    ),
    Fault(
        name="manifest-delete-answered-203",
        title="The deletion of a manifest returns 203.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=on("manifest.delete", status=202, change=_by_digest(set_status(203))),
    ),
    Fault(
        name="manifest-delete-answered-204",
        title="The deletion of a manifest returns 204.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=on("manifest.delete", status=202, change=_by_digest(no_content)),
    ),
    Fault(
        name="manifest-delete-always-203",
        title="The deletion of a manifest returns 203, also where it is refused.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=answers("manifest.delete", change=_by_digest(set_status(203))),
    ),
)
