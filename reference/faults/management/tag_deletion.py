"""Faults of the deletion of tags."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Json
from reference.errors import ErrorEntry, RegistryError
from reference.faults.management.shared import deletion_accepted, deletion_status, is_tag
from reference.messages import Handler, Request, Response
from reference.modifications import Fault, Transform, answers, around, on, override, set_status
from reference.storage import Manifest

_MANIFEST = "manifest.delete"


def _unlisted_with_a_tag(registry: Registry) -> None:
    gone: set[tuple[str, str]] = set()
    storage, collect = registry.storage, registry.referrers.collect
    delete_tag = storage.delete_tag

    def noted(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        if digest is not None:
            gone.add((name, digest))
        delete_tag(name, tag)

    def changed(name: str, subject: str) -> list[Json]:
        return [each for each in collect(name, subject) if (name, each["digest"]) not in gone]

    override(storage, delete_tag=noted)
    override(registry.referrers, collect=changed)


def _tag_stays(registry: Registry) -> None:
    override(registry.manifests, remove_tag=lambda _name, _tag: None)


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


@around(_MANIFEST)
async def _tags_404(_registry: Registry, request: Request, handler: Handler) -> Response:
    """Refuse to delete tags, as if there were none."""
    if is_tag(request):
        raise RegistryError(404, (ErrorEntry("UNSUPPORTED"),))
    return await handler(request)


def _head_remembers_tags(registry: Registry) -> None:
    seen: dict[tuple[str, str], Manifest] = {}
    remove, head = registry.manifests.remove_tag, registry.handlers["manifest.head"]

    def remember(name: str, tag: str) -> None:
        manifest = registry.manifests.find(name, tag)
        if manifest is not None:
            seen[name, tag] = manifest
        remove(name, tag)

    async def changed(request: Request) -> Response:
        manifest = seen.get((request.name, request.reference))
        if manifest is None or registry.storage.tag(request.name, request.reference) is not None:
            return await head(request)
        headers = [("Content-Type", manifest.media_type), ("Docker-Content-Digest", manifest.digest)]
        return Response(200, headers, manifest.content)

    override(registry.manifests, remove_tag=remember)
    registry.handlers["manifest.head"] = changed


def _last_tag_takes_manifest(registry: Registry) -> None:
    storage, remove = registry.storage, registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        digest = storage.tag(name, tag)
        remove(name, tag)
        if digest is not None and digest not in {storage.tag(name, other) for other in storage.tags(name)}:
            registry.manifests.remove(name, digest)

    override(registry.manifests, remove_tag=changed)


def _unknown_tag_202(request: Request, response: Response) -> Response | None:
    return deletion_accepted(request) if is_tag(request) and b"MANIFEST_UNKNOWN" in response.body else None


def _by_tag(change: Transform) -> Transform:
    """Change the answers to requests of manifests by tag alone."""

    def changed(request: Request, response: Response) -> Response | None:
        return change(request, response) if ":" not in request.reference else None

    return changed


FAULTS = (
    Fault(
        name="referrer-unlisted-with-a-tag",
        title="A referrer is taken from the list when any of its tags is deleted.",
        # What was taken from the list once does not come back with a push.
        breaks=("MGMT-TAG-DELETE-REFERRER-LISTED", "DISC-REFERRERS-COMPLETE"),
        apply=_unlisted_with_a_tag,
    ),
    Fault(
        name="delete-tag-nothing",
        title="DELETE of a tag returns 202 and deletes nothing.",
        breaks=("MGMT-TAG-DELETE-GET-404",),
        # It is listed as well, and found when it is deleted again.
        also=("MGMT-TAG-DELETE-NOT-LISTED", "MGMT-TAG-DELETE-UNKNOWN-404"),
        apply=_tag_stays,
    ),
    Fault(
        name="delete-tag-204",
        title="DELETE of a tag returns 204.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=deletion_status(by_tag=True, status=204),
    ),
    Fault(
        name="delete-tag-leaves-it-listed",
        title="A deleted tag is listed.",
        breaks=("MGMT-TAG-DELETE-NOT-LISTED",),
        apply=_tag_stays_listed,
    ),
    Fault(
        name="delete-tag-takes-manifest",
        title="The deletion of a tag deletes its manifest and the other tags of that.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        # That the manifest stays is stated apart, at a lower level.
        also=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_tag_takes_manifest,
    ),
    Fault(
        name="delete-tag-disabled-404",
        title="DELETE of a tag returns 404 where deletion is disabled.",
        breaks=("MGMT-TAG-DELETE-DISABLED-400-405",),
        apply=_tags_404,
    ),
    Fault(
        name="delete-tag-head-200",
        title="HEAD still finds a deleted tag.",
        breaks=("MGMT-TAG-DELETE-HEAD-404",),
        apply=_head_remembers_tags,
    ),
    Fault(
        name="delete-last-tag-takes-manifest",
        title="The deletion of its last tag deletes a manifest.",
        breaks=("MGMT-TAG-DELETE-MANIFEST-BY-DIGEST-KEPT",),
        apply=_last_tag_takes_manifest,
    ),
    Fault(
        name="delete-tag-unknown-202",
        title="DELETE of an unknown tag returns 202.",
        breaks=("MGMT-TAG-DELETE-UNKNOWN-404",),
        apply=answers(_MANIFEST, status=404, change=_unknown_tag_202),
    ),
    Fault(
        name="tag-delete-answered-200",
        title="The deletion of a tag returns 200.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=on("manifest.delete", status=202, change=_by_tag(set_status(200))),
    ),
    Fault(
        name="tag-delete-answered-203",
        title="The deletion of a tag returns 203.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=on("manifest.delete", status=202, change=_by_tag(set_status(203))),
    ),
    Fault(
        name="tag-delete-always-203",
        title="The deletion of a tag returns 203, also where it is refused.",
        breaks=("MGMT-TAG-DELETE-202",),
        apply=answers("manifest.delete", change=_by_tag(set_status(203))),
    ),
)
