"""Changes that several of these modules have in common."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Document, parse
from reference.modifications import override
from reference.storage import Manifest


def document_of(manifest: Manifest) -> Document:
    """A stored manifest, read."""
    return Document(manifest.media_type, parse(manifest.content))


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
