"""Fill a storage with what others pushed: repositories, tags of one of them, referrers of one manifest.

Nothing goes over HTTP: a hundred thousand pushes would take minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reference.storage import Manifest, Storage

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_ARTIFACT = "application/vnd.example.sbom.v1+json"
#: The repository with many tags, and the one with many referrers of its image ``subject``; both are of others.
TAGGED, REFERRED = "others/tagged", "others/referred"
#: The tag of the image that is referred to, and of one of those that refer to it.
SUBJECT, REFERRER = "subject", "referrer"
#: The empty JSON document, which is the config and the layer of each image here.
EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is."""

    repositories: int = 100_000
    tags: int = 100_000
    referrers: int = 10_000


def digest_of(content: bytes) -> str:
    """Return the sha256 digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def names(count: int) -> Iterator[str]:
    """Give names of repositories: before and behind those of a run, and, of each twenty, one of an earlier run."""
    for number in range(count):
        if number % 20:
            yield f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}-team/app-{number:06d}"
        else:
            yield f"conformance/{hashlib.sha256(str(number).encode()).hexdigest()[:6]}-run-{number}"


def tags(count: int) -> Iterator[str]:
    """Give tags as a pipeline makes them."""
    return (f"build-{number:06d}" for number in range(count))


def image(subject: dict[str, object] | None = None, note: str = "") -> Manifest:
    """Return an image of nothing but the empty document, or an artifact that refers to a subject."""
    part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(EMPTY), "size": len(EMPTY)}
    document: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": part, "layers": [part]}
    if subject is not None:
        document |= {"artifactType": OCI_ARTIFACT, "subject": subject, "annotations": {"org.example.number": note}}
    body = json.dumps(document).encode()
    return Manifest(digest_of(body), OCI_MANIFEST, body)


def descriptor(manifest: Manifest) -> dict[str, object]:
    """Return what refers to a manifest."""
    return {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.content)}


def fill(storage: Storage, amount: Amount) -> None:
    """Fill the storage of a reference that is not serving yet."""
    subject = image()
    for name in (*names(amount.repositories), TAGGED, REFERRED):
        storage.put_manifest(name, subject, None)
    for tag in (*tags(amount.tags), "latest"):
        storage.set_tag(TAGGED, tag, subject.digest)
    storage.set_tag(REFERRED, SUBJECT, subject.digest)
    for number in range(amount.referrers):
        artifact = image(descriptor(subject), str(number))
        storage.put_manifest(REFERRED, artifact, subject.digest)
        if not number:
            storage.set_tag(REFERRED, REFERRER, artifact.digest)
    upload_empty(storage, TAGGED, REFERRED)


def upload_empty(storage: Storage, *repositories: str) -> None:
    """Put the one blob of all images into repositories."""
    for name in repositories:
        upload = storage.start_upload(name)
        upload._store(EMPTY)
        storage.commit_upload(upload, [digest_of(EMPTY)])


def fill_original(root: Path, amount: Amount) -> None:
    """Fill the folder of the filesystem storage of the original registry: as much of its layout as its lists read.

    It has no lists of referrers.
    """
    content = root / "docker" / "registry" / "v2"
    for name in names(amount.repositories):
        (content / "repositories" / name / "_layers").mkdir(parents=True)
    subject = image()
    artifact = image(descriptor(subject), "0")
    for data in (subject.content, artifact.content, EMPTY):
        encoded = digest_of(data).partition(":")[2]
        (folder := content / "blobs" / "sha256" / encoded[:2] / encoded).mkdir(parents=True)
        (folder / "data").write_bytes(data)
    _original(content / "repositories" / TAGGED, dict.fromkeys((*tags(amount.tags), "latest"), subject.digest))
    _original(content / "repositories" / REFERRED, {SUBJECT: subject.digest, REFERRER: artifact.digest})


def _original(repository: Path, tagged: dict[str, str]) -> None:
    """Link a repository's blob, its manifests, and its tags, in the original's layout."""
    _link(repository / "_layers" / "sha256" / digest_of(EMPTY).partition(":")[2], digest_of(EMPTY))
    for digest in set(tagged.values()):
        _link(repository / "_manifests" / "revisions" / "sha256" / digest.partition(":")[2], digest)
    for tag, digest in tagged.items():
        _link(repository / "_manifests" / "tags" / tag / "current", digest)


def _link(folder: Path, digest: str) -> None:
    folder.mkdir(parents=True)
    (folder / "link").write_text(digest)
