"""Faults of mounted blobs."""

from __future__ import annotations

from collections.abc import Iterable

from reference.app import Registry
from reference.messages import Content, Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Upload


def _second_mount(registry: Registry) -> None:
    """What is itself mounted is not found when it is mounted from there."""
    mounts: set[tuple[str, str]] = set()
    mounted, commit = registry.uploads.mounted, registry.storage.commit_upload

    def changed(source: str | None, name: str, digest: str) -> bool:
        if (source, digest) in mounts:
            return registry.storage.has_blob(source or "", digest)
        done = mounted(source, name, digest)
        if done:
            mounts.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        mounts.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    override(registry.uploads, mounted=changed)
    override(registry.storage, commit_upload=committed)


def _tombstone_over_mount(registry: Registry) -> None:
    """The mark of a deletion is taken away by an upload, and not by a mount."""
    gone: set[tuple[str, str]] = set()
    find, delete, commit = registry.blobs.find, registry.storage.delete_blob, registry.storage.commit_upload

    def deleted(name: str, digest: str) -> bool:
        if not delete(name, digest):
            return False
        gone.add((name, digest))
        return True

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        gone.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def changed(name: str, digest: str) -> Content | None:
        return None if (name, digest) in gone else find(name, digest)

    override(registry.storage, delete_blob=deleted, commit_upload=committed)
    override(registry.blobs, find=changed)


def _nothing_to_mount(registry: Registry) -> None:
    """A blob of length 0 is taken for one that needs no link."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        content = registry.storage.open_blob(source, digest)
        if content is None:
            return False
        content.close()
        return mount(source, name, digest) if content.size else True

    override(registry.storage, mount_blob=changed)


def _empty_not_mounted(registry: Registry) -> None:
    """Content of no bytes is taken for nothing that needs a link."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        content = registry.storage.open_blob(source, digest)
        return content.size == 0 or mount(source, name, digest) if content is not None else False

    override(registry.storage, mount_blob=changed)


def _mounts_are_links(registry: Registry) -> None:
    """A mounted blob is a link to the repository that it is from."""
    links: dict[tuple[str, str], str] = {}
    mount, remove, commit = registry.storage.mount_blob, registry.blobs.remove, registry.storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        held = registry.storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not held:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        commit(upload, kept := [*digests])
        for digest in kept:
            links.pop((upload.repository, digest), None)

    def changed(name: str, digest: str) -> bool:
        for target in [key[0] for key, source in links.items() if source == name and key[1] == digest]:
            del links[target, digest]
            registry.storage.delete_blob(target, digest)
        return remove(name, digest)

    override(registry.storage, mount_blob=mounted, commit_upload=committed)
    override(registry.blobs, remove=changed)


def _mounted_blob_is_a_link(registry: Registry) -> None:
    """A mounted blob is a link to the repository that it was mounted from."""
    links: dict[tuple[str, str], str] = {}
    storage = registry.storage
    mount, find, has, commit = storage.mount_blob, storage.open_blob, storage.has_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        there = has(name, digest)
        done = mount(source, name, digest)
        if done and not there and source != name:
            links[name, digest] = source
        return done

    def dangling(name: str, digest: str) -> bool:
        source = links.get((name, digest))
        return source is not None and not has(source, digest)

    def committed(upload: Upload, digests: list[str]) -> None:
        commit(upload, digests)
        for digest in digests:
            links.pop((upload.repository, digest), None)

    override(
        storage,
        mount_blob=mounted,
        commit_upload=committed,
        open_blob=lambda name, digest: None if dangling(name, digest) else find(name, digest),
        has_blob=lambda name, digest: has(name, digest) and not dangling(name, digest),
    )


def _mounted_without_size(registry: Registry) -> None:
    """The row of a mount has no size."""
    mounted: set[tuple[str, str]] = set()
    mount, commit = registry.storage.mount_blob, registry.storage.commit_upload

    def mounting(source: str, name: str, digest: str) -> bool:
        here = registry.storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not here:
            mounted.add((name, digest))
        return done

    def committing(upload: Upload, digests: Iterable[str]) -> None:
        kept = tuple(digests)
        commit(upload, kept)
        mounted.difference_update((upload.repository, digest) for digest in kept)

    def changed(request: Request, response: Response) -> None:
        if (request.name, request.reference) in mounted:
            response.headers.set("Content-Length", "0")

    override(registry.storage, mount_blob=mounting, commit_upload=committing)
    on("blob.head", status=200, change=changed)(registry)


def _one_link(registry: Registry) -> None:
    """A mount notes where the blob is, and a pull looks there, and no further."""
    links: dict[tuple[str, str], str] = {}
    storage, find = registry.storage, registry.blobs.find
    mount, commit, delete = storage.mount_blob, storage.commit_upload, storage.delete_blob

    def mounted(source: str, name: str, digest: str) -> bool:
        held = storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not held:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        for digest in digests:
            links.pop((upload.repository, digest), None)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        links.pop((name, digest), None)
        return delete(name, digest)

    def changed(name: str, digest: str) -> Content | None:
        source = links.get((name, digest))
        return None if source is not None and (source, digest) in links else find(name, digest)

    override(storage, mount_blob=mounted, commit_upload=committed, delete_blob=deleted)
    override(registry.blobs, find=changed)


def _mount_outlives(registry: Registry) -> None:
    """What a repository does not hold is looked for where it was mounted from once."""
    sources: dict[tuple[str, str], str] = {}
    mount, has = registry.storage.mount_blob, registry.storage.has_blob

    def mounted(source: str, name: str, digest: str) -> bool:
        done = mount(source, name, digest)
        if done and source != name:
            sources[name, digest] = source
        return done

    def changed(name: str, digest: str) -> bool:
        source = sources.get((name, digest))
        return has(name, digest) or (source is not None and has(source, digest))

    override(registry.storage, mount_blob=mounted, has_blob=changed)


