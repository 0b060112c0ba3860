"""What docker-registry 0.9 stored becomes manifests of schema 2 in a storage of the reference.

Nothing is written for an image before all of it was read, and a tag comes after all that it leads to. What is there
already is not written again, so that an import that was broken off goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reference.documents import DOCKER_MANIFEST
from reference.grammar import digest_of, is_name, is_tag
from reference.storage import Manifest, Storage
from reference.v1 import documents, layers
from reference.v1.layers import Blob, Layer
from reference.v1.layout import Broken, Image, Repository, Source, SourceError

_LIBRARY = "library/"


@dataclass(slots=True)
class Count:
    """How many tags were set, were so already, and were left out; and images that no tag leads to."""

    tags: int = 0
    unchanged: int = 0
    problems: int = 0
    untagged: int = 0

    def __str__(self) -> str:
        return (
            f"{self.tags} tags imported, {self.unchanged} unchanged, {self.problems} problems; "
            f"{self.untagged} images that no tag leads to"
        )


class Importer:
    """Brings over the tags of a source, and tells of each: ``tell`` of those that were set, ``warn`` of the others.

    With ``short_names`` what is in ``library/`` is found without that as well. With ``overwrite`` a tag that leads to
    something else in the storage is moved. A dry run computes everything and writes nothing.
    """

    def __init__(
        self,
        source: Source,
        storage: Storage,
        *,
        tell: Callable[[str], None],
        warn: Callable[[str], None],
        short_names: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._source = source
        self._storage = storage
        self._tell = tell
        self._warn = warn
        self._short_names = short_names
        self._overwrite = overwrite
        self._dry_run = dry_run
        self._count = Count()
        #: By id: a layer that was read, or why it is of no use.
        self._read: dict[str, Layer | Broken] = {}
        #: By id: what it is stored as.
        self._blobs: dict[str, Blob] = {}
        #: By digest: a repository that holds the blob.
        self._holders: dict[str, str] = {}
        self._reached: set[str] = set()

    async def run(self) -> Count:
        """Bring over everything.

        Raises:
            SourceError: a folder of the source cannot be read.
            OSError: the storage fails.
        """
        for repository in self._source.repositories():
            if not is_name(repository.name):
                self._leave_out(f"{repository.name!r} is no name of a repository in version 2")
                continue
            for name in self._names(repository.name):
                await self._repository(repository, name)
                await self._storage.durable()
        self._count.untagged = sum(found not in self._reached for found in self._source.identifiers())
        return self._count

    def _leave_out(self, why: str) -> None:
        self._count.problems += 1
        self._warn(why)

    def _names(self, name: str) -> list[str]:
        return [name, name.removeprefix(_LIBRARY)] if self._short_names and name.startswith(_LIBRARY) else [name]

    async def _repository(self, repository: Repository, name: str) -> None:
        is_new = not self._storage.exists(name)
        try:
            tags = list(self._source.tags(repository))
        except SourceError as error:
            self._leave_out(f"{name}: {error}")
            return
        for tag, path in tags:
            if not is_tag(tag):
                self._leave_out(f"{name}: {tag!r} is no tag in version 2")
                continue
            try:
                await self._tag(name, tag, self._source.tagged(path), is_new)
            except Broken as error:
                self._leave_out(f"{name}:{tag}: {error}")

    async def _tag(self, name: str, tag: str, identifier: str, is_new: bool) -> None:
        self._reached.add(identifier)
        images = self._source.ancestry(identifier)
        self._reached.update(image.identifier for image in images)
        found = [await self._layer(image) for image in images]
        empty = [layer.is_empty for layer in found]
        if all(empty):
            # Clients expect a layer: an image without any file gets that of an empty tar.
            empty[-1] = False
        parts = [(image, layer) for image, layer, gone in zip(images, found, empty, strict=True) if not gone]
        blobs = [await self._blob(name, image, layer, is_new) for image, layer in parts]
        config = documents.config(images, empty, [_diff_id(layer) for _, layer in parts])
        of_config = Blob(digest_of(config), len(config))
        content = documents.manifest(of_config, blobs)
        manifest = Manifest(digest_of(content), DOCKER_MANIFEST, content)
        if not self._is_wanted(name, tag, manifest):
            return
        if not self._dry_run:
            for blob, (image, layer) in zip(blobs, parts, strict=True):
                await self._hold(name, blob, _content(image, layer))
            await self._hold(name, of_config, iter([config]))
            async with self._storage.prepared(manifest, [tag]):
                self._storage.put_manifest(name, manifest, None)
                self._storage.set_tag(name, tag, manifest.digest)
        self._count.tags += 1
        self._tell(f"{name}:{tag}: {manifest.digest}")

    def _is_wanted(self, name: str, tag: str, manifest: Manifest) -> bool:
        """Whether there is something to do for a tag."""
        there = self._storage.tag(name, tag)
        if there == manifest.digest and self._storage.manifest(name, there) is not None:
            self._count.unchanged += 1
            return False
        if there not in (None, manifest.digest) and not self._overwrite:
            self._leave_out(f"{name}:{tag}: it is {there} here, and stays so without --overwrite")
            return False
        return True

    async def _layer(self, image: Image) -> Layer:
        """The layer of an image, which is read once.

        Raises:
            Broken: it is of no use.
        """
        known = self._read.get(image.identifier)
        if known is None:
            try:
                known = await layers.read(image)
            except Broken as error:
                known = error
            self._read[image.identifier] = known
        if isinstance(known, Broken):
            raise known
        return known

    async def _blob(self, name: str, image: Image, layer: Layer, is_new: bool) -> Blob:
        """What a layer is stored as.

        In a repository that was not there before, it is stored at once: to compress it twice takes twice as long.
        """
        blob = self._blobs.get(image.identifier) or (None if layer.is_empty else layer.blob)
        if blob is None and is_new and not self._dry_run:
            blob = await self._store(name, _content(image, layer))
        elif blob is None:
            blob = await layers.blob_of(_content(image, layer))
        self._blobs[image.identifier] = blob
        return blob

    async def _hold(self, name: str, blob: Blob, content: Iterable[bytes]) -> None:
        """Let a repository hold a blob, from another one where that has it."""
        if not self._storage.has_blob(name, blob.digest):
            holder = self._holders.get(blob.digest)
            if holder is None or not self._storage.mount_blob(holder, name, blob.digest):
                await self._store(name, content, blob)
        self._holders.setdefault(blob.digest, name)

    async def _store(self, name: str, content: Iterable[bytes], expected: Blob | None = None) -> Blob:
        """Store a blob; what it is must be as expected.

        Raises:
            Broken: it is not.
        """
        upload = self._storage.start_upload(name)
        mark = upload.mark()
        try:
            for piece in content:
                await upload.write(piece)
                # Where nothing is waited for, nobody could break it off.
                await asyncio.sleep(0)
            await upload.flush()
            blob = Blob(await upload.digest("sha256"), upload.size)
            if expected not in (None, blob):
                raise Broken("a layer changed while it was read")
            await self._storage.settle(upload, [blob.digest])
            self._storage.commit_upload(upload, [blob.digest])
        except BaseException:
            with contextlib.suppress(OSError):
                await upload.rollback(mark)
                self._storage.discard_upload(upload)
            raise
        return blob


def _content(image: Image, layer: Layer) -> Iterator[bytes]:
    return layers.compressed(iter([layers.EMPTY_TAR])) if layer.is_empty else layers.as_gzip(image, layer)


def _diff_id(layer: Layer) -> str:
    return digest_of(layers.EMPTY_TAR) if layer.is_empty else layer.diff_id
