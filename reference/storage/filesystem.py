"""Storage in a directory: content by digest, and a hard link to it in each repository that holds it.

The number of links tells when nobody holds the content any more.

A session is one file, whose name tells the repository by its hash: there is no half of a session. It becomes
content by rename, so that no name of it is left under which it could be changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from reference.storage import Manifest
from reference.storage.files import FileContent, FileUpload
from reference.storage.folder import FolderStorage
from reference.storage.layout import BLOBS, MANIFESTS, VERSION, Layout, is_identifier, listed
from reference.storage.shared import Shared
from reference.storage.sync import ALWAYS

_IDENTIFIER = 36


class FilesystemStorage(FolderStorage[Layout]):
    """Files and links below one directory."""

    def __init__(self, root: Path, mode: str = ALWAYS) -> None:
        super().__init__(Layout(root), mode)
        self._upgrade(self._at.version)

    def _upgrade(self, version: Path) -> None:
        """Note for the tags of a root of before where they point to; then it is one of now."""
        if version.exists():
            return
        for name in self._at.names():
            for tag in self._at.tags(name):
                if (target := self._target(name, tag)) is not None:
                    pointing = self._at.pointing(name, target)
                    pointing.mkdir(parents=True, exist_ok=True)
                    (pointing / tag).touch()
        version.write_text(VERSION)

    def share(self, shared: Shared) -> None:
        """Be used by several processes."""
        self._share(shared, self._at.guard)

    def exists(self, name: str) -> bool:
        """Whether something was pushed."""
        directory = self._at.repositories / name
        return (directory / BLOBS).is_dir() or (directory / MANIFESTS).is_dir()

    def blobs(self, name: str) -> list[str]:
        """Its blobs."""
        return self._digests(name, BLOBS)

    def manifests(self, name: str) -> list[str]:
        """Its manifests."""
        return [digest for digest in self._digests(name, MANIFESTS) if not digest.endswith(".type")]

    def _digests(self, name: str, kind: str) -> list[str]:
        folder = self._at.repositories / name / kind
        return [f"{algorithm}:{encoded}" for algorithm in listed(folder) for encoded in listed(folder / algorithm)]

    def open_blob(self, name: str, digest: str) -> FileContent | None:
        """The blob, if held."""
        try:
            return FileContent(str(self._at.held(name, BLOBS, digest)))
        except FileNotFoundError:
            return None

    def has_blob(self, name: str, digest: str) -> bool:
        """Whether it is held."""
        return self._at.held(name, BLOBS, digest).is_file()

    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Hold it in a second repository."""
        held, content = self._at.held(source, BLOBS, digest), self._at.content(digest)
        with self._guard:
            if not held.is_file():
                return False
            if not content.exists():
                self._tree.folder(content.parent)
                self._tree.link(held, content)
            self._hold(content, name, BLOBS, digest)
        return True

    def _hold_blob(self, upload: FileUpload, digest: str) -> None:
        self._hold(self._at.content(digest), upload.repository, BLOBS, digest)

    def _hold(self, content: Path, name: str, kind: str, digest: str) -> None:
        held = self._at.held(name, kind, digest)
        self._hold_folder(held.parent, name)
        self._tree.link(content, held)

    def _hold_folder(self, folder: Path, name: str) -> None:
        # Others read their lists again only for a repository that is new.
        is_new = self._shared is None or not self.exists(name)
        self._tree.folder(folder)
        if is_new:
            self._catalog.note("", name, is_there=True)

    def _unlink(self, digest: str, target: Path) -> bool:
        with self._guard:
            if not self._tree.remove(target):
                return False
            content = self._at.content(digest)
            with contextlib.suppress(FileNotFoundError):
                if content.stat().st_nlink == 1:
                    self._tree.remove(content)
        return True

    def delete_blob(self, name: str, digest: str) -> bool:
        """Take it out."""
        return self._unlink(digest, self._at.held(name, BLOBS, digest))

    def open_uploads(self) -> int:
        """How many."""
        return sum(is_identifier(name.partition(".")[0]) for name in listed(self._at.uploads))

    def purge_uploads(self, before: float, dry_run: bool = False) -> int:
        """Forget the old ones, by the time of their last write, and what a death of the process left."""
        purged = 0
        for path in list(self._at.uploads.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime >= before:
                    continue
                purged += is_identifier(path.stem)
                if not dry_run:
                    path.unlink()
                    if (upload := self._uploads.pop(path.name[:_IDENTIFIER], None)) is not None:
                        upload.closed = True
        return purged

    def stored_at(self, name: str, digest: str) -> float | None:
        """The time of its file; that of a manifest is in the file of its type."""
        paths = (self._at.held(name, MANIFESTS, digest).with_suffix(".type"), self._at.held(name, BLOBS, digest))
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                return path.stat().st_mtime
        return None

    @contextlib.asynccontextmanager
    async def prepared(self, manifest: Manifest, tags: Sequence[str]) -> AsyncIterator[None]:
        """Have content, type and tags of a manifest on the disk before they get their names."""
        digest = manifest.digest.encode()
        async with self._tree.staged([manifest.content, manifest.media_type.encode(), *(digest for _ in tags)]):
            with self._guard:
                yield

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store it; the type is written first, so that no manifest is without one."""
        content = self._at.content(manifest.digest)
        with self._guard:
            self._tree.folder(content.parent)
            if not content.exists() or content.read_bytes() != manifest.content:
                self._tree.write(content, manifest.content)
            self._tree.note_others(content)
            held = self._at.held(name, MANIFESTS, manifest.digest)
            self._hold_folder(held.parent, name)
            self._tree.write(held.with_suffix(".type"), manifest.media_type.encode())
            self._hold(content, name, MANIFESTS, manifest.digest)
            if subject is not None:
                link = self._at.referring(name, subject) / manifest.digest
                self._tree.folder(link.parent)
                self._tree.touch(link)

    def manifest(self, name: str, digest: str) -> Manifest | None:
        """The manifest, if held."""
        held = self._at.held(name, MANIFESTS, digest)
        try:
            return Manifest(digest, held.with_suffix(".type").read_text(), held.read_bytes())
        except FileNotFoundError:
            return None

    def delete_manifest(self, name: str, digest: str, subject: str | None) -> None:
        """Take it out."""
        held = self._at.held(name, MANIFESTS, digest)
        with self._guard:
            self._unlink(digest, held)
            self._tree.remove(held.with_suffix(".type"))
            if subject is not None:
                self._tree.remove(self._at.referring(name, subject) / digest)

    def tags_of(self, name: str, digest: str) -> list[str]:
        """Which of them point there: those that did once, as far as they still do."""
        return [tag for tag in listed(self._at.pointing(name, digest)) if self.tag(name, tag) == digest]

    def tag(self, name: str, tag: str) -> str | None:
        """Where it points."""
        return self._target(name, tag)

    def _target(self, name: str, tag: str) -> str | None:
        try:
            # Nothing in it: a power cut, where the configuration lets it do that.
            return self._at.tag(name, tag).read_text() or None
        except FileNotFoundError:
            return None

    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point it."""
        path, pointing = self._at.tag(name, tag), self._at.pointing(name, digest)
        with self._guard:
            before = self._target(name, tag)
            if before == digest:
                self._tree.note_others(path)
                return
            for folder in (path.parent, pointing):
                self._tree.folder(folder)
            self._tree.touch(pointing / tag)
            self._tree.write(path, digest.encode())
            self._forget_target(name, tag, before)
            self._tags.note(name, tag, is_there=True)

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
        with self._guard:
            before = self._target(name, tag)
            self._tree.remove(self._at.tag(name, tag))
            self._forget_target(name, tag, before)
            self._tags.note(name, tag, is_there=False)

    def _forget_target(self, name: str, tag: str, digest: str | None) -> None:
        if digest is not None:
            pointing = self._at.pointing(name, digest)
            (pointing / tag).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                pointing.rmdir()

    def referrers(self, name: str, subject: str) -> list[str]:
        """Who refers to it."""
        return listed(self._at.referring(name, subject))
