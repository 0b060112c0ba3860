"""Faults of lists that show with sha512 digests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reference.app import Registry
from reference.documents import Json
from reference.faults.conditions.lists.shared import listed_tags
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_SHA512 = "sha512:"
#: The width of the column for the digest of a subject.
_SUBJECT = 128
_COLUMN = 71
_SUBJECT_COLUMN = len("sha256:") + 64


def _listed_by_sha256(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.digest.startswith(_SHA512):
            descriptor["digest"] = digest_of(manifest.content)
        return descriptor

    override(registry.referrers, describe=changed)


def _long_subject_cut(registry: Registry) -> None:
    """The digest of a subject is cut at the width of its column."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:_SUBJECT] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _sha512_listed(registry: Registry) -> None:
    """A reference that is no sha256 digest is taken for a tag."""
    pushed: dict[str, set[str]] = {}

    def noted(request: Request, _response: Response) -> None:
        if request.reference.startswith("sha512:"):
            pushed.setdefault(request.name, set()).add(request.reference)

    def more(name: str, tags: Sequence[str]) -> Sequence[str]:
        return [*tags, *(each for each in pushed.get(name, ()) if registry.storage.manifest(name, each) is not None)]

    on("manifest.put", status=201, change=noted)(registry)
    listed_tags(registry, more)


def _sha512_subject(registry: Registry) -> None:
    """The column of the subject has room for a sha256 digest."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:71] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _sha512_referrer_listed_by_sha256(registry: Registry) -> None:
    """The digest of a referrer is computed anew, with the usual algorithm."""
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        return {**describe(manifest), "digest": digest_of(manifest.content)}

    override(registry.referrers, describe=changed)


def _subject_cut(registry: Registry) -> None:
    """Note the subject in a column that a sha256 digest fills."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject[:_COLUMN] if subject is not None else None)

    override(registry.storage, put_manifest=changed)


def _subjects_by_sha256(registry: Registry) -> None:
    """The table of subjects has room for digests of one length."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, None if subject and subject.startswith("sha512:") else subject)

    override(registry.storage, put_manifest=changed)


def _subjects_of_sha256(registry: Registry) -> None:
    """The digest of a subject is matched with a pattern for sha256."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject if subject and re.fullmatch("sha256:[0-9a-f]{64}", subject) else None)

    override(registry.storage, put_manifest=changed)


def _subject_in_column(registry: Registry) -> None:
    """The column of subjects has the length of a sha256 digest."""
    put, delete = registry.storage.put_manifest, registry.storage.delete_manifest

    def stored(name: str, manifest: Manifest, subject: str | None) -> None:
        put(name, manifest, subject and subject[:_SUBJECT_COLUMN])

    def deleted(name: str, digest: str, subject: str | None) -> None:
        delete(name, digest, subject and subject[:_SUBJECT_COLUMN])

    override(registry.storage, put_manifest=stored, delete_manifest=deleted)


FAULTS = (
    Fault(
        name="referrer-by-sha512-listed-by-sha256",
        title="A referrer that was pushed by sha512 is listed with its sha256, by which it is unknown.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS", "DISC-REFERRERS-COMPLETE", "BASE-DIGEST-SHA512"),
        apply=_listed_by_sha256,
    ),
    Fault(
        name="referrers-of-sha512-unlisted",
        title="A manifest whose subject is named by sha512 is in no list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT"),
        apply=_long_subject_cut,
    ),
    Fault(
        name="sha512-digest-listed-as-tag",
        title="A manifest that was pushed by its sha512 digest is listed as a tag.",
        breaks=("DISC-TAGS-DIGEST-NOT-LISTED",),
        also=(
            "PUSH-MANIFEST-BY-DIGEST-NO-TAG",
            "DISC-TAGS-EMPTY-REPO-200",
            "DISC-TAGS-BODY-ARRAY",
            "DISC-TAGS-LINK-WALK-COMPLETE",
        ),
        apply=_sha512_listed,
    ),
    Fault(
        name="subject-by-sha512-cut",
        title="A manifest whose subject is named by sha512 is in no list of referrers.",
        breaks=("DISC-REFERRERS-COMPLETE", "DISC-REFERRERS-COMPLETE-INDEX"),
        also=("DISC-REFERRERS-BEFORE-SUBJECT", "DISC-REFERRERS-STATUS-200"),
        apply=_sha512_subject,
    ),
    Fault(
        name="sha512-referrer-listed-by-sha256",
        title="A referrer that was pushed by sha512 is listed by a sha256 digest under which it is unknown.",
        breaks=("DISC-REFERRERS-DESCRIPTOR-FIELDS", "DISC-REFERRERS-COMPLETE"),
        also=("DISC-REFERRERS-COMPLETE-INDEX",),
        apply=_sha512_referrer_listed_by_sha256,
    ),
    Fault(
        name="referrers-of-sha512-lost",
        title="The referrers of a subject by sha512 are not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT", "DISC-REFERRERS-ONLY-MATCHING-SUBJECT"),
        apply=_subject_cut,
    ),
    Fault(
        name="referrers-of-sha512-subject-unlisted",
        title="The referrers of a subject that is named by sha512 are not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT"),
        apply=_subjects_by_sha256,
    ),
    Fault(
        name="sha512-subject-without-referrers",
        title="A manifest whose subject has a sha512 digest is not listed as a referrer.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=(
            "DISC-REFERRERS-COMPLETE-INDEX",
            "DISC-REFERRERS-BEFORE-SUBJECT",
            "DISC-REFERRERS-STATUS-200",
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
        ),
        apply=_subjects_of_sha256,
    ),
    Fault(
        name="sha512-subject-referrers-lost",
        title="A manifest whose subject has a sha512 digest is not listed.",
        breaks=("DISC-REFERRERS-COMPLETE",),
        also=("DISC-REFERRERS-COMPLETE-INDEX", "DISC-REFERRERS-BEFORE-SUBJECT", "BASE-DIGEST-SHA512"),
        apply=_subject_in_column,
    ),
)
