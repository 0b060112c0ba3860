"""Faults that depend on the algorithm of a digest."""

from __future__ import annotations

from collections.abc import Iterable

from reference.app import Registry
from reference.grammar import digest_of
from reference.modifications import Fault, override
from reference.storage import Upload

_LONG = "sha512:"


def _known_bytes(registry: Registry) -> None:
    """What is known by its sha256 is not stored again, and so has no second digest."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        listed = list(digests)
        known = registry.storage.has_blob(upload.repository, digest_of(bytes(getattr(upload, "data", b""))))
        kept = [digest for digest in listed if not (known and digest.startswith(_LONG))]
        commit(upload, kept)

    override(registry.storage, commit_upload=changed)


FAULTS = (
    Fault(
        name="sha512-of-known-bytes-not-linked",
        title="A blob that the repository has by sha256 is accepted by sha512 too, and unknown by it.",
        breaks=("BASE-DIGEST-SHA512", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_known_bytes,
    ),
)
