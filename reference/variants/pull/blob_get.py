"""Variants of GET of blobs."""

from __future__ import annotations

from reference.app import Registry
from reference.modifications import Variant, on, override, set_header

_BLOBS = ("blob.get", "blob.head")


def _shared(registry: Registry) -> None:
    """A blob of any repository is found in each."""
    storage = registry.storage
    has, open_blob = storage.has_blob, storage.open_blob

    def holder(digest: str) -> str | None:
        return next((name for name in storage.repositories() if has(name, digest)), None)

    def opened(_name: str, digest: str) -> object:
        where = holder(digest)
        return open_blob(where, digest) if where is not None else None

    override(registry.blobs, find=opened)


VARIANTS = (
    Variant(
        name="blob-type-of-store",
        title="Blobs are labelled binary/octet-stream.",
        latitude=("REDIRECT-HEADER-PLACE",),
        warns=("PULL-BLOB-GET-CONTENT-TYPE",),
        apply=on(*_BLOBS, status=200, change=set_header("Content-Type", "binary/octet-stream")),
    ),
    Variant(
        name="blobs-registry-wide",
        title="A blob of any repository can be pulled from each.",
        latitude=("BLOB-REGISTRY-WIDE",),
        profiles=("docker-v2", "oci-1.0"),
        warns=("PULL-BLOB-OTHER-REPO-404",),
        apply=_shared,
    ),
)
