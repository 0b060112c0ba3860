"""A storage of docker-registry 0.9 with images of each kind, and what is brought over of it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference.__main__ import main
from reference.storage import Storage
from reference.v1.importing import Importer
from reference.v1.layout import Source
from tests.reference.v1.writer import Writer

BASE = {"etc/os": b"old", "bin/sh": b"#!" * 700}


APP = {"bin/app": b"app 1", "etc/.wh.os": b""}


SECOND = {"bin/app": b"app 2"}


OTHER = {"data": b"other"}


def fill(root: Path) -> Writer:
    """Images that share what is below them, with layers of each kind, and without files."""
    made = Writer(root)
    nothing = made.image()
    base = made.image(BASE, nothing, "xz", author="A <a@example.com>", comment="the base")
    app = made.image(APP, base, "gzip")
    command = made.image(None, app, "gzip", config=None)
    made.tag("library/app", "v1", command)
    made.tag("library/app", "v2", made.image(SECOND, app))
    made.tag("library/app", "latest", command)
    made.tag("team/tools/deep", "_x", made.image(OTHER, base, "bzip2", created="yesterday", architecture="arm"))
    made.tag("team/nothing", "v1", nothing)
    return made


@dataclass
class Told:
    lines: list[str]
    warnings: list[str]
    count: str

    @property
    def tags(self) -> list[str]:
        return [line.partition(": ")[0] for line in self.lines]


def bring(made: Writer, into: Storage, **options: bool) -> Told:
    told = Told([], [], "")
    importer = Importer(Source(made.root), into, tell=told.lines.append, warn=told.warnings.append, **options)
    told.count = str(asyncio.run(into.carried(importer.run())))
    return told


def configured(folder: Path) -> dict[str, Any]:
    return {"version": "0.1", "storage": {"filesystem": {"rootdirectory": str(folder / "root")}}}


def command(folder: Path, made: Writer, *options: str, config: Any = None) -> int:
    path = folder / "config.yml"
    path.write_text(json.dumps(config or configured(folder)))
    return main(["import-v1", str(made.root), str(path), *options])


def snapshot(root: Path) -> dict[str, tuple[int, int, int]]:
    found = {str(path.relative_to(root)): path.lstat() for path in root.rglob("*")}
    return {name: (status.st_ino, status.st_size, status.st_mtime_ns) for name, status in found.items()}


def files(layer: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        return {entry.name: _read(archive, entry) for entry in archive}


def _read(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry)
    assert file is not None
    return file.read()


#: What is pulled: each with the files of its layers, and how many images it was made of.
IMAGES: list[tuple[str, list[dict[str, bytes]], int]] = [
    ("library/app:v1", [BASE, APP], 4),
    ("library/app:v2", [BASE, APP, SECOND], 4),
    ("library/app:latest", [BASE, APP], 4),
    ("team/tools/deep:_x", [BASE, OTHER], 3),
    ("team/nothing:v1", [{}], 1),
]


def examined(manifest: dict[str, Any], blob: Callable[[str], bytes], layers: list[dict[str, bytes]]) -> dict[str, Any]:
    """The config of an image, when manifest, config and layers say the same and have these files."""
    contents = [blob(layer["digest"]) for layer in manifest["layers"]]
    assert [files(content) for content in contents] == layers
    config: dict[str, Any] = json.loads(blob(manifest["config"]["digest"]))
    diffs = ["sha256:" + hashlib.sha256(gzip.decompress(content)).hexdigest() for content in contents]
    assert config["rootfs"] == {"type": "layers", "diff_ids": diffs}
    assert sum(not entry.get("empty_layer") for entry in config["history"]) == len(layers)
    return config
