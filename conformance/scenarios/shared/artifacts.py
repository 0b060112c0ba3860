"""What scenarios of referrers share: manifests with a subject."""

from __future__ import annotations

from typing import Any

from conformance.client.registry import OCI_INDEX, Repository
from conformance.settings import Settings
from conformance.target.content import Descriptor, Manifest, index
from conformance.target.lists import all_referrers
from conformance.target.setup import SetUp
from conformance.verdict.judge import Undecided

CREATED = 201
CONFIG_TYPE = "application/vnd.example.config.v1+json"
SBOM = "application/vnd.example.SBOM_a.v1"
#: It fits the other one, where that is taken for a pattern.
LIKE_SBOM = "application/vnd.example.SBOMxa.v1"
SIGNATURE = "application/vnd.example.signature.v1"
ANNOTATIONS = {
    "org.example/key.with-signs": "ä, ö → ü",
    "org.example.camelCase": "a",
    "empty": "",
    "org.opencontainers.image.title": "one",
    # What a format of data, or a language, takes for something else than a text.
    "org.opencontainers.image.created": "2020-02-29T23:59:59.50+02:00",
    "org.example.number": "007.10",
    "org.example.power": "1E+3",
    "org.example.truth": "true",
    "org.example.nothing": "null",
}


def refer(repo: Repository, setup: SetUp, subject: Descriptor, tag: str | None = None, **members: Any) -> Manifest:
    """Push a unique image manifest with a subject, by digest unless a tag is given."""
    members.setdefault("annotations", {"org.example.number": setup.make.tag()})
    manifest = setup.unpushed_image([setup.blob_there(repo)], subject=subject, **members)
    _push(repo, manifest, tag)
    return manifest


def refer_by_index(repo: Repository, subject: Descriptor, child: Manifest, **members: Any) -> Manifest:
    """Push an index that refers to a subject."""
    manifest = Manifest.of(index([child.descriptor()], subject=subject, **members), OCI_INDEX)
    _push(repo, manifest)
    return manifest


def _push(repo: Repository, manifest: Manifest, tag: str | None = None) -> None:
    """Push a manifest; a refusal decides nothing, as it has many optional members."""
    answer = repo.put_manifest(tag or manifest.digest, manifest.body, manifest.media_type)
    if answer.status != CREATED:
        raise Undecided(f"the push of a manifest with a subject was answered {answer.status}", answer)


def listed(repo: Repository, subject: str, settings: Settings, *wanted: Manifest) -> dict[str, dict[str, Any]]:
    """Return a subject's referrers by digest, when the wanted ones are there."""
    found: dict[str, dict[str, Any]] = {}

    def there() -> bool:
        found.clear()
        found.update({str(entry.get("digest")): entry for entry in all_referrers(repo, subject)})
        return all(manifest.digest in found for manifest in wanted)

    settings.wait(there)
    return found
