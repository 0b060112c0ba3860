"""What a storage must offer: blobs, manifests, tags, referrers and upload sessions of repositories.

Content is addressed by its digest and shared between repositories; which repository holds what is
recorded for each of them. Calls that are short are plain functions; those that move data are coroutines.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from reference.grammar import Hash, new_hash
from reference.messages import Content
from reference.storage.shared import Shared
from reference.storage.turn import Turn

T = TypeVar("T")
PIECE = 1 << 20
_INLINE = 1 << 18


class StorageError(Exception):
    """A storage that cannot be used; the message says which and why."""


class Overtaken(Exception):
    """Another registry on the same storage added to the session first, where this one would have."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stored manifest: the exact bytes, their type and the digest that they were stored under."""

    digest: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of an upload to which it can be rolled back."""

    size: int
    algorithm: str
    state: Hash | None


class Reader(Protocol):
    """Reads what an upload has stored, also when it became content or was forgotten."""

    def at(self, start: int, length: int) -> bytes:
        """The bytes at a position, as far as they are there; it may take time."""

    def close(self) -> None:
        """Give up what is held open."""


class Upload(ABC):
    """An upload session. Data is hashed as it comes; big pieces go through a thread."""

    def __init__(self, repository: str, identifier: str, size: int = 0) -> None:
        self.repository = repository
        self.identifier = identifier
        self.size = size
        self.started = time.time()
        self.turn = Turn()
        self.closed = False
        self._algorithm = "sha256"
        self._state: Hash | None = new_hash("sha256") if size == 0 else None
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._running: asyncio.Future[None] | None = None

    def expect(self, algorithm: str) -> None:
        """Say which digest will close the upload, so that it can be computed on the way."""
        if self.size == 0:
            self._algorithm, self._state = algorithm, new_hash(algorithm)

    async def write(self, data: bytes) -> None:
        """Append data; it is in the storage after ``flush``."""
        self.size += len(data)
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size >= PIECE:
            await self._hand_over()

    async def flush(self) -> None:
        """Wait until everything written is stored and hashed.

        Raises:
            Overtaken: something else is stored in its place.
        """
        if self._running is None and self._waiting_size <= _INLINE:
            self._take(self._drain())
        else:
            await self._hand_over()
            await self._join()
        self._release()

    async def digest(self, algorithm: str) -> str:
        """The digest of all the data."""
        if self._state is None or self._algorithm != algorithm:
            self._algorithm = algorithm
            self._state = await asyncio.to_thread(self._hash_again, algorithm)
        return f"{algorithm}:{self._state.hexdigest()}"

    def refresh(self) -> None:  # noqa: B027 - where nobody else can change it, there is nothing to look at
        """Look again at what is stored, before a request goes on with it."""

    def mark(self) -> Mark:
        """The present point, between two writes."""
        return Mark(self.size, self._algorithm, self._state.copy() if self._state else None)

    async def rollback(self, mark: Mark) -> None:
        """Forget what was written since, also where writing it failed."""
        self._drain()
        with contextlib.suppress(OSError):
            await self._join()
        self._release()
        self._truncate(mark.size)
        self.size, self._algorithm = mark.size, mark.algorithm
        self._state = mark.state.copy() if mark.state else None

    def _drain(self) -> bytes:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting, self._waiting_size = [], 0
        return data

    async def _hand_over(self) -> None:
        data = self._drain()
        await self._join()
        self._running = asyncio.get_running_loop().run_in_executor(None, self._take, data)

    async def _join(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            await running

    def _take(self, data: bytes) -> None:
        if data:
            self._store(data)
            if self._state is not None:
                self._state.update(data)

    @abstractmethod
    def reader(self) -> Reader:
        """Something that reads it while it grows."""

    @abstractmethod
    def _store(self, data: bytes) -> None:
        """Append to the stored data."""

    @abstractmethod
    def _release(self) -> None:
        """Nothing more comes in this request."""

    @abstractmethod
    def _truncate(self, size: int) -> None:
        """Cut the stored data."""

    @abstractmethod
    def _hash_again(self, algorithm: str) -> Hash:
        """Hash the stored data from its beginning."""


class Storage(ABC):
    """The interface that the resources use."""

    description: str = ""

    async def carried(self, request: Coroutine[Any, Any, T]) -> T:
        """Await the answer to a request, within which methods of the storage are called."""
        return await request

    def share(self, _shared: Shared) -> None:
        """Be used by several processes, which have this storage as it is now, and the memory.

        Raises:
            StorageError: it cannot be.
        """
        raise StorageError("it cannot be used by several processes")

    def as_one(self) -> AbstractContextManager[None]:
        """Around calls between which no other process may change what they see; nothing is awaited meanwhile."""
        return contextlib.nullcontext()

    async def durable(self) -> None:  # noqa: B027 - there may be no disk
        """Wait until what changed until now survives a power cut, as far as it is to be waited for."""

    def flush(self) -> None:  # noqa: B027 - as above
        """Have what changed until now survive a power cut."""

    def check(self) -> None:  # noqa: B027 - there may be nothing that fails
        """Raise where the storage cannot be used now."""

    def close(self) -> None:  # noqa: B027 - there may be nothing to give up
        """Leave the storage to others."""

    async def load_repositories(self) -> None:  # noqa: B027 - they may be at hand anyway
        """Have the names of the repositories at hand; what has to be read for that is read outside the event loop."""

    async def load_tags(self, name: str) -> None:  # noqa: B027 - as above
        """The same for the tags of a repository."""

    async def load_tags_of(self, name: str) -> None:  # noqa: B027 - as above
        """The same for which of the tags point to what."""

    async def load_referrers(self, name: str) -> None:  # noqa: B027 - as above
        """The same for the referrers in a repository."""

    @abstractmethod
    def repositories(self) -> Sequence[str]:
        """The names of the repositories that exist, best as sorted ``Names``, else in any order."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether a repository exists: something was pushed to it once."""

    @abstractmethod
    def blobs(self, name: str) -> list[str]:
        """The digests of the blobs that a repository holds, in any order; it may take time."""

    @abstractmethod
    def manifests(self, name: str) -> list[str]:
        """The same of its manifests."""

    @abstractmethod
    def open_blob(self, name: str, digest: str) -> Content | None:
        """A blob that the repository holds."""

    def blob_url(self, _name: str, _digest: str) -> str | None:
        """Where else a blob that the repository holds can be read, for a while, by whoever has the URL."""
        return None

    @abstractmethod
    def has_blob(self, name: str, digest: str) -> bool:
        """Whether the repository holds the blob."""

    def mounting(self, source: str, digest: str) -> AbstractAsyncContextManager[None]:
        """Around the mount of a blob of a repository: what takes time, beforehand and outside the event loop."""
        return contextlib.nullcontext()

    @abstractmethod
    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Let a repository hold a blob of another one; False where that has none."""

    @abstractmethod
    def delete_blob(self, name: str, digest: str) -> bool:
        """Take a blob out of the repository; False where it was not there."""

    async def reclaim(self, dry_run: bool = False) -> list[str]:
        """Remove content that no repository holds, where it does not go by itself. What went; a dry run only tells."""
        return []

    @abstractmethod
    def start_upload(self, name: str) -> Upload:
        """A new session."""

    @abstractmethod
    def find_upload(self, name: str, identifier: str) -> Upload | None:
        """A session of this repository."""

    async def settle(self, upload: Upload, digests: Iterable[str]) -> None:  # noqa: B027 - it may take no time
        """Do what takes time in a commit, beforehand and outside the event loop."""

    @abstractmethod
    def commit_upload(self, upload: Upload, digests: Iterable[str]) -> None:
        """Make a blob of verified data and end the session."""

    @abstractmethod
    def open_uploads(self) -> int:
        """How many sessions there are; it may take time."""

    def space(self) -> tuple[int, int] | None:
        """The bytes that are free, and all, where what is stored is on a disk."""
        return None

    @abstractmethod
    def discard_upload(self, upload: Upload) -> None:
        """End the session and forget its data."""

    @abstractmethod
    def purge_uploads(self, before: float, dry_run: bool = False) -> int:
        """End the sessions last written before a time, in seconds of the epoch; how many. A dry run only counts."""

    @abstractmethod
    def stored_at(self, name: str, digest: str) -> float | None:
        """When a blob or manifest came to its storage, in seconds of the epoch; it may take time."""

    def prepared(self, manifest: Manifest, tags: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """Around the storing of a manifest and its tags: what takes time, beforehand and outside the event loop."""
        return contextlib.nullcontext()

    @abstractmethod
    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store a manifest, as a referrer of the subject that it names, if it does."""

    @abstractmethod
    def manifest(self, name: str, digest: str) -> Manifest | None:
        """A manifest that the repository holds."""

    @abstractmethod
    def delete_manifest(self, name: str, digest: str, subject: str | None) -> None:
        """Take a manifest out of the repository."""

    @abstractmethod
    def tags(self, name: str) -> Sequence[str]:
        """The tags of a repository, best as sorted ``Names``, else in any order."""

    @abstractmethod
    def tags_of(self, name: str, digest: str) -> list[str]:
        """The tags that point to a digest, in any order."""

    @abstractmethod
    def tag(self, name: str, tag: str) -> str | None:
        """The digest that a tag points to."""

    @abstractmethod
    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point a tag to a digest."""

    @abstractmethod
    def delete_tag(self, name: str, tag: str) -> None:
        """Remove a tag, and nothing else."""

    @abstractmethod
    def referrers(self, name: str, subject: str) -> list[str]:
        """The digests of the manifests whose subject this is, in any order."""
