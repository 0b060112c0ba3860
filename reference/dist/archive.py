"""Archives of `docker save`: one image, its layers not compressed, digests by its configuration."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reference.dist.content import DOCKER_MANIFEST, MANIFEST_LIMIT, Descriptor, Manifest
from reference.dist.errors import ContentError, DistError, NotFoundError, UsageError
from reference.dist.layout import Tar, made_beside, pack, read_all
from reference.dist.names import Place
from reference.dist.streams import Reader, Verified, save
from reference.grammar import digest_of, is_digest, new_hash

_LIST = "manifest.json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_PACKED = ".gzip"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 20


class DockerArchive:
    """An archive; an image that is read from it gets a manifest of Docker's schema 2.

    Args:
        place: ``docker-archive:`` with a path; a tag is ``NAME:TAG``, as Docker shows it.
        write: whether it is made; there must be none yet.
    """

    def __init__(self, place: Place, *, write: bool = False) -> None:
        self.place = place
        self._path = Path(place.path)
        self._files: dict[str, str] = {}
        self._top: tuple[Manifest, str | None] | None = None
        self._made = made_beside(self._path) if write else None
        self._tar = None if write else Tar(self._path)

    def manifest(self, reference: str | None) -> Manifest:
        """A manifest for an image by its name; without one, for the only image."""
        if self._tar is None:
            raise NotFoundError(f"{self.place.path}: it is only written")
        try:
            entry = self._entry(json.loads(read_all(self._tar, _LIST, MANIFEST_LIMIT)), reference)
            config = read_all(self._tar, entry["Config"], MANIFEST_LIMIT)
            diffs, names = json.loads(config)["rootfs"]["diff_ids"], entry["Layers"]
            layers = [self._layer(str(name), diff) for name, diff in zip(names, diffs, strict=True)]
        except (ValueError, KeyError, TypeError):
            raise ContentError(f"{self.place.path}: no archive of docker save") from None
        first = Descriptor(_CONFIG, digest_of(config), len(config))
        self._files[first.digest] = entry["Config"]
        document: dict[str, Any] = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": first.json()}
        body = json.dumps(document | {"layers": [one.json() for one in layers]}, indent=3).encode()
        return Manifest.read(body, DOCKER_MANIFEST, None, self.place.path)

    def tags(self) -> Iterator[str]:
        """The names of the images."""
        if self._tar is not None:
            for entry in json.loads(read_all(self._tar, _LIST, MANIFEST_LIMIT)):
                yield from entry.get("RepoTags") or []

    def open(self, descriptor: Descriptor, offset: int) -> Reader:
        """A layer or configuration from an offset on."""
        if self._tar is None or descriptor.digest not in self._files:
            raise NotFoundError(f"{self.place.path}: there is no {descriptor.digest}")
        return self._tar.open(self._files[descriptor.digest], offset)

    def has(self, descriptor: Descriptor) -> bool:
        """Whether a blob was put there."""
        return self._made is not None and (self._made / _hex(descriptor)).exists()

    def mount(self, descriptor: Descriptor, source: Place) -> bool:
        """Nothing is shared with others."""
        return False

    def put(self, content: Verified) -> None:
        """Keep a blob until all are there."""
        self._save(_hex(content.descriptor), content.blocks())

    def put_manifest(self, manifest: Manifest, tag: str | None, *, top: bool) -> None:
        """Remember the image; raise UsageError where it is an index."""
        if manifest.is_index or not top:
            raise UsageError(f"{self.place}: an archive of Docker has one platform: choose it with --platform")
        self._top = (manifest, tag)

    def finish(self) -> None:
        """Unpack the layers and make the archive."""
        if self._made is None or self._top is None:
            return
        manifest, tag = self._top
        config, *layers = manifest.blobs()
        try:
            diffs = json.loads((self._made / _hex(config)).read_bytes())["rootfs"]["diff_ids"]
            pairs = list(zip(layers, diffs, strict=True))
            if not all(isinstance(diff, str) and is_digest(diff) and diff.startswith("sha256:") for diff in diffs):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise ContentError(f"{manifest.descriptor.digest}: no image of layers, so no archive of Docker") from None
        ready = self._made / "archive"
        ready.mkdir()
        for layer, diff in pairs:
            self._save(f"archive/{diff[7:]}.tar", _unpacked(self._made / _hex(layer), diff))
        (self._made / _hex(config)).replace(ready / f"{config.digest[7:]}.json")
        names = [tag if ":" in tag else f"{tag}:latest"] if tag else []
        entry = {"Config": f"{config.digest[7:]}.json", "RepoTags": names, "Layers": [f"{d[7:]}.tar" for d in diffs]}
        self._save(f"archive/{_LIST}", [json.dumps([entry]).encode()])
        pack(ready, self._path)

    def close(self) -> None:
        """Remove what was put aside."""
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def _save(self, name: str, blocks: Iterable[bytes]) -> None:
        if self._made is None:
            raise UsageError(f"{self.place.path}: it is only read")
        try:
            save(self._made / name, blocks)
        except OSError as error:
            raise DistError(f"{self._path}: {error.strerror}") from None

    def _entry(self, entries: list[dict[str, Any]], reference: str | None) -> dict[str, Any]:
        found = [
            one for one in entries if reference is None or _short(reference) in map(_short, one.get("RepoTags") or [])
        ]
        if reference and not found:
            raise NotFoundError(f"{self.place.path}: there is no image {reference}")
        if len(found) != 1:
            raise UsageError(f"{self.place.path}: it has {len(found)} images, so one has to be named")
        return found[0]

    def _layer(self, name: str, diff: Any) -> Descriptor:
        """A layer under the digest of its file, which is that of the configuration where it is not compressed."""
        if self._tar is None or (size := self._tar.size(name)) is None or not is_digest(diff):
            raise ContentError(f"{self.place.path}: the layer {name} is not there")
        reader = self._tar.open(name)
        start = reader.read(4)
        reader.close()
        digest, media_type = diff, _LAYER
        if start.startswith((_GZIP, _ZSTD)):
            digest, media_type = ":".join(name.split("/")[-2:]), _LAYER + _PACKED
            if start.startswith(_ZSTD) or not is_digest(digest):
                raise ContentError(f"{self.place.path}: the layer {name} is compressed in a way that is not known")
        self._files[digest] = name
        return Descriptor(media_type, digest, size)


def _unpacked(path: Path, diff: str) -> Iterator[bytes]:
    """A layer without its compression, checked by the configuration."""
    state = new_hash("sha256")
    try:
        for block in _blocks(path):
            state.update(block)
            yield block
    except zlib.error:
        raise ContentError(f"the layer {diff} is no gzip") from None
    if f"sha256:{state.hexdigest()}" != diff:
        raise ContentError(f"the layer {diff} is not what the configuration says when it is unpacked")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(_ZSTD):
            raise ContentError("a layer is compressed by zstd, which an archive of Docker cannot have")
        packed = start.startswith(_GZIP)
        unpacker = zlib.decompressobj(wbits=31)
        while block := file.read(_STEP):
            while packed and block:
                # A little at a time: a layer may unpack to more than the memory holds.
                yield unpacker.decompress(block, _STEP)
                block = unpacker.unconsumed_tail or unpacker.unused_data
                if unpacker.eof and block:
                    unpacker = zlib.decompressobj(wbits=31)
            if block:
                yield block
        if packed:
            yield unpacker.flush()


def _short(name: str) -> str:
    """A name as Docker shows it; some programs write it with the host that goes without saying."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _hex(descriptor: Descriptor) -> str:
    return descriptor.digest.replace(":", "-")
