"""Storage in memory: gone when the process ends."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence

from reference.grammar import Hash, new_hash
from reference.storage import PIECE, Manifest, Storage, StorageError, Upload
from reference.storage.names import Index, Names, by_name, by_tag
from reference.storage.shared import Shared


class MemoryContent:
    """Bytes at hand."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        """The length in bytes."""
        return len(self.data)

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces."""
        end, view = min(start + length, self.size), memoryview(self.data)
        for position in range(start, end, PIECE):
            yield bytes(view[position : min(position + PIECE, end)])

    def close(self) -> None:
        """Nothing is held open."""


class MemoryReader:
    """Bytes that grow."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def at(self, start: int, length: int) -> bytes:
        """What is there."""
        return bytes(self._data[start : start + length])

    def close(self) -> None:
        """Nothing is held open."""


class MemoryUpload(Upload):
    """An upload that grows in memory."""

    def __init__(self, repository: str, identifier: str) -> None:
        super().__init__(repository, identifier)
        self.data = bytearray()

    def _store(self, data: bytes) -> None:
        self.data += data

    def reader(self) -> MemoryReader:
        """The bytes."""
        return MemoryReader(self.data)

    def _release(self) -> None:
        pass

    def _truncate(self, size: int) -> None:
        del self.data[size:]

    def _hash_again(self, algorithm: str) -> Hash:
        state = new_hash(algorithm)
        state.update(bytes(self.data))
        return state


class _Repository:
    def __init__(self) -> None:
        self.blobs: set[str] = set()
        self.times: dict[str, float] = {}
        self.manifests: dict[str, Manifest] = {}
        self.tags: dict[str, str] = {}
        self.sorted_tags = Index((), by_tag)
        self.tags_of: dict[str, set[str]] = defaultdict(set)
        self.referrers: dict[str, set[str]] = defaultdict(set)

    def set_tag(self, tag: str, digest: str) -> None:
        """Point it."""
        self.delete_tag(tag)
        self.tags[tag] = digest
        self.sorted_tags.add(tag)
        self.tags_of[digest].add(tag)

    def delete_tag(self, tag: str) -> None:
        """Remove it."""
        digest = self.tags.pop(tag, None)
        if digest is not None:
            self.sorted_tags.discard(tag)
            self.tags_of[digest].discard(tag)
            if not self.tags_of[digest]:
                del self.tags_of[digest]


class MemoryStorage(Storage):
    """Dictionaries; a blob is dropped when no repository holds it any more."""

    description = "inmemory"

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._holders: dict[str, set[str]] = defaultdict(set)
        self._repositories: dict[str, _Repository] = {}
        self._uploads: dict[str, MemoryUpload] = {}
        self._names = Index((), by_name)

    def share(self, _shared: Shared) -> None:
        """Refused: memory belongs to one process."""
        raise StorageError("each process would have content of its own")

    def _made(self, name: str) -> _Repository:
        if name not in self._repositories:
            self._repositories[name] = _Repository()
            self._names.add(name)
        return self._repositories[name]

    def repositories(self) -> Names:
        """The names."""
        return self._names.names()

    def exists(self, name: str) -> bool:
        """Whether something was pushed."""
        return name in self._repositories

    def blobs(self, name: str) -> list[str]:
        """Its blobs."""
        repository = self._repositories.get(name)
        return list(repository.blobs) if repository else []

    def manifests(self, name: str) -> list[str]:
        """Its manifests."""
        repository = self._repositories.get(name)
        return list(repository.manifests) if repository else []

    def open_blob(self, name: str, digest: str) -> MemoryContent | None:
        """The blob, if held."""
        return MemoryContent(self._content[digest]) if self.has_blob(name, digest) else None

    def has_blob(self, name: str, digest: str) -> bool:
        """Whether it is held."""
        repository = self._repositories.get(name)
        return repository is not None and digest in repository.blobs

    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Hold it in a second repository."""
        if not self.has_blob(source, digest):
            return False
        self._hold(name, digest)
        return True

    def _hold(self, name: str, digest: str) -> None:
        self._made(name).blobs.add(digest)
        self._made(name).times[digest] = time.time()
        self._holders[digest].add(name)

    def delete_blob(self, name: str, digest: str) -> bool:
        """Take it out."""
        if not self.has_blob(name, digest):
            return False
        self._repositories[name].blobs.discard(digest)
        self._repositories[name].times.pop(digest, None)
        self._holders[digest].discard(name)
        if not self._holders[digest]:
            del self._holders[digest], self._content[digest]
        return True

    def start_upload(self, name: str) -> MemoryUpload:
        """A new session."""
        upload = MemoryUpload(name, str(uuid.uuid4()))
        self._uploads[upload.identifier] = upload
        return upload

    def find_upload(self, name: str, identifier: str) -> MemoryUpload | None:
        """A session of this repository."""
        upload = self._uploads.get(identifier)
        return upload if upload is not None and upload.repository == name else None

    def commit_upload(self, upload: Upload, digests: Iterable[str]) -> None:
        """Make it a blob."""
        session = self._uploads[upload.identifier]
        data = bytes(session.data)
        for digest in digests:
            self._content.setdefault(digest, data)
            self._hold(upload.repository, digest)
        self.discard_upload(upload)

    def open_uploads(self) -> int:
        """How many."""
        return len(self._uploads)

    def discard_upload(self, upload: Upload) -> None:
        """Forget it."""
        upload.closed = True
        self._uploads.pop(upload.identifier, None)

    def purge_uploads(self, before: float, dry_run: bool = False) -> int:
        """Forget the old ones."""
        old = [upload for upload in self._uploads.values() if upload.started < before]
        for upload in () if dry_run else old:
            self.discard_upload(upload)
        return len(old)

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store it."""
        repository = self._made(name)
        repository.manifests[manifest.digest] = manifest
        repository.times[manifest.digest] = time.time()
        if subject is not None:
            repository.referrers[subject].add(manifest.digest)

    def manifest(self, name: str, digest: str) -> Manifest | None:
        """The manifest, if held."""
        repository = self._repositories.get(name)
        return repository.manifests.get(digest) if repository else None

    def stored_at(self, name: str, digest: str) -> float | None:
        """When it came."""
        repository = self._repositories.get(name)
        return repository.times.get(digest) if repository else None

    def delete_manifest(self, name: str, digest: str, subject: str | None) -> None:
        """Take it out."""
        repository = self._repositories[name]
        repository.manifests.pop(digest, None)
        repository.times.pop(digest, None)
        if subject is not None:
            repository.referrers[subject].discard(digest)

    def tags(self, name: str) -> Sequence[str]:
        """Its tags."""
        repository = self._repositories.get(name)
        return repository.sorted_tags.names() if repository else []

    def tags_of(self, name: str, digest: str) -> list[str]:
        """Which of them point there."""
        repository = self._repositories.get(name)
        return list(repository.tags_of.get(digest, ())) if repository else []

    def tag(self, name: str, tag: str) -> str | None:
        """Where it points."""
        repository = self._repositories.get(name)
        return repository.tags.get(tag) if repository else None

    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point it."""
        self._made(name).set_tag(tag, digest)

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
        self._repositories[name].delete_tag(tag)

    def referrers(self, name: str, subject: str) -> list[str]:
        """Who refers to it."""
        repository = self._repositories.get(name)
        return list(repository.referrers.get(subject, ())) if repository else []
