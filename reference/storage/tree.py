"""Changes of a directory tree: each appears whole or not at all, and is noted for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from reference.storage.sync import ALWAYS, Syncer, sync

#: Seconds after which whoever made a folder no longer waits for the disk.
_YOUNG = 60.0


class Tree:
    """Makes, links and removes files; what is not yet whole is in a folder of its own."""

    def __init__(self, scratch: Path, syncer: Syncer) -> None:
        self._scratch = scratch
        self._syncer = syncer
        #: Whether other processes change the same tree.
        self.shared = False
        #: Files that are on the disk already and wait for their names, by what is in them.
        self._staged: dict[bytes, list[Path]] = defaultdict(list)

    def temporary(self) -> Path:
        """A name for what is not yet whole."""
        return self._scratch / f"{uuid.uuid4().hex}.part"

    def folder(self, path: Path) -> None:
        """Make a folder, and those above it."""
        try:
            path.mkdir()
        except FileExistsError:
            if self.shared:
                self._note_young(path)
            return
        except FileNotFoundError:
            self.folder(path.parent)
            path.mkdir(exist_ok=True)
        self._syncer.note(path.parent)

    def _note_young(self, path: Path) -> None:
        """Wait for folders that another process made, which may not have waited for the disk yet."""
        while path != self._scratch.parent and time.time() - path.stat().st_mtime < _YOUNG:
            path = path.parent
            self._syncer.note(path)

    def note_others(self, path: Path) -> None:
        """Wait for a name that another process may have given, where there are others."""
        if self.shared:
            self._syncer.note(path.parent)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file its name, in the place of another one."""
        source.replace(target)
        self._syncer.note(target.parent)

    def link(self, source: Path, target: Path) -> None:
        """Give a file one more name, in the place of another one."""
        try:
            target.hardlink_to(source)
        except FileExistsError:
            if not target.samefile(source):
                self._link_over(source, target)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            # A file has so many names and no more. Its holders keep it; a copy takes its place for the next ones.
            copy = self.temporary()
            shutil.copyfile(source, copy)
            sync([copy])
            self.replace(copy, source)
            self._link_over(source, target)
        # Also where the name was there: whoever made it may not have waited for the disk.
        self._syncer.note(target.parent)

    def _link_over(self, source: Path, target: Path) -> None:
        temporary = self.temporary()
        temporary.hardlink_to(source)
        temporary.replace(target)

    def remove(self, path: Path) -> bool:
        """Remove a name; False where it was not there."""
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._syncer.note(path.parent)
        return True

    def touch(self, path: Path) -> None:
        """Make an empty file."""
        path.touch()
        self._syncer.note(path.parent)

    def write(self, path: Path, data: bytes) -> None:
        """Make a file, or replace it."""
        staged = self._staged.get(data)
        if staged:
            temporary = staged.pop()
        else:
            temporary = self.temporary()
            temporary.write_bytes(data)
            self._syncer.note(path)
        self.replace(temporary, path)

    @contextlib.asynccontextmanager
    async def staged(self, contents: Sequence[bytes]) -> AsyncIterator[None]:
        """Have contents on the disk before they get a name, so that no name leads to half of one after a power cut."""
        if self._syncer.mode != ALWAYS:
            yield
            return
        paths = await asyncio.to_thread(self._stage, contents)
        for data, path in zip(contents, paths, strict=True):
            self._staged[data].append(path)
        try:
            yield
        finally:
            for data, path in zip(contents, paths, strict=True):
                if path in self._staged[data]:
                    self._staged[data].remove(path)
                    path.unlink(missing_ok=True)
                if not self._staged[data]:
                    del self._staged[data]

    def _stage(self, contents: Sequence[bytes]) -> list[Path]:
        paths = [self.temporary() for _ in contents]
        try:
            for path, data in zip(paths, contents, strict=True):
                path.write_bytes(data)
            sync(paths)
        except OSError:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
        return paths
