"""Storage in a directory: content by digest, and a hard link to it in each repository that holds it.

The number of links tells when nobody holds the content any more. Files appear by rename or link only,
so a reader never sees half of one. Data is on the disk before it gets the name under which it is found, and the
folder of that name before anybody is told, unless another mode of ``sync`` is asked for.

A session is one file, whose name tells the repository by its hash: there is no half of a session. It becomes
content by rename, so that no name of it is left under which it could be changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import shutil
import uuid
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from reference.storage import Manifest, Storage, Upload
from reference.storage.files import FileContent, FileUpload, Ready, RootLock
from reference.storage.layout import BLOBS, MANIFESTS, TAGS, VERSION, Layout, is_identifier, listed
from reference.storage.lists import Lists
from reference.storage.names import Names, by_name, by_tag
from reference.storage.sync import ALWAYS, Syncer, sync
from reference.storage.tree import Tree

_IDENTIFIER = 36


class FilesystemStorage(Storage):
    """Files and links below one directory."""

    def __init__(self, root: Path, mode: str = ALWAYS) -> None:
        self.description = f"filesystem {root}"
        self._at = Layout(root)
        self._at.refuse_others()
        for directory in (self._at.blobs, self._at.uploads, self._at.repositories):
            directory.mkdir(parents=True, exist_ok=True)
        self._lock = RootLock(root)
        if mode == ALWAYS:
            sync([root, root.parent])
        self._syncer = Syncer(mode)
        self._tree = Tree(self._at.uploads, self._syncer)
        self._uploads: dict[str, FileUpload] = {}
        self._catalog = Lists(self._read_repositories, by_name)
        self._tags = Lists(self._read_tags, by_tag)
        self._upgrade(self._at.version)

    def _upgrade(self, version: Path) -> None:
        """Note for the tags of a root of before where they point to; then it is one of now."""
        if version.exists():
            return
        for name in self._read_repositories(""):
            for tag in self._read_tags(name):
                if (target := self._target(name, tag)) is not None:
                    pointing = self._at.pointing(name, target)
                    pointing.mkdir(parents=True, exist_ok=True)
                    (pointing / tag).touch()
        version.write_text(VERSION)

    def check(self) -> None:
        """Raise where a folder is gone, or nothing can be written."""
        for folder in (self._at.blobs, self._at.uploads, self._at.repositories):
            folder.stat()
        probe = self._tree.temporary()
        probe.touch()
        probe.unlink()

    async def durable(self) -> None:
        """Wait for the disk, where the mode is to wait."""
        await self._syncer.wait()

    def flush(self) -> None:
        """Bring what changed to the disk."""
        self._syncer.flush()

    def close(self) -> None:
        """Leave the root to others."""
        self.flush()
        self._lock.release()

    async def load_repositories(self) -> None:
        """Have them at hand."""
        await self._catalog.load("")

    def repositories(self) -> Names:
        """The directories that something was pushed to."""
        return self._catalog.names("")

    def _read_repositories(self, _name: str) -> list[str]:
        return self._at.names()

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
        if not held.is_file():
            return False
        if not content.exists():
            self._tree.folder(content.parent)
            self._tree.link(held, content)
        self._hold(content, name, BLOBS, digest)
        return True

    def _hold(self, content: Path, name: str, kind: str, digest: str) -> None:
        held = self._at.held(name, kind, digest)
        self._tree.folder(held.parent)
        self._catalog.note("", name, is_there=True)
        self._tree.link(content, held)

    def _unlink(self, digest: str, target: Path) -> bool:
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

    def start_upload(self, name: str) -> FileUpload:
        """A new session."""
        identifier = str(uuid.uuid4())
        path = self._at.session(name, identifier)
        path.touch()
        upload = self._uploads[identifier] = FileUpload(name, identifier, path)
        return upload

    def find_upload(self, name: str, identifier: str) -> FileUpload | None:
        """A session of this repository, one from before a restart included."""
        upload = self._uploads.get(identifier)
        if upload is None and is_identifier(identifier):
            path = self._at.session(name, identifier)
            try:
                upload = FileUpload(name, identifier, path, path.stat().st_size)
            except FileNotFoundError:
                return None
            self._uploads[identifier] = upload
        return upload if upload is not None and upload.repository == name else None

    async def settle(self, upload: Upload, digests: Iterable[str]) -> None:
        """Copy for each further digest, compare with what is stored already, and bring the data to the disk."""
        wanted = list(dict.fromkeys(digests))
        if self._syncer.mode == ALWAYS or len(wanted) > 1 or self._at.content(wanted[0]).exists():
            await asyncio.to_thread(self._settle, upload, wanted)

    def _settle(self, upload: Upload, digests: list[str]) -> None:
        assert isinstance(upload, FileUpload)
        for number, digest in enumerate(digests):
            path, content = upload.path, self._at.content(digest)
            # A file for each digest: the number of links must be that of one digest alone.
            if number:
                path = path.with_name(f"{path.name}.{number}")
                shutil.copyfile(upload.path, path)
            same_as = None
            with contextlib.suppress(FileNotFoundError):
                found = content.stat().st_ino
                same_as = found if filecmp.cmp(content, path, shallow=False) else None
            if same_as is None and self._syncer.mode == ALWAYS:
                sync([path])
            upload.ready[digest] = Ready(path, same_as)

    def commit_upload(self, upload: Upload, digests: Iterable[str]) -> None:
        """Rename it to its digest and link that in the repository; where the same content is there, that one stays."""
        assert isinstance(upload, FileUpload)
        wanted = list(dict.fromkeys(digests))
        if not upload.ready.keys() >= set(wanted):
            self._settle(upload, wanted)
        # The session's own file goes last: as long as it is there, everything can be done again.
        for digest in reversed(wanted):
            self._adopt(upload.ready.pop(digest), digest)
            self._hold(self._at.content(digest), upload.repository, BLOBS, digest)
        self.discard_upload(upload)

    def _adopt(self, ready: Ready, digest: str) -> None:
        content = self._at.content(digest)
        with contextlib.suppress(FileNotFoundError):
            if content.stat().st_ino == ready.same_as:
                ready.path.unlink()
                # Whoever stored it may not have waited for the disk yet.
                self._syncer.note(content.parent)
                return
        self._tree.folder(content.parent)
        self._tree.replace(ready.path, content)
        if self._syncer.mode != ALWAYS:
            self._syncer.note(content)

    def open_uploads(self) -> int:
        """How many."""
        return sum(is_identifier(name.partition(".")[0]) for name in listed(self._at.uploads))

    def space(self) -> tuple[int, int]:
        """That of the file system."""
        usage = shutil.disk_usage(self._at.root)
        return usage.free, usage.total

    def discard_upload(self, upload: Upload) -> None:
        """Forget it."""
        assert isinstance(upload, FileUpload)
        upload.closed = True
        self._uploads.pop(upload.identifier, None)
        upload.remove()

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

    def prepared(self, manifest: Manifest, tags: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """Have content, type and tags of a manifest on the disk before they get their names."""
        digest = manifest.digest.encode()
        return self._tree.staged([manifest.content, manifest.media_type.encode(), *(digest for _ in tags)])

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store it; the type is written first, so that no manifest is without one."""
        content = self._at.content(manifest.digest)
        self._tree.folder(content.parent)
        if not content.exists() or content.read_bytes() != manifest.content:
            self._tree.write(content, manifest.content)
        held = self._at.held(name, MANIFESTS, manifest.digest)
        self._tree.folder(held.parent)
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
        self._unlink(digest, held)
        self._tree.remove(held.with_suffix(".type"))
        if subject is not None:
            self._tree.remove(self._at.referring(name, subject) / digest)

    async def load_tags(self, name: str) -> None:
        """Have them at hand."""
        await self._tags.load(name)

    def tags(self, name: str) -> Names:
        """Its tags."""
        return self._tags.names(name)

    def tags_of(self, name: str, digest: str) -> list[str]:
        """Which of them point there: those that did once, as far as they still do."""
        return [tag for tag in listed(self._at.pointing(name, digest)) if self.tag(name, tag) == digest]

    def _read_tags(self, name: str) -> list[str]:
        return listed(self._at.repositories / name / TAGS)

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
        path, pointing, before = (
            self._at.tag(name, tag),
            self._at.pointing(name, digest),
            self._target(name, tag),
        )
        if before != digest:
            for folder in (path.parent, pointing):
                self._tree.folder(folder)
            self._tree.touch(pointing / tag)
            self._tree.write(path, digest.encode())
            self._forget_target(name, tag, before)
            self._tags.note(name, tag, is_there=True)

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
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
