"""Faults of manifests that show with sha512 digests."""

from __future__ import annotations

from reference.app import Registry
from reference.grammar import digest_of
from reference.messages import Request, Response
from reference.modifications import Fault, on, override
from reference.storage import Manifest

_SHA512 = "sha512:"
_HEX_OF_SHA256 = 64
_DIGITS = 64
_WIDTH = 128


def _subject_cut(_request: Request, response: Response) -> None:
    subject = response.headers.get("oci-subject")
    if subject.startswith(_SHA512):
        response.headers.set("OCI-Subject", subject[: len(_SHA512) + _HEX_OF_SHA256])


def _manifest_kept(registry: Registry) -> None:
    """The index of revisions is in sha256 alone."""
    remove = registry.manifests.remove

    def changed(name: str, digest: str) -> None:
        if digest.startswith(_SHA512):
            registry.manifests.remove_tags_of(name, digest)
        else:
            remove(name, digest)

    override(registry.manifests, remove=changed)


def _one_digest_for_content(registry: Registry) -> None:
    """There is one row for a content, with the digest that it was pushed by last."""
    put = registry.storage.put_manifest

    def changed(name: str, manifest: Manifest, subject: str | None) -> None:
        for algorithm in ("sha256", "sha512"):
            digest = digest_of(manifest.content, algorithm)
            if digest != manifest.digest and registry.storage.manifest(name, digest) is not None:
                registry.storage.delete_manifest(name, digest, subject)
        put(name, manifest, subject)

    override(registry.storage, put_manifest=changed)


def _sha256_in_location(request: Request, response: Response) -> None:
    """The algorithm in the Location is a constant."""
    if request.reference.startswith("sha512:"):
        location = response.headers.get("Location")
        response.headers.set("Location", location.replace("/sha512:", "/sha256:"))


def _location_cut(request: Request, response: Response) -> None:
    """The column of digests has room for the digits of a sha256."""
    algorithm, _, digits = request.reference.partition(":")
    if algorithm == "sha512":
        place = response.headers.get("Location").rpartition("/")[0]
        response.headers.set("Location", f"{place}/sha256:{digits[:_DIGITS]}")


def _sha512_anywhere(registry: Registry) -> None:
    """Manifests by sha512 are kept beside the repositories."""
    find = registry.storage.manifest

    def changed(name: str, digest: str) -> Manifest | None:
        found = find(name, digest)
        if found is not None or not digest.startswith("sha512:") or not registry.storage.exists(name):
            return found
        others = (find(other, digest) for other in registry.storage.repositories())
        return next((manifest for manifest in others if manifest is not None), None)

    override(registry.storage, manifest=changed)


def _sha512_location_cut(request: Request, response: Response) -> None:
    if request.reference.startswith("sha512:"):
        base = response.headers.get("location").rpartition("/")[0]
        response.headers.set("Location", f"{base}/{request.reference[:71]}")


def _narrow_subject(_request: Request, response: Response) -> None:
    subject = response.headers.get("OCI-Subject")
    if len(subject) > _WIDTH:
        response.headers.set("OCI-Subject", subject[:_WIDTH])


def _sha512_in_common(registry: Registry) -> None:
    """The table of digests that are not sha256 has no column for the repository."""
    find = registry.manifests.find

    def changed(name: str, reference: str) -> Manifest | None:
        found = find(name, reference)
        if found is None and reference.startswith("sha512:") and registry.storage.exists(name):
            others = (registry.storage.manifest(other, reference) for other in registry.storage.repositories())
            return next((other for other in others if other is not None), None)
        return found

    override(registry.manifests, find=changed)


FAULTS = (
    Fault(
        name="subject-of-sha512-cut",
        title="OCI-Subject of a subject by sha512 has the first half of its digits.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        apply=on("manifest.put", status=201, change=_subject_cut),
    ),
    Fault(
        name="manifest-by-sha512-not-deleted",
        title="The deletion of a manifest by sha512 returns 202 and takes its tags only.",
        breaks=("MGMT-MANIFEST-DELETE-GET-404", "MGMT-MANIFEST-DELETE-HEAD-404", "BASE-DIGEST-SHA512"),
        also=("MGMT-MANIFEST-DELETE-TWICE-404",),
        apply=_manifest_kept,
    ),
    Fault(
        name="manifest-lost-under-first-digest",
        title="A manifest that is pushed by another algorithm is unknown by the digest that it had.",
        breaks=("PULL-MANIFEST-SHA512",),
        also=(
            "BASE-DIGEST-SHA512",
            "PULL-MANIFEST-GET-DIGEST-200",
            "PULL-MANIFEST-GET-TAG-200",
            "PULL-MANIFEST-TAG-DIGEST-AGREE",
            "PUSH-MANIFEST-BY-TAG-PULLABLE",
            "PUSH-MANIFEST-KEPT",
        ),
        apply=_one_digest_for_content,
    ),
    Fault(
        name="sha512-manifest-located-by-sha256",
        title="The Location of a manifest pushed by sha512 has the name of the other algorithm in front of its digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("PULL-MANIFEST-SHA512",),
        apply=on("manifest.put", status=201, change=_sha256_in_location),
    ),
    Fault(
        name="location-of-sha512-manifest-cut",
        title="The Location of a manifest that was pushed by sha512 has the first half of its digits.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("PULL-MANIFEST-SHA512", "PUSH-MANIFEST-BY-DIGEST-PULLABLE"),
        apply=on("manifest.put", status=201, change=_location_cut),
    ),
    Fault(
        name="sha512-manifest-everywhere",
        title="A manifest is served under every repository by its sha512 digest.",
        breaks=("PULL-MANIFEST-OTHER-REPO-DIGEST-404",),
        also=(
            "PULL-MANIFEST-GET-UNKNOWN-404",
            "PULL-MANIFEST-HEAD-UNKNOWN-404",
            "MGMT-MANIFEST-DELETE-GET-404",
            "MGMT-MANIFEST-DELETE-HEAD-404",
            "MGMT-MANIFEST-DELETE-UNKNOWN-404",
        ),
        apply=_sha512_anywhere,
    ),
    Fault(
        name="sha512-location-cut",
        title="The Location of a manifest that was pushed by sha512 has half of the digest.",
        breaks=("PUSH-MANIFEST-LOCATION-PULLABLE",),
        also=("BASE-DIGEST-SHA512", "PULL-MANIFEST-SHA512"),
        apply=on("manifest.put", status=201, change=_sha512_location_cut),
    ),
    Fault(
        name="sha512-subject-short",
        title="OCI-Subject ends after 128 characters, and a subject by sha512 has more.",
        breaks=("PUSH-MANIFEST-OCI-SUBJECT-VALUE",),
        also=("PUSH-MANIFEST-OCI-SUBJECT-PRESENT", "PUSH-MANIFEST-OCI-SUBJECT-INDEX", "BASE-DIGEST-SHA512"),
        apply=on("manifest.put", status=201, change=_narrow_subject),
    ),
    Fault(
        name="sha512-manifest-of-any-repository",
        title="A manifest that was pushed by sha512 is served under every repository by that digest.",
        breaks=("PULL-MANIFEST-OTHER-REPO-DIGEST-404",),
        also=("PULL-MANIFEST-GET-UNKNOWN-404", "PULL-MANIFEST-HEAD-UNKNOWN-404", "MGMT-MANIFEST-DELETE-GET-404"),
        apply=_sha512_in_common,
    ),
)
