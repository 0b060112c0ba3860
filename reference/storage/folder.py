"""What every storage below one directory does in the same way, wherever in it things are.

Files appear by rename or link only, so a reader never sees half of one. Data is on the disk before it gets the name
under which it is found, and the folder of that name before anybody is told, unless another mode of ``sync`` is asked
for.
"""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import shutil
import uuid
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from reference.storage import Storage, Upload
from reference.storage.files import FileUpload, Ready, RootLock
from reference.storage.layout import is_identifier
from reference.storage.lists import Lists
from reference.storage.names import Names, by_name, by_tag
from reference.storage.shared import Guard, Shared, SharedTurn
from reference.storage.sync import ALWAYS, Syncer, sync
from reference.storage.tree import Tree

#: Sessions that are remembered where other processes may end them; any other one is found by its file.
_MOST_SESSIONS = 10_000


class Places(Protocol):
    """Where things are below a root."""

    @property
    def root(self) -> Path:
        """The directory."""

    @property
    def scratch(self) -> Path:
        """The folder of what is not yet whole."""

    @property
    def folders(self) -> Sequence[Path]:
        """Those that are always there."""

    def refuse_others(self) -> None:
        """Refuse a root in another layout; raises StorageError."""

    def content(self, digest: str) -> Path:
        """Content, whoever holds it."""

    def session(self, name: str, identifier: str) -> Path:
        """The data of an open session."""

    def names(self) -> list[str]:
        """The repositories that something was pushed to, in any order."""

    def tags(self, name: str) -> list[str]:
        """The tags of a repository, in any order."""


At = TypeVar("At", bound=Places)


class FolderStorage(Storage, Generic[At]):
    """Files below one directory, which belongs to one server."""

    def __init__(self, at: At, mode: str) -> None:
        self.description = f"filesystem {at.root}"
        self._at = at
        at.refuse_others()
        for directory in at.folders:
            directory.mkdir(parents=True, exist_ok=True)
        self._lock = RootLock(at.root)
        if mode == ALWAYS:
            sync([at.root, at.root.parent])
        self._syncer = Syncer(mode)
        self._tree = Tree(at.scratch, self._syncer)
        self._uploads: OrderedDict[str, FileUpload] = OrderedDict()
        self._shared: Shared | None = None
        self._guard: AbstractContextManager[None] = contextlib.nullcontext()
        self._catalog = Lists(lambda _: at.names(), by_name)
        self._tags = Lists(at.tags, by_tag)

    def _share(self, shared: Shared, guard: Path) -> None:
        """Be used by several processes. What changes several files is done by one of them at a time."""
        self._shared, self._guard, self._tree.shared = shared, Guard(guard), True
        self._catalog.share(shared, "repositories")
        self._tags.share(shared, "tags of")

    def as_one(self) -> AbstractContextManager[None]:
        """Have the directory to oneself among the processes that share it."""
        return self._guard

    def check(self) -> None:
        """Raise where a folder is gone, or nothing can be written."""
        for folder in self._at.folders:
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

    async def load_tags(self, name: str) -> None:
        """Have them at hand."""
        await self._tags.load(name)

    def tags(self, name: str) -> Names:
        """Its tags."""
        return self._tags.names(name)

    def start_upload(self, name: str) -> FileUpload:
        """A new session."""
        identifier = str(uuid.uuid4())
        upload = self._session(name, identifier)
        self._begin(upload)
        return self._remember(upload)

    def _remember(self, upload: FileUpload) -> FileUpload:
        self._uploads[upload.identifier] = upload
        if self._shared is not None:
            upload.turn = SharedTurn(upload.path, upload.identifier, self._shared)
            while len(self._uploads) > _MOST_SESSIONS:
                self._uploads.popitem(last=False)
        return upload

    def _session(self, name: str, identifier: str, size: int = 0) -> FileUpload:
        return FileUpload(name, identifier, self._at.session(name, identifier), size)

    def _begin(self, upload: FileUpload) -> None:
        """Make the files of a session."""
        upload.path.touch()

    def find_upload(self, name: str, identifier: str) -> FileUpload | None:
        """A session of this repository, one from before a restart included."""
        upload = self._uploads.get(identifier)
        if upload is None and is_identifier(identifier):
            try:
                upload = self._session(name, identifier, self._at.session(name, identifier).stat().st_size)
            except FileNotFoundError:
                return None
            self._remember(upload)
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
        """Rename it to its digest, and hold that in the repository; where the same content is there, that one stays."""
        assert isinstance(upload, FileUpload)
        wanted = list(dict.fromkeys(digests))
        if not upload.ready.keys() >= set(wanted):
            self._settle(upload, wanted)
        with self._guard:
            # The session's own file goes last: as long as it is there, everything can be done again.
            for digest in reversed(wanted):
                self._adopt(upload.ready.pop(digest), digest)
                self._hold_blob(upload, digest)
            self.discard_upload(upload)

    @abstractmethod
    def _hold_blob(self, upload: FileUpload, digest: str) -> None:
        """Let the repository of an upload hold what it became."""

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
