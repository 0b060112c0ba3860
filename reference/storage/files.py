"""Single files of a storage: content that is read, uploads that grow, and the lock on a root."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from reference.grammar import Hash, new_hash
from reference.storage import PIECE, StorageError, Upload

_SMALL = 1 << 16


class FileContent:
    """An open file, read by position."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._file).st_size

    @property
    def size(self) -> int:
        """The length in bytes."""
        return self._size

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces, the next one being read while one is sent."""
        end = min(start + length, self._size)
        if end - start <= _SMALL:
            yield os.pread(self._file, end - start, start)
            return
        loop = asyncio.get_running_loop()
        ahead = loop.run_in_executor(None, os.pread, self._file, min(PIECE, end - start), start)
        try:
            while start < end:
                piece = await ahead
                if not piece:
                    raise OSError("stored content is shorter than it was")
                start += len(piece)
                if start < end:
                    ahead = loop.run_in_executor(None, os.pread, self._file, min(PIECE, end - start), start)
                yield piece
        finally:
            # The file may only be closed when no thread reads from it.
            await asyncio.wait([ahead])

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that is about to become content: where it is, and the number of a stored file with the same bytes."""

    path: Path
    same_as: int | None


class FileReader:
    """A file that grows, read by position; another name, or none, does not matter."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)

    def at(self, start: int, length: int) -> bytes:
        """What is there."""
        return os.pread(self._file, length, start)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class FileUpload(Upload):
    """An upload that grows in a file of its own."""

    def __init__(self, repository: str, identifier: str, path: Path, size: int = 0) -> None:
        super().__init__(repository, identifier, size)
        self.path = path
        #: Made ready for its commit, by digest.
        self.ready: dict[str, Ready] = {}
        self._file: int | None = None

    def refresh(self) -> None:
        """Believe the file rather than what this process remembers of it."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            self.closed = True
            return
        if size != self.size:
            self.size, self._state = size, None

    def reader(self) -> FileReader:
        """The file, by whatever name."""
        return FileReader(self.path)

    def remove(self) -> None:
        """Remove all files of the session."""
        for ready in self.ready.values():
            ready.path.unlink(missing_ok=True)
        self.ready = {}
        self.path.unlink(missing_ok=True)

    def _store(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _truncate(self, size: int) -> None:
        os.truncate(self.path, size)

    def _hash_again(self, algorithm: str) -> Hash:
        state = new_hash(algorithm)
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                state.update(piece)
        return state


class RootLock:
    """A root belongs to one process: another one would not know of its sessions. The lock ends with the process."""

    def __init__(self, root: Path) -> None:
        self._file = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StorageError(f"{root}: another process uses it") from error

    def release(self) -> None:
        """Give the root up."""
        with contextlib.suppress(OSError):
            os.close(self._file)
