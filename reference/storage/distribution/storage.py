"""Storage in the layout of docker/distribution 2: content by digest, and files that link to it by naming the digest.

A commit is a rename of such a link to its name, when the content is there and on the disk. The original replaces links
in place; here they are replaced as a whole, so that no reader finds half of one. A new tag, which is a folder with two
links, appears by one rename as well. Content that is there already is brought to the disk again, as the original may
have written it without that.

Content of SHA-512 is stored under its own digest. The original stores it under that of SHA-256, where its
garbage-collect then takes it away, although a manifest names it; read here is either.

What the layout has no place for is found in the manifests: types, of which those that a manifest does not tell have a
file, and referrers. They are read once for each repository, and so is which tags point to a manifest.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from reference import errors
from reference.documents import Document, parse, told_type
from reference.storage import Manifest, Upload
from reference.storage.distribution.pairs import Pair, Pairs
from reference.storage.distribution.places import DATA, LAYERS, REVISIONS, Distribution
from reference.storage.distribution.upload import FolderUpload
from reference.storage.files import FileContent, FileUpload
from reference.storage.folder import FolderStorage
from reference.storage.sync import ALWAYS, sync


class DistributionStorage(FolderStorage[Distribution]):
    """Files below one directory, as the original has them."""

    def __init__(self, root: Path, mode: str = ALWAYS) -> None:
        super().__init__(Distribution(root), mode)
        self._pointing = Pairs(self._read_pointing)
        self._referring = Pairs(self._read_referring)
        #: Folders of former tags, each with a link for all that it ever pointed to.
        self._gone: list[Path] = []
        #: The content that was linked since a collection began to look for what nobody holds.
        self._linked: set[str] | None = None

    async def durable(self) -> None:
        """Wait for the disk, where the mode is to wait; and have the rest of what is gone removed."""
        if self._gone:
            await asyncio.to_thread(self._clear)
        await super().durable()

    def flush(self) -> None:
        """Bring what changed to the disk."""
        self._clear()
        super().flush()

    def _clear(self) -> None:
        while self._gone:
            with contextlib.suppress(IndexError):
                shutil.rmtree(self._gone.pop(), ignore_errors=True)

    def exists(self, name: str) -> bool:
        """Whether something was pushed."""
        return self._at.is_repository(name)

    def _link(self, path: Path, target: str) -> None:
        self._tree.folder(path.parent)
        self._tree.write(path, target.encode())
        self._note_linked(target)

    def _note_linked(self, target: str) -> None:
        if self._linked is not None:
            self._linked.add(target)

    # Blobs

    def blobs(self, name: str) -> list[str]:
        """Its blobs; a link whose content the original collected is none.

        Nor is the digest of SHA-256 under which the original stores one of SHA-512: that one is of no use to it without
        a link of the other.
        """
        links = dict(self._at.links(name, LAYERS))
        hidden = {target for digest, target in links.items() if target != digest}
        return [digest for digest, target in links.items() if digest not in hidden and self._at.has_content(target)]

    def _target(self, name: str, digest: str) -> str | None:
        """The digest under which the content of a held blob is stored."""
        target = self._at.target(self._at.link(name, LAYERS, digest))
        return target if target is not None and self._at.has_content(target) else None

    def open_blob(self, name: str, digest: str) -> FileContent | None:
        """The blob, if held."""
        target = self._at.target(self._at.link(name, LAYERS, digest))
        try:
            return FileContent(str(self._at.content(target))) if target is not None else None
        except FileNotFoundError:
            return None

    def has_blob(self, name: str, digest: str) -> bool:
        """Whether it is held."""
        return self._target(name, digest) is not None

    def mounting(self, source: str, digest: str) -> AbstractAsyncContextManager[None]:
        """Have the link on the disk before it gets its name."""
        target = self._target(source, digest)
        return self._tree.staged([] if target is None else [target.encode() for _ in {target, digest}])

    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Hold it in a second repository."""
        target = self._target(source, digest)
        if target is None:
            return False
        self._catalog.note("", name, is_there=True)
        self._syncer.note(self._at.content(target))
        for each in {target, digest}:
            self._link(self._at.link(name, LAYERS, each), target)
        return True

    def delete_blob(self, name: str, digest: str) -> bool:
        """Take it out; its content stays until a collection."""
        return self.has_blob(name, digest) and self._tree.remove(self._at.link(name, LAYERS, digest))

    # Sessions

    def _session(self, name: str, identifier: str, size: int = 0) -> FileUpload:
        return FolderUpload(name, identifier, self._at.session(name, identifier), size)

    def _begin(self, upload: FileUpload) -> None:
        assert isinstance(upload, FolderUpload)
        # The folder of the repository is to last; that of the session need not.
        self._tree.folder(self._at.repositories / upload.repository)
        upload.path.parent.mkdir(parents=True)
        upload.begin(self._at.started(upload.path))

    def _settle(self, upload: Upload, digests: list[str]) -> None:
        super()._settle(upload, digests)
        assert isinstance(upload, FolderUpload)
        for number, digest in enumerate(digests):
            if upload.ready[digest].same_as is not None:
                self._syncer.note(self._at.content(digest))
            upload.links[digest] = upload.path.with_name(f"link.{number}")
            upload.links[digest].write_text(digest)
        if self._syncer.mode == ALWAYS:
            sync(upload.links.values())

    def _hold_blob(self, upload: FileUpload, digest: str) -> None:
        assert isinstance(upload, FolderUpload)
        link = self._at.link(upload.repository, LAYERS, digest)
        self._tree.folder(link.parent)
        self._catalog.note("", upload.repository, is_there=True)
        self._tree.replace(upload.links.pop(digest), link)
        self._note_linked(digest)
        if self._syncer.mode != ALWAYS:
            self._syncer.note(link)

    def open_uploads(self) -> int:
        """How many."""
        return sum((folder / DATA).exists() for folder in self._at.sessions())

    def purge_uploads(self, before: float, dry_run: bool = False) -> int:
        """Forget the old ones, by the time of their last write, and what a death of the process left."""
        purged = 0
        for folder in list(self._at.sessions()):
            data = folder / DATA
            is_open = data.exists()
            with contextlib.suppress(FileNotFoundError):
                if (data if is_open else folder).stat().st_mtime >= before:
                    continue
                purged += is_open
                if not dry_run:
                    if (upload := self._uploads.pop(folder.name, None)) is not None:
                        upload.closed = True
                    shutil.rmtree(folder)
        for path in () if dry_run else list(self._at.scratch.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        return purged

    def stored_at(self, name: str, digest: str) -> float | None:
        """The time of its link."""
        for kind in (REVISIONS, LAYERS):
            with contextlib.suppress(FileNotFoundError):
                return self._at.link(name, kind, digest).stat().st_mtime
        return None

    # Manifests

    def manifests(self, name: str) -> list[str]:
        """Its manifests."""
        return [digest for digest, target in self._at.links(name, REVISIONS) if self._at.has_content(target)]

    def prepared(self, manifest: Manifest, tags: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """Have content, type and links of a manifest on the disk before they get their names."""
        links = [manifest.digest.encode()] * (1 + 2 * len(tags))
        types = [] if told_type(manifest.content) == manifest.media_type else [manifest.media_type.encode()]
        return self._tree.staged([manifest.content, *types, *links])

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store it; the link comes last, so that no manifest is without what it needs."""
        digest, content = manifest.digest, self._at.content(manifest.digest)
        self._tree.folder(content.parent)
        if not content.exists() or content.read_bytes() != manifest.content:
            self._tree.write(content, manifest.content)
        else:
            self._syncer.note(content)
        self._catalog.note("", name, is_there=True)
        # Also the garbage-collect of the original looks for manifests in repositories with this folder alone.
        self._tree.folder(self._at.layers(name))
        link, media_type = self._at.link(name, REVISIONS, digest), self._at.media_type(name, digest)
        self._tree.folder(link.parent)
        if told_type(manifest.content) == manifest.media_type:
            self._tree.remove(media_type)
        else:
            self._tree.write(media_type, manifest.media_type.encode())
        self._link(link, digest)
        if subject is not None:
            self._referring.note(name, subject, digest, is_there=True)

    def manifest(self, name: str, digest: str) -> Manifest | None:
        """The manifest, if held."""
        target = self._at.target(self._at.link(name, REVISIONS, digest))
        if target is None:
            return None
        try:
            content = self._at.content(target).read_bytes()
        except FileNotFoundError:
            return None
        return Manifest(digest, self._media_type(name, digest, content), content)

    def _media_type(self, name: str, digest: str, content: bytes) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._at.media_type(name, digest).read_text()
        return told_type(content)

    def delete_manifest(self, name: str, digest: str, subject: str | None) -> None:
        """Take it out; its content stays until a collection."""
        self._tree.remove(self._at.link(name, REVISIONS, digest))
        self._tree.remove(self._at.media_type(name, digest))
        if subject is not None:
            self._referring.note(name, subject, digest, is_there=False)

    async def load_referrers(self, name: str) -> None:
        """Have them at hand."""
        await self._referring.load(name)

    def referrers(self, name: str, subject: str) -> list[str]:
        """Who refers to it."""
        return self._referring.to(name, subject)

    def _read_referring(self, name: str) -> Iterator[Pair]:
        for digest, target in self._at.links(name, REVISIONS):
            with contextlib.suppress(FileNotFoundError, errors.RegistryError):
                content = self._at.content(target).read_bytes()
                # Few have one, and to read them all as JSON takes much longer. A member may be spelt with escapes.
                if b'"subject"' in content or b"\\u" in content:
                    subject = Document(self._media_type(name, digest, content), parse(content)).subject
                    if subject is not None:
                        yield subject, digest

    # Tags

    async def load_tags_of(self, name: str) -> None:
        """Have them at hand."""
        await self._pointing.load(name)

    def tags_of(self, name: str, digest: str) -> list[str]:
        """Which of them point there."""
        return self._pointing.to(name, digest)

    def _read_pointing(self, name: str) -> Iterator[Pair]:
        for tag, target in self._at.pointers(name):
            yield target, tag

    def tag(self, name: str, tag: str) -> str | None:
        """Where it points."""
        return self._at.target(self._at.current(self._at.tag(name, tag)))

    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point it."""
        before, folder = self.tag(name, tag), self._at.tag(name, tag)
        if before == digest:
            return
        if folder.is_dir():
            for link in (self._at.indexed(folder, digest), self._at.current(folder)):
                self._link(link, digest)
        else:
            self._make_tag(folder, digest)
        if before is not None:
            self._pointing.note(name, before, tag, is_there=False)
        self._pointing.note(name, digest, tag, is_there=True)
        self._tags.note(name, tag, is_there=True)

    def _make_tag(self, folder: Path, digest: str) -> None:
        """Make it beside its place, where the original would list it before it points anywhere."""
        self._tree.folder(folder.parent)
        made = self._tree.temporary()
        try:
            for link in (self._at.indexed(made, digest), self._at.current(made)):
                link.parent.mkdir(parents=True)
                self._tree.write(link, digest.encode())
            self._tree.replace(made, folder)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            raise
        self._syncer.note(folder, *folder.rglob("*"))

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
        before, folder, gone = self.tag(name, tag), self._at.tag(name, tag), self._tree.temporary()
        with contextlib.suppress(FileNotFoundError):
            folder.replace(gone)
            self._syncer.note(folder.parent)
            self._gone.append(gone)
        if before is not None:
            self._pointing.note(name, before, tag, is_there=False)
        self._tags.note(name, tag, is_there=False)

    # Content that nobody holds

    async def reclaim(self, dry_run: bool = False) -> list[str]:
        """Remove content to which no link leads; what is linked in the meantime stays."""
        self._linked = set()
        try:
            found = await asyncio.to_thread(self._unheld)
            gone = []
            for digest in found:
                if digest not in self._linked:
                    gone.append(digest)
                    if not dry_run:
                        self._drop(self._at.content(digest))
                        await asyncio.sleep(0)
            return gone
        finally:
            self._linked = None

    def _unheld(self) -> list[str]:
        # Content is listed before links are, as who pushes stores content first.
        contents = set(self._at.contents())
        for name in self._at.names():
            for kind in (LAYERS, REVISIONS):
                contents.difference_update(target for _, target in self._at.links(name, kind))
        return sorted(contents)

    def _drop(self, content: Path) -> None:
        self._tree.remove(content)
        with contextlib.suppress(OSError):
            content.parent.rmdir()
            self._syncer.note(content.parent.parent)
