"""Faults that show with sha512 on one route only."""

from __future__ import annotations

from reference.app import Registry
from reference.documents import Json
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_SHA512 = "sha512:"
_HEX_OF_SHA256 = 64


def _mount_lost(registry: Registry) -> None:
    mounted = registry.uploads.mounted

    def changed(source: str | None, name: str, digest: str) -> bool:
        if digest.startswith(_SHA512):
            return registry.storage.has_blob(source or "", digest)
        return mounted(source, name, digest)

    override(registry.uploads, mounted=changed)


def _subject_cut(_request: Request, response: Response) -> None:
    subject = response.headers.get("oci-subject")
    if subject.startswith(_SHA512):
        response.headers.set("OCI-Subject", subject[: len(_SHA512) + _HEX_OF_SHA256])


def _listed_by_sha256(registry: Registry) -> None:
    describe = registry.referrers.describe

    def changed(manifest: Manifest) -> Json:
        descriptor = describe(manifest)
        if manifest.digest.startswith(_SHA512):
            descriptor["digest"] = digest_of(manifest.content)
        return descriptor

    override(registry.referrers, describe=changed)


def _manifest_kept(registry: Registry) -> None:
    """The index of revisions is in sha256 alone."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        if digest.startswith(_SHA512):
            registry.manifests.remove_tags_of(name, digest)
        else:
            remove(name, digest)

    override(registry.manifests, remove=changed)


FAULTS = (
    Fault(
        name="mount-by-sha512-lost",
        title="A mount by sha512 is answered 201, and the blob is not there.",
        breaks=(
            "PUSH-MOUNT-BLOB-AVAILABLE",
            "PUSH-MOUNT-LOCATION-PULLABLE",
            "BASE-DIGEST-SHA512",
        ),
        apply=_mount_lost,
    ),
    Fault(
        name="subject-of-sha512-cut",
        title="OCI-Subject of a subject by sha512 has the first half of its digits.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=on("manifest.put", status=201, change=_subject_cut),
    ),
    Fault(
        name="referrer-by-sha512-listed-by-sha256",
        title="A referrer that was pushed by sha512 is listed with its sha256, by which it is unknown.",
        breaks=(
            "DISC-REFERRERS-DESCRIPTOR-FIELDS",
            "DISC-REFERRERS-COMPLETE",
            "BASE-DIGEST-SHA512",
        ),
        apply=_listed_by_sha256,
    ),
    Fault(
        name="manifest-by-sha512-not-deleted",
        title="The deletion of a manifest by sha512 is answered 202 and takes its tags only.",
        breaks=(
            "MGMT-MANIFEST-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "BASE-DIGEST-SHA512",
        ),
        also=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=_manifest_kept,
    ),
)