def _empty_blob_not_mounted(registry: Registry) -> None:
    """Where there are no bytes there is nothing to do."""
    mount = registry.storage.mount_blob

    def changed(source: str, name: str, digest: str) -> bool:
        size = registry.uploads.size(source, digest)
        return size == 0 or mount(source, name, digest)

    override(registry.storage, mount_blob=changed)


def _links(registry: Registry) -> None:
    """A mount is a link to the repository that the blob came from."""
    links: dict[tuple[str, str], str] = {}
    storage = registry.storage
    mount, delete, commit = storage.mount_blob, storage.delete_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        new = not storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and new:
            links[name, digest] = source
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = [*digests]
        for digest in digests:
            links.pop((upload.repository, digest), None)
        commit(upload, digests)

    def deleted(name: str, digest: str) -> bool:
        links.pop((name, digest), None)
        done = delete(name, digest)
        for target in [target for (target, linked), source in links.items() if (linked, source) == (digest, name)]:
            deleted(target, digest)
        return done

    override(storage, mount_blob=mounted, delete_blob=deleted, commit_upload=committed)


def _mount_without_size(registry: Registry) -> None:
    """A mount makes an entry without the size, which is all that HEAD reads."""
    bare: set[tuple[str, str]] = set()
    storage = registry.storage
    mount, commit = storage.mount_blob, storage.commit_upload

    def mounted(source: str, name: str, digest: str) -> bool:
        known = storage.has_blob(name, digest)
        done = mount(source, name, digest)
        if done and not known:
            bare.add((name, digest))
        return done

    def committed(upload: Upload, digests: Iterable[str]) -> None:
        digests = list(digests)
        bare.difference_update((upload.repository, digest) for digest in digests)
        commit(upload, digests)

    def sized(request: Request, response: Response) -> None:
        if (request.name, request.reference) in bare:
            response.headers.set("Content-Length", "0")

    override(storage, mount_blob=mounted, commit_upload=committed)
    on("blob.head", status=200, change=sized)(registry)


FAULTS = (
    Fault(
        name="mount-of-a-mount-lost",
        title="The mount of a blob that was itself mounted returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=_second_mount,
    ),
    Fault(
        name="mount-of-deleted-blob-lost",
        title="A blob that was deleted and is mounted again stays unknown, though the mount gets 201.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "MGMT-BLOB-DELETE-REUPLOAD"),
        apply=_tombstone_over_mount,
    ),
    Fault(
        name="empty-blob-mounted-and-absent",
        title="The mount of a blob of zero bytes returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_nothing_to_mount,
    ),
    Fault(
        name="empty-blob-mount-lost",
        title="The mount of a blob of no bytes returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "PULL-BLOB-GET-EMPTY"),
        apply=_empty_not_mounted,
    ),
    Fault(
        name="mounted-blob-goes-with-its-source",
        title="A blob that was mounted is gone once the one that it was mounted from is deleted.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_mounts_are_links,
    ),
    Fault(
        name="mounted-blob-is-a-link",
        title="A blob that was mounted is unknown once it is deleted where it was mounted from.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE", "PUSH-BLOB-KEPT"),
        apply=_mounted_blob_is_a_link,
    ),
    Fault(
        name="mounted-head-empty",
        title="HEAD of a blob that was mounted has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-CONCURRENT-MOUNT-AVAILABLE"),
        apply=_mounted_without_size,
    ),
    Fault(
        name="mount-of-a-mounted-blob-lost",
        title="A blob that is mounted from where it was mounted itself is unknown.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE",),
        apply=_one_link,
    ),
    Fault(
        name="mount-outlives-deletion",
        title="A blob that was mounted is still served when it was deleted.",
        breaks=("MGMT-BLOB-DELETE-GET-404",),
        also=(
            "MGMT-BLOB-DELETE-HEAD-404",
            "MGMT-BLOB-DELETE-TWICE-404",
            "PULL-BLOB-GET-UNKNOWN-404",
            "PULL-BLOB-OTHER-REPO-404",
            "PULL-BLOB-HEAD-OTHER-REPO-404",
        ),
        apply=_mount_outlives,
    ),
    Fault(
        name="empty-blob-not-mounted",
        title="The mount of an empty blob returns 201, and the blob is not there.",
        breaks=("PUSH-MOUNT-BLOB-AVAILABLE",),
        also=("PUSH-MOUNT-LOCATION-PULLABLE", "PULL-BLOB-GET-EMPTY", "PULL-BLOB-GET-200"),
        apply=_empty_blob_not_mounted,
    ),
    Fault(
        name="mount-is-a-link",
        title="A mounted blob is gone once it is deleted in the repository that it came from.",
        breaks=("MGMT-BLOB-DELETE-OTHER-REPO-KEPT",),
        also=("PUSH-BLOB-KEPT", "PUSH-MOUNT-BLOB-AVAILABLE", "PULL-BLOB-GET-200", "PULL-BLOB-HEAD-200"),
        apply=_links,
    ),
    Fault(
        name="mounted-blob-without-size",
        title="The HEAD of a blob that was mounted has Content-Length: 0.",
        breaks=("PULL-BLOB-HEAD-CONTENT-LENGTH-TRUE",),
        also=("PULL-BLOB-HEAD-GET-AGREE", "PUSH-MOUNT-BLOB-AVAILABLE", "PUSH-MOUNT-LOCATION-PULLABLE"),
        apply=_mount_without_size,
    ),
)
