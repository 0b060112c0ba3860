"""What scenarios of referrers share: manifests with a subject."""

from __future__ import annotations

from typing import Any

from conformance.client.registry import OCI_INDEX, Repository
from conformance.content import Descriptor, Manifest, index
from conformance.discovery.lists import all_referrers
from conformance.given import Given
from conformance.settings import Settings

SUBJECT_ACCEPTED = "PUSH-MANIFEST-SUBJECT-ABSENT-ACCEPTED"
INDEX_ACCEPTED = "PUSH-MANIFEST-SUBJECT-INDEX-ABSENT-ACCEPTED"
CONFIG_TYPE = "application/vnd.example.config.v1+json"
SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"
ANNOTATIONS = {"org.example/key.with-signs": "ä, ö → ü", "empty": "", "org.opencontainers.image.title": "one"}


def refer(repo: Repository, given: Given, subject: Descriptor, tag: str | None = None, **members: Any) -> Manifest:
    """Push an image manifest that refers to a subject, by digest unless a tag is given."""
    manifest = given.unpushed_image([given.blob(repo, given.make.config())], subject=subject, **members)
    given.manifest(repo, manifest, tag, SUBJECT_ACCEPTED)
    return manifest


def refer_by_index(repo: Repository, given: Given, subject: Descriptor, child: Manifest, **members: Any) -> Manifest:
    """Push an index that refers to a subject."""
    manifest = Manifest.of(index([child.descriptor()], subject=subject, **members), OCI_INDEX)
    given.manifest(repo, manifest, None, INDEX_ACCEPTED)
    return manifest


def listed(repo: Repository, subject: str, settings: Settings, *wanted: Manifest) -> dict[str, dict[str, Any]]:
    """Return the descriptors of a subject's referrers by digest, as soon as those that are wanted are there."""
    found: dict[str, dict[str, Any]] = {}

    def there() -> bool:
        found.clear()
        found.update({str(entry.get("digest")): entry for entry in all_referrers(repo, subject)})
        return all(manifest.digest in found for manifest in wanted)

    settings.wait(there)
    return found
