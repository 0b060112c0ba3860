"""Changes that several of these modules have in common."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.documents import Document, parse
from reference.modifications import Apply, override
from reference.storage import Manifest


def document_of(manifest: Manifest) -> Document:
    """A stored manifest, read."""
    return Document(manifest.media_type, parse(manifest.content))


def tags_left(left: Callable[[str, list[str]], list[str]]) -> Apply:
    """Leave some tags of a manifest that is deleted by digest, by its digest and its tags in order."""

    def apply(registry: Registry) -> None:
        gone: set[tuple[str, str]] = set()
        manifests, storage = registry.manifests, registry.storage
        remove, resolve, put = manifests.remove, manifests.resolve, storage.put_manifest

        def removed(name: str, digest: str) -> None:
            tags = sorted(storage.tags_of(name, digest))
            kept = left(digest, tags)
            if not kept:
                remove(name, digest)
                return
            gone.add((name, digest))
            for tag in tags:
                if tag not in kept:
                    storage.delete_tag(name, tag)

        def resolved(name: str, reference: str) -> str | None:
            return None if (name, reference) in gone else resolve(name, reference)

        def stored(name: str, manifest: Manifest, subject: str | None) -> None:
            gone.discard((name, manifest.digest))
            put(name, manifest, subject)

        override(manifests, remove=removed, resolve=resolved)
        override(storage, put_manifest=stored)

    return apply


def unlisted_referrers(registry: Registry) -> set[tuple[str, str]]:
    """The repositories and digests of referrers that are not listed; it may be filled later."""
    hidden: set[tuple[str, str]] = set()
    storage = registry.storage
    referrers, put = storage.referrers, storage.put_manifest

    def listed(name: str, subject: str) -> list[str]:
        return [digest for digest in referrers(name, subject) if (name, digest) not in hidden]

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        hidden.discard((name, manifest.digest))
        put(name, manifest, subject)

    override(storage, referrers=listed, put_manifest=stored)
    return hidden
