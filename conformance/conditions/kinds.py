"""Manifests of each kind, and what they are made of: one shelf of blobs and manifests in each repository."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Repository
from conformance.content import (
    EMPTY_TYPE,
    OCI_CONFIG,
    Blob,
    Descriptor,
    Maker,
    Manifest,
    digest_of,
    docker_image,
    docker_list,
    image,
    index,
)
from conformance.given import Given

NOT_FOUND = 404
ARTIFACT = "application/vnd.example.sbom.v1"
PLATFORM = {"architecture": "amd64", "os": "linux"}
LAYERS = 1000
#: Bytes of a manifest that every registry has to take are 4 MiB; this is a little less.
NEARLY = 4 * 1024 * 1024 - 4096
#: Kinds that a registry may convert for a client that does not name them.
DOCKER = frozenset({"docker-image", "docker-list"})
REFERRING = frozenset({"artifact", "index-subject", "subject-512"})


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest of a row: its bytes and type, and what a list of referrers has to say of it."""

    manifest: Manifest
    #: The digest by which it names its subject, empty where it has none.
    subject: str = ""
    artifact_type: str = ""
    annotations: dict[str, str] = field(default_factory=dict)


class Shelf:
    """What manifests of one repository are made of; pushed when it is first wanted."""

    def __init__(self, given: Given, repo: Repository) -> None:
        self._given = given
        self._repo = repo
        self._blobs: list[Blob] = []
        self._manifests: dict[str, Manifest] = {}

    @property
    def blobs(self) -> list[Blob]:
        """A configuration and a layer."""
        if not self._blobs:
            self._blobs = [self._given.blob(self._repo, self._given.make.config()), self._given.blob(self._repo)]
        return self._blobs

    def child(self, kind: str = "image") -> Manifest:
        """Return a manifest that others list: an image, a Docker image, or an index."""
        if kind not in self._manifests:
            config, layer = self.blobs
            made = {
                "image": lambda: Manifest.of(image(config.descriptor(OCI_CONFIG), [layer.descriptor()]), OCI_MANIFEST),
                "docker-image": lambda: Manifest.of(docker_image(config, [layer]), DOCKER_MANIFEST),
                "index": lambda: Manifest.of(index([self.child().descriptor(platform=PLATFORM)]), OCI_INDEX),
            }[kind]()
            self._given.manifest(self._repo, made, made.digest)
            self._manifests[kind] = made
        return self._manifests[kind]

    def collected(self) -> bool:
        """Tell whether something on the shelf is gone: what no manifest has any longer a registry may remove."""
        asked = [self._repo.head_blob(blob.digest) for blob in self._blobs]
        asked += [self._repo.head_manifest(made.digest, made.media_type) for made in self._manifests.values()]
        return any(answer.status == NOT_FOUND for answer in asked)

    def another(self, make: Maker) -> Manifest:
        """Return an image that is not pushed yet and like no other."""
        return self._image({"annotations": {"org.example.row": make.random.randbytes(8).hex()}})

    def _image(self, members: dict[str, Any], layers: int = 1) -> Manifest:
        config, layer = self.blobs
        document = image(config.descriptor(OCI_CONFIG), [layer.descriptor()] * layers, **members)
        return Manifest.of(document, OCI_MANIFEST)

    def make(self, kind: str, make: Maker) -> Made:
        """Return a manifest of a kind (a value of the dimension ``kind``), not pushed and like no other."""
        mark = make.random.randbytes(8).hex()
        annotations = {"org.example.row": mark, "org.example/sign": "ä → ü"}
        members: dict[str, Any] = {"annotations": annotations}
        if kind in DOCKER:
            return Made(self._docker(kind, mark))
        if kind in REFERRING:
            return self._referring(kind, members)
        if kind in {"index", "nested"}:
            child = self.child("image" if kind == "index" else "index")
            return Made(Manifest.of(index([child.descriptor(platform=PLATFORM)], **members), OCI_INDEX))
        if kind == "nameless":
            document = self._image(members).document
            del document["mediaType"]
            return Made(Manifest.of(document, OCI_MANIFEST))
        if kind == "large":
            members = {"annotations": {**annotations, "org.example.filler": "x" * NEARLY}}
        return Made(self._image(members, LAYERS if kind == "many" else 1))

    def _docker(self, kind: str, mark: str) -> Manifest:
        """Return a Docker manifest, which has no annotations: the white space behind it tells it from others."""
        config, layer = self.blobs
        if kind == "docker-image":
            document, media_type = docker_image(config, [layer]), DOCKER_MANIFEST
        else:
            child = self.child("docker-image")
            document, media_type = docker_list([child.descriptor(platform=PLATFORM)]), DOCKER_LIST
        space = "".join(" " if digit == "0" else "\n" for digit in f"{int(mark, 16):064b}")
        return Manifest.of(json.dumps(document, indent=1).encode() + space.encode(), media_type)

    def _referring(self, kind: str, members: dict[str, Any]) -> Made:
        child = self.child()
        subject: Descriptor = child.descriptor()
        if kind == "subject-512":
            subject["digest"] = digest_of(child.body, "sha512")
        members |= {"subject": subject, "artifactType": ARTIFACT}
        if kind == "index-subject":
            manifest = Manifest.of(index([child.descriptor(platform=PLATFORM)], **members), OCI_INDEX)
        else:
            config, layer = self.blobs
            document = image(config.descriptor(EMPTY_TYPE), [layer.descriptor()], **members)
            manifest = Manifest.of(document, OCI_MANIFEST)
        return Made(manifest, str(subject["digest"]), ARTIFACT, dict(members["annotations"]))
