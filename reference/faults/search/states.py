"""Faults of sequences of pushes and deletions."""

from __future__ import annotations

import json

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Fault, override
from reference.storage import Mark, Upload


def _cancel_cuts_another(registry: Registry) -> None:
    """The end of one session takes the last byte of every other."""
    opened: list[Upload] = []
    start, cancel = registry.storage.start_upload, registry.handlers["upload.delete"]

    def remember(name: str) -> Upload:
        opened.append(start(name))
        return opened[-1]

    async def changed(request: Request) -> Response:
        response = await cancel(request)
        for upload in opened:
            if not upload.closed and upload.size:
                await upload.rollback(Mark(upload.size - 1, "sha256", None))
        return response

    override(registry.storage, start_upload=remember)
    registry.handlers["upload.delete"] = changed


def _third_tag(registry: Registry) -> None:
    """A manifest with three tags loses two of them at once."""
    remove = registry.manifests.remove_tag

    def changed(name: str, tag: str) -> None:
        digest = registry.storage.tag(name, tag)
        tags = [t for t in sorted(registry.storage.tags(name)) if registry.storage.tag(name, t) == digest]
        remove(name, tag)
        if len(tags) >= 3:
            remove(name, next(t for t in tags if t != tag))

    override(registry.manifests, remove_tag=changed)


def _former_digest_takes_tag(registry: Registry) -> None:
    """The deletion of a manifest takes each tag that ever was on it."""
    former: dict[tuple[str, str], set[str]] = {}
    set_tag, remove = registry.storage.set_tag, registry.manifests.remove

    def remember(name: str, tag: str, digest: str) -> None:
        set_tag(name, tag, digest)
        former.setdefault((name, digest), set()).add(tag)

    def changed(name: str, digest: str) -> None:
        remove(name, digest)
        for tag in former.pop((name, digest), set()):
            registry.storage.delete_tag(name, tag)

    override(registry.storage, set_tag=remember)
    override(registry.manifests, remove=changed)


def _tag_not_back(registry: Registry) -> None:
    """A tag does not go back to a manifest that it has left."""
    former: set[tuple[str, str, str]] = set()
    set_tag = registry.storage.set_tag

    def changed(name: str, tag: str, digest: str) -> None:
        before = registry.storage.tag(name, tag)
        if (name, tag, digest) in former and before is not None and before != digest:
            return
        former.add((name, tag, digest))
        set_tag(name, tag, digest)

    override(registry.storage, set_tag=changed)


def _mount_takes_source(registry: Registry) -> None:
    """A mounted blob that is deleted goes from where it was mounted from."""
    sources: dict[tuple[str, str], str] = {}
    mount, remove = registry.storage.mount_blob, registry.blobs.remove

    def remember(source: str, name: str, digest: str) -> bool:
        if not mount(source, name, digest):
            return False
        sources[name, digest] = source
        return True

    def changed(name: str, digest: str) -> bool:
        if source := sources.pop((name, digest), None):
            registry.storage.delete_blob(source, digest)
        return remove(name, digest)

    override(registry.storage, mount_blob=remember)
    override(registry.blobs, remove=changed)


def _index_hides_referrers(registry: Registry) -> None:
    """What an index lists is no referrer any more."""
    hidden: set[tuple[str, str]] = set()
    put, referrers = registry.storage.put_manifest, registry.storage.referrers

    def remember(name: str, manifest: object, subject: str | None) -> None:
        put(name, manifest, subject)  # type: ignore[arg-type]  # handed on as it came
        entries = json.loads(getattr(manifest, "content", b"{}")).get("manifests", [])
        hidden.update((name, entry["digest"]) for entry in entries)

    override(registry.storage, put_manifest=remember)
    override(
        registry.storage,
        referrers=lambda name, subject: [d for d in referrers(name, subject) if (name, d) not in hidden],
    )


FAULTS = (
    Fault(
        name="cancel-cuts-other-uploads",
        title="The cancelling of one session takes the last byte of each other.",
        breaks=("PUSH-SESSION-PARALLEL-ISOLATED",),
        apply=_cancel_cuts_another,
    ),
    Fault(
        name="tag-delete-takes-one-of-three",
        title="The deletion of one tag takes another where the manifest has three.",
        breaks=("MGMT-TAG-DELETE-OTHER-TAGS-KEPT",),
        apply=_third_tag,
    ),
    Fault(
        name="manifest-delete-takes-former-tags",
        title="The deletion of a manifest takes the tags that it had before they were moved.",
        breaks=("MGMT-MANIFEST-DELETE-OTHERS-KEPT",),
        apply=_former_digest_takes_tag,
    ),
    Fault(
        name="tag-not-moved-back",
        title="A tag that was moved cannot be moved back.",
        breaks=("PULL-CONSIST-TAG-MOVE",),
        also=("PUSH-MANIFEST-RETAG-MOVES",),
        apply=_tag_not_back,
    ),
    Fault(
        name="mounted-blob-delete-takes-source",
        title="The deletion of a mounted blob takes the one that it was mounted from.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        apply=_mount_takes_source,
    ),
    Fault(
        name="referrer-hidden-by-index",
        title="A referrer that an index lists is no longer listed as one.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_index_hides_referrers,
    ),
)
