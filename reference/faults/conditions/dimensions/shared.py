"""Changes that several modules of these faults have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reference.app import Registry
from reference.documents import Json
from reference.messages import Content
from reference.modifications import Apply, override
from reference.storage import Manifest, Upload
from reference.storage.memory import MemoryContent

#: What is done with the data of an upload before it becomes a blob.
_Edit = Callable[[Upload, list[str], bytearray], None]
Key = tuple[str, str]


def before_commit(registry: Registry, edit: _Edit) -> None:
    """Look at the data of an upload, or change it, after it was verified and before it is stored."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        listed = list(digests)
        data = getattr(upload, "data", None)
        if isinstance(data, bytearray):
            edit(upload, listed, data)
        commit(upload, listed)

    override(registry.storage, commit_upload=changed)


def served_where(registry: Registry, other: dict[Key, bytes | None]) -> None:
    """Serve other bytes, or nothing, for some blobs by repository and digest; until they are deleted."""
    find, remove = registry.blobs.find, registry.blobs.remove

    def changed(name: str, digest: str) -> Content | None:
        found = find(name, digest)
        if found is None or (name, digest) not in other:
            return found
        content = other[name, digest]
        return MemoryContent(content) if content is not None else None

    def removed(name: str, digest: str) -> bool:
        other.pop((name, digest), None)
        return remove(name, digest)

    override(registry.blobs, find=changed, remove=removed)


def described(change: Callable[[Manifest, Json], None]) -> Apply:
    """Change the descriptors of referrers."""

    def apply(registry: Registry) -> None:
        describe = registry.referrers.describe

        def changed(manifest: Manifest) -> Json:
            descriptor = describe(manifest)
            change(manifest, descriptor)
            return descriptor

        override(registry.referrers, describe=changed)

    return apply


def is_by_tag(reference: str) -> bool:
    """Whether a manifest is named by a tag."""
    return ":" not in reference
