"""Faults that depend on the algorithm of a digest."""

from __future__ import annotations

from collections.abc import Iterable

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.dimensions.shared import described
from reference.grammar import digest_of
from reference.modifications import Fault, override
from reference.storage import Manifest, Upload

_LONG = "sha512:"


def _subject_not_indexed(registry: Registry) -> None:
    """The index of subjects has room for the digests of sha256."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, None if subject is not None and subject.startswith(_LONG) else subject)

    override(registry.storage, put_manifest=changed)


def _known_bytes(registry: Registry) -> None:
    """What is known by its sha256 is not stored again, and so has no second digest."""
    commit = registry.storage.commit_upload

    def changed(upload: Upload, digests: Iterable[str]) -> None:
        listed = list(digests)
        known = registry.storage.has_blob(upload.repository, digest_of(bytes(getattr(upload, "data", b""))))
        kept = [digest for digest in listed if not (known and digest.startswith(_LONG))]
        commit(upload, kept)

    override(registry.storage, commit_upload=changed)


def _listed_by_sha256(manifest: Manifest, descriptor: Json) -> None:
    """The list computes digests from the content, as it always did."""
    descriptor["digest"] = digest_of(manifest.content)


FAULTS = (
    Fault(
        name="sha512-subject-without-referrers",
        title="A manifest whose subject is named by its sha512 is not listed as a referrer of that.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        apply=_subject_not_indexed,
    ),
    Fault(
        name="sha512-of-known-bytes-not-linked",
        title="A blob that the repository has by sha256 is accepted by sha512 too, and unknown by it.",
        breaks=("BASE-DIGEST-SHA512", "PUSH-PUT-BLOB-PULLABLE-AT-DIGEST"),
        apply=_known_bytes,
    ),
    Fault(
        name="sha512-referrer-listed-by-sha256",
        title="A referrer that was pushed by its sha512 is listed under its sha256, by which it is unknown.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS",),
        apply=described(_listed_by_sha256),
    ),
)
