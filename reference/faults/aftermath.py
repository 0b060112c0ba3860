"""Faults of what an action leaves behind: it is answered rightly, and something else is wrong from then on."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference.app import Registry
from reference.documents import parse
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, moved_tags, on, override
from reference.storage import Manifest

#: What happens, given the registry, the repository and the digest of a manifest that was deleted, and the manifest.
After = Callable[[Registry, str, Manifest], None]
_REFERRERS_TAG = re.compile("sha256-[0-9a-f]{64}")


def _after_deletion(effect: After) -> Apply:
    """Do something as soon as a manifest is deleted by its digest."""

    def apply(registry: Registry) -> None:
        delete = registry.handlers["manifest.delete"]

        async def changed(request: Request) -> Response:
            manifest = registry.storage.manifest(request.name, request.reference)
            response = await delete(request)
            if manifest is not None and response.status == 202:
                effect(registry, request.name, manifest)
            return response

        registry.handlers["manifest.delete"] = changed

    return apply


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


def _referrers_lost(registry: Registry) -> None:
    """The referrers of a deleted manifest are gone, and listed."""
    lost: set[tuple[str, str]] = set()
    find = registry.manifests.find

    def note(_registry: Registry, name: str, manifest: Manifest) -> None:
        lost.update((name, digest) for digest in registry.storage.referrers(name, manifest.digest))

    def changed(name: str, reference: str) -> Manifest | None:
        return None if (name, reference) in lost else find(name, reference)

    _after_deletion(note)(registry)
    override(registry.manifests, find=changed)


def _deleted(registry: Registry) -> set[tuple[str, str]]:
    """The repositories and digests of the manifests that were deleted; it grows with each."""
    deleted: set[tuple[str, str]] = set()
    _after_deletion(lambda _registry, name, manifest: deleted.add((name, manifest.digest)))(registry)
    return deleted


def _referrers_as_404(registry: Registry) -> None:
    """The list of the referrers of a deleted manifest comes with status 404."""
    deleted = _deleted(registry)

    def change(request: Request, response: Response) -> None:
        if (request.name, request.reference) in deleted and response.body.find(b'"digest"') >= 0:
            response.status = 404

    on("referrers.list", status=200, change=change)(registry)


def _moved_203(registry: Registry) -> None:
    """Another success for the pull of a tag that was moved."""
    moved = moved_tags(registry)

    def change(request: Request, response: Response) -> None:
        if (request.name, request.reference) in moved:
            response.status = 203

    on("manifest.get", status=200, change=change)(registry)


def _stale_range(registry: Registry) -> None:
    """Each Location tells how much came, and its status that much for ever."""

    def mark(_request: Request, response: Response) -> None:
        location = response.headers.get("Location")
        if location and response.status in (202, 204):
            response.headers.set("Location", f"{location}?_state={response.headers.get('Range')}")

    def stale(request: Request, response: Response) -> None:
        state = request.query.get("_state")
        if state:
            response.headers.set("Range", state)

    on("upload.get", status=204, change=stale)(registry)
    on("upload.start", "upload.patch", "upload.get", change=mark)(registry)


def _around_again(registry: Registry) -> None:
    """After the last tag the list begins again; a walk by Link does not get there."""
    after = registry.tags.after

    def changed(tags: list[str], last: str | None) -> list[str]:
        rest = after(tags, last)
        return rest if rest or last not in tags else tags

    override(registry.tags, after=changed)


def _blobs_lost_with_mount(registry: Registry) -> None:
    """A blob that was mounted elsewhere is gone from where it was."""

    def change(request: Request, response: Response) -> None:
        source = request.query.get("from")
        if source and source != request.name:
            registry.storage.delete_blob(source, request.query.get("mount") or "")

    on("upload.mount", status=201, change=change)(registry)


def _again_lost(registry: Registry) -> None:
    """A manifest that comes back after its deletion is not listed under its tag."""
    deleted = _deleted(registry)
    tags = registry.storage.tags

    def changed(name: str) -> list[str]:
        return [tag for tag in tags(name) if (name, registry.storage.tag(name, tag)) not in deleted]

    override(registry.storage, tags=changed)


def _latest_anywhere(registry: Registry) -> None:
    """A tag names what was pushed under it last, in whichever repository."""
    latest: dict[str, Manifest] = {}
    set_tag, find = registry.storage.set_tag, registry.manifests.find

    def noting(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        manifest = registry.storage.manifest(name, digest)
        if manifest is not None:
            latest[tag] = manifest

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        return latest.get(reference, found) if found is not None else None

    override(registry.storage, set_tag=noting)
    override(registry.manifests, find=changed)


def _referrers_tag_stays(registry: Registry) -> None:
    """The tag in place of referrers keeps what was pushed under it first."""
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        if not _REFERRERS_TAG.fullmatch(tag) or registry.storage.tag(name, tag) is None:
            set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _fallback_closed(registry: Registry) -> None:
    """The session that a single POST opens is gone at once."""

    def change(request: Request, response: Response) -> None:
        upload = registry.storage.find_upload(request.name, response.headers.get("Location").rpartition("/")[2])
        if upload is not None:
            registry.storage.discard_upload(upload)

    answers("upload.start-digest", status=202, change=change)(registry)


FAULTS = (
    Fault(
        name="tag-of-the-latest-repository",
        title="A tag names what was pushed under it last, in whichever repository.",
        breaks=("PULL-MANIFEST-OTHER-REPO-TAG",),
        apply=_latest_anywhere,
    ),
    Fault(
        name="referrers-tag-never-moves",
        title="The tag in place of referrers keeps what was pushed under it first.",
        breaks=("DISC-REFERRERS-TAG-SCHEMA-PUSHABLE",),
        apply=_referrers_tag_stays,
    ),
    Fault(
        name="single-post-fallback-closed",
        title="A POST of a blob is answered 202 with the Location of an upload that is closed.",
        breaks=("PUSH-SINGLE-FALLBACK-USABLE",),
        variants=("single-post-202",),
        apply=_fallback_closed,
    ),
    Fault(
        name="deletion-takes-blobs-elsewhere",
        title="With a manifest its blobs go from the other repositories that have it.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=_after_deletion(_blobs_taken),
    ),
    Fault(
        name="deletion-empties-elsewhere",
        title="A manifest is empty from the time on when another repository deleted it.",
        breaks=("MGMT-MANIFEST-DELETE-OTHER-REPO-KEPT",),
        apply=_after_deletion(_manifests_emptied),
    ),
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
        name="moved-tag-203",
        title="The GET of a tag that was moved is answered 203.",
        breaks=("PULL-MANIFEST-GET-TAG-200",),
        # It shows where that is asked for.
        also=("PULL-CONSIST-TAG-MOVE",),
        apply=_moved_203,
    ),
    Fault(
        name="earlier-location-tells-earlier-range",
        title="The status at an earlier Location tells how much had come by then.",
        breaks=("PUSH-STATUS-EARLIER-LOCATION",),
        apply=_stale_range,
    ),
    Fault(
        name="tags-around-again",
        title="After the last tag the list begins again.",
        breaks=("DISC-TAGS-LAST-EXCLUSIVE",),
        apply=_around_again,
    ),
    Fault(
        name="mount-moves",
        title="A blob that is mounted goes from the repository that it came from.",
        breaks=("PUSH-BLOB-KEPT",),
        # Where only a sequence shows it.
        also=("PULL-BLOB-GET-200",),
        apply=_blobs_lost_with_mount,
    ),
    Fault(
        name="manifest-again-unlisted",
        title="The tag of a manifest that comes back after its deletion is not listed.",
        breaks=("MGMT-MANIFEST-DELETE-REPUSH",),
        apply=_again_lost,
    ),
)
