"""Faults of deletion."""

from __future__ import annotations

from reference import errors
from reference.app import Registry
from reference.documents import Document, parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, on, override, set_status
from reference.storage import Manifest


def _kind(by_tag: bool, status: int) -> Apply:
    """Another status of a successful deletion, by tag or by digest."""

    def change(request: Request, response: Response) -> None:
        if (":" not in request.reference) is by_tag:
            response.status = status

    return on("manifest.delete", status=202, change=change)


def _manifest_stays(registry: Registry) -> None:
    override(registry.manifests, remove=lambda _name, _digest: None)


def _tag_stays(registry: Registry) -> None:
    override(registry.manifests, remove_tag=lambda _name, _tag: None)


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


def _tag_stays_listed(registry: Registry) -> None:
    """A deleted tag is unknown, but listed."""
    gone: dict[str, list[str]] = {}
    remove, tags, set_tag = registry.manifests.remove_tag, registry.storage.tags, registry.storage.set_tag

    def remember(name: str, tag: str) -> None:
        remove(name, tag)
        gone.setdefault(name, []).append(tag)

    def again(name: str, tag: str, digest: str) -> None:
        gone[name] = [each for each in gone.get(name, []) if each != tag]
        set_tag(name, tag, digest)

    override(registry.manifests, remove_tag=remember)
    override(registry.storage, tags=lambda name: [*tags(name), *gone.get(name, [])], set_tag=again)


def _tag_takes_manifest(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        if digest is not None:
            remove(name, digest)

    override(registry.manifests, remove_tag=changed)


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


def _manifest_everywhere(registry: Registry) -> None:
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        for other in registry.storage.repositories():
            remove(other, digest)

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


def unknown_is_fine(operation: str, code: bytes) -> Apply:
    """Answer 202 where what is to be deleted is unknown."""

    def change(request: Request, response: Response) -> Response | None:
        if code not in response.body:
            return None
        return Response(202, [("Docker-Content-Digest", request.reference)] if ":" in request.reference else [])

    return answers(operation, status=404, change=change)


def code_instead(operation: str, code: bytes, other: bytes, status: int = 404) -> Apply:
    """Give another code than the right one."""

    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(code, other)

    return answers(operation, status=status, change=change)


def disabled_as(operation: str, status: int) -> Apply:
    """Refuse to delete anything."""

    def apply(registry: Registry) -> None:
        async def refuse(_request: Request) -> Response:
            raise errors.RegistryError(status, (errors.ErrorEntry("UNSUPPORTED"),))

        registry.handlers[operation] = refuse

    return apply


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


FAULTS = (
    Fault(
        name="delete-deletes-nothing",
        title="DELETE of a manifest is answered 202 and deletes nothing.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404",),
        # Every consequence of a deletion is missing.
        also=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-REFERRER-UNLISTED"),
        apply=_manifest_stays,
    ),
    Fault(
        name="delete-tag-nothing",
        title="DELETE of a tag is answered 202 and deletes nothing.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        # It is listed as well, and found when it is deleted again.
        also=("MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_tag_stays,
    ),
    Fault(
        name="delete-manifest-200",
        title="DELETE of a manifest is answered 200.",
        breaks=("MGMT-MANIFEST-DELETE-202",),
        apply=_kind(by_tag=False, status=200),
    ),
    Fault(
        name="delete-tag-204",
        title="DELETE of a tag is answered 204.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=_kind(by_tag=True, status=204),
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
        name="delete-tag-leaves-it-listed",
        title="A deleted tag is listed.",
        breaks=("MGMT-TAG-DELETE-NOT-LISTED",),
        apply=_tag_stays_listed,
    ),
    Fault(
        name="delete-tag-takes-manifest",
        title="With a tag its manifest is deleted, and the other tags of that.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        # That the manifest stays is stated apart, at a lower level.
        also=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_tag_takes_manifest,
    ),
    Fault(
        name="delete-manifest-head-200",
        title="HEAD still finds a deleted manifest.",
        breaks=("MGMT-MANIFEST-DELETE-HEAD-404",),
        apply=_head_remembers_manifests,
    ),
    Fault(
        name="delete-manifest-takes-others",
        title="With a manifest every tagged one of the repository is deleted.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        # Other tags, a subject or a second referrer may be among them.
        also=("MGMT-MANIFEST-DELETE-TAGS-404", "MGMT-MANIFEST-DELETE-TAGS-NOT-LISTED"),
        apply=_takes_all,
    ),
    Fault(
        name="delete-manifest-takes-blobs",
        title="With a manifest its blobs are deleted, though another one has them.",
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
        title="DELETE of an unknown manifest is answered 202.",
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
        title="DELETE of a manifest in an unknown repository is answered 400.",
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
        title="Manifests cannot be deleted: 404.",
        breaks=("MGMT-MANIFEST-DELETE-DISABLED-400-405",),
        # Tags cannot be deleted either.
        also=("MGMT-TAG-DELETE-DISABLED-400-405",),
        apply=disabled_as("manifest.delete", 404),
    ),
    Fault(
        name="delete-referrer-leaves-it-listed",
        title="A deleted referrer is listed.",
        breaks=("MGMT-MANIFEST-DELETE-REFERRER-UNLISTED",),
        apply=_referrer_stays_listed,
    ),
    Fault(
        name="delete-manifest-for-ever",
        title="A deleted manifest is accepted again, and not found.",
        breaks=("MGMT-MANIFEST-DELETE-REPUSH",),
        apply=_never_again,
    ),
)
