"""Images as OCI layouts, made here byte by byte, and what a layout holds."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_WHEN = "2020-01-01T00:00:00Z"


class Layout:
    """An OCI image layout that is being written.

    Args:
        folder: where it is written.
        seed: the same seed gives the same bytes.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self._random = random.Random(seed)
        self._tagged: list[dict[str, Any]] = []
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        """Write a blob and return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs" / "sha256" / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    def image(self, *, layers: int = 3, size: int = 4096, architecture: str = "amd64") -> dict[str, Any]:
        """Write an image with random layers of ``size`` bytes; return the manifest's descriptor."""
        descriptors, diffs = [], []
        for number in range(layers):
            tar = _tar(f"{architecture}/file-{number}", self._random.randbytes(size))
            diffs.append("sha256:" + hashlib.sha256(tar).hexdigest())
            descriptors.append(self.blob(gzip.compress(tar, mtime=0), LAYER))
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": _WHEN,
            "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": diffs},
            "history": [{"created": _WHEN, "created_by": f"layer {number}"} for number in range(layers)],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(_json(config), CONFIG),
            "layers": descriptors,
            # Neither sorted nor without blanks: a registry that writes it anew changes the digest.
            "annotations": {"z": "last  first", "a": "é"},
        }
        return self.blob(_json(manifest, indent=3), MANIFEST)

    def index(self, architectures: tuple[str, ...]) -> dict[str, Any]:
        """Write an image per architecture and an index of them; return the index's descriptor."""
        manifests = []
        for architecture in architectures:
            image = self.image(layers=2, architecture=architecture)
            manifests.append({**image, "platform": {"architecture": architecture, "os": "linux"}})
        return self.blob(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}, indent=3), INDEX)

    def tag(self, descriptor: dict[str, Any], name: str) -> str:
        """Give a descriptor a name in the layout; return the reference for skopeo."""
        self._tagged.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})
        (self.folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": self._tagged}))
        return f"oci:{self.folder}:{name}"


def blobs(folder: Path) -> dict[str, bytes]:
    """The content of a layout by digest, each checked against its name."""
    found = {}
    for path in (folder / "blobs" / "sha256").iterdir():
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == path.name
        found[f"sha256:{path.name}"] = content
    return found


def reachable(folder: Path, digest: str) -> dict[str, bytes]:
    """The content that a manifest or index leads to, itself included."""
    everything = blobs(folder)
    return {found: everything[found] for found in _walk(everything, digest)}


def _walk(everything: dict[str, bytes], digest: str) -> Iterator[str]:
    yield digest
    document = json.loads(everything[digest])
    for child in document.get("manifests", []):
        yield from _walk(everything, child["digest"])
    for descriptor in [*document.get("layers", []), *([document["config"]] if "config" in document else [])]:
        yield descriptor["digest"]


def _tar(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _json(document: Any, indent: int | None = None) -> bytes:
    return json.dumps(document, indent=indent, ensure_ascii=False).encode()
