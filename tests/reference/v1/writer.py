"""Writes a storage as docker-registry 0.9 did, a file for each thing that a client put there."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

NO_FILES = bytes(1024)
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda tar: gzip.compress(tar, 1, mtime=1),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
_DAY = "2014-10-0{}T10:00:00.123456789Z"


def _quoted(part: str) -> str:
    return quote_plus({".": "%2E", "..": "%2E%2E"}.get(part, part))


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of some files, in the order of the mapping."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


class Writer:
    """A folder of docker-registry 0.9 that is being filled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "images").mkdir(parents=True)
        (root / "repositories").mkdir()
        self._made = 0

    def image(
        self, files: Mapping[str, bytes] | None = None, parent: str = "", kind: str = "plain", **members: Any
    ) -> str:
        """Write an image; one without files has the layer that the daemon made of nothing."""
        return self.layered(tar_of(files) if files is not None else NO_FILES, parent, kind, **members)

    def layered(self, tar: bytes, parent: str = "", kind: str = "plain", **members: Any) -> str:
        """Write an image with a layer of these bytes; return its id."""
        self._made += 1
        identifier = hashlib.sha256(f"image {self._made}".encode()).hexdigest()
        about: dict[str, Any] = {
            "id": identifier,
            "created": _DAY.format(self._made % 9 + 1),
            "container_config": {"Cmd": ["/bin/sh", "-c", f"#(nop) step {self._made}"]},
            "docker_version": "1.3.0",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/app"], "Labels": {"n": str(self._made)}},
            "architecture": "amd64",
            "os": "linux",
            "Size": len(tar),
            **({"parent": parent} if parent else {}),
            **members,
        }
        folder = self.image_folder(identifier)
        folder.mkdir()
        stored, layer = json.dumps(about).encode(), PACKED[kind](tar)
        (folder / "json").write_bytes(stored)
        (folder / "layer").write_bytes(layer)
        below = json.loads((self.image_folder(parent) / "ancestry").read_bytes()) if parent else []
        (folder / "ancestry").write_text(json.dumps([identifier, *below]))
        pushed = hashlib.sha256(stored + b"\n" + layer).hexdigest()
        (folder / "_checksum").write_text(json.dumps([f"sha256:{pushed}"]))
        return identifier

    def image_folder(self, identifier: str) -> Path:
        """Where an image is."""
        return self.root / "images" / identifier

    def tag(self, name: str, tag: str, identifier: str) -> Path:
        """Point a tag of NAMESPACE/NAME to an image; return its file."""
        namespace, _, rest = name.partition("/")
        folder = self.root / "repositories" / _quoted(namespace) / _quoted(quote_plus(rest))
        folder.mkdir(parents=True, exist_ok=True)
        about = json.dumps({"last_update": 1412157600, "docker_version": "1.3.0", "arch": "amd64", "os": "linux"})
        (folder / f"tag{_quoted(tag)}_json").write_text(about)
        if tag == "latest":
            (folder / "json").write_text(about)
        (folder / "_index_images").write_text(json.dumps([{"id": identifier}]))
        path = folder / f"tag_{_quoted(tag)}"
        path.write_text(identifier)
        return path
