"""Content to push: blobs, image manifests and indexes, as bytes with their digests."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any

from conformance.client.registry import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

#: Every manifest type the suite pushes, for pulls that test something else than negotiation. One
#: field with the type of most of them first: what a target makes of several fields, or of what
#: stands behind a comma, is no matter there.
ANY_MANIFEST = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)

_IMAGES = (OCI_MANIFEST, DOCKER_MANIFEST)

#: A descriptor (image-spec, descriptor.md) as a JSON object.
Descriptor = dict[str, Any]
#: What an image runs on, as most entries of an index say.
PLATFORM: Descriptor = {"architecture": "amd64", "os": "linux"}


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of some bytes, with its algorithm."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob and its digest."""

    content: bytes
    digest: str

    @classmethod
    def of(cls, content: bytes) -> Blob:
        """Wrap some bytes."""
        return cls(content, digest_of(content))

    def descriptor(self, media_type: str = OCI_LAYER, **members: Any) -> Descriptor:
        """Return the descriptor of the blob."""
        return {"mediaType": media_type, "digest": self.digest, "size": len(self.content), **members}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as bytes, with its type, its digest, its tag, and the blobs that it names."""

    body: bytes
    media_type: str
    digest: str
    tag: str | None = None
    blobs: tuple[Blob, ...] = ()

    @classmethod
    def of(cls, document: dict[str, Any] | bytes, media_type: str, blobs: tuple[Blob, ...] = ()) -> Manifest:
        """Make a manifest of a JSON document, or of bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document, indent=1).encode()
        return cls(body, media_type, digest_of(body), None, blobs)

    @property
    def document(self) -> dict[str, Any]:
        """The manifest as JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def descriptor(self, **members: Any) -> Descriptor:
        """Return the descriptor of the manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body), **members}


def image(
    config: Descriptor, layers: list[Descriptor], *, media_type: str = OCI_MANIFEST, **members: Any
) -> dict[str, Any]:
    """Return an image manifest; ``members`` (subject, annotations, artifactType) are added."""
    return {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers, **members}


def index(
    manifests: list[Descriptor],
    *,
    media_type: str = OCI_INDEX,
    platform: Descriptor | None = PLATFORM,
    **members: Any,
) -> dict[str, Any]:
    """Return an image index or, by its media type, a manifest list; images get a platform."""
    listed = [
        {**m, "platform": platform} if platform and m["mediaType"] in _IMAGES and "platform" not in m else m
        for m in manifests
    ]
    return {"schemaVersion": 2, "mediaType": media_type, "manifests": listed, **members}


def docker_image(config: Blob, layers: list[Blob]) -> dict[str, Any]:
    """Return a Docker schema 2 image manifest."""
    return image(
        config.descriptor(DOCKER_CONFIG), [b.descriptor(DOCKER_LAYER) for b in layers], media_type=DOCKER_MANIFEST
    )


def docker_list(manifests: list[Descriptor]) -> dict[str, Any]:
    """Return a Docker manifest list; each descriptor needs a ``platform``."""
    return index(manifests, media_type=DOCKER_LIST)


class Maker:
    """Makes content that no other scenario has, the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # test content, not secrets
        self._count = 0

    def bytes(self, size: int = 64) -> bytes:
        """Return that many random bytes."""
        return self.random.randbytes(size)

    def blob(self, size: int = 64) -> Blob:
        """Return a blob of random bytes."""
        return Blob.of(self.bytes(size))

    def config(self) -> Blob:
        """Return a small image configuration that is unique."""
        document = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"conformance": self.random.randbytes(8).hex()}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        return Blob.of(json.dumps(document).encode())

    def tag(self) -> str:
        """Return a tag that no other scenario uses."""
        self._count += 1
        return f"t{self._count}-{self.random.randbytes(4).hex()}"

    def digest(self) -> str:
        """Return the digest of content that nobody has."""
        return "sha256:" + self.random.randbytes(32).hex()
