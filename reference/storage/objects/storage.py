"""Storage in a bucket that several registries may share; see ``keys`` for what is where, and why."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from reference.messages import Content
from reference.storage import PIECE, Manifest, Storage, Upload
from reference.storage.layout import is_identifier
from reference.storage.names import Index, Names, by_name, by_tag
from reference.storage.objects import keys
from reference.storage.objects.bridge import carried
from reference.storage.objects.bucket import Bucket
from reference.storage.objects.upload import LARGEST_COPY, ObjectUpload
from reference.storage.shared import Shared

T = TypeVar("T")
#: Sessions whose hash is remembered. Of another one it is computed anew, from what is stored.
_MOST_SESSIONS = 1000
_READ = PIECE << 2
#: Seconds for which a URL of the bucket is good.
_SIGNED = 20 * 60


class ObjectContent:
    """An object that is read by ranges, each of its own request: a slow client keeps none open."""

    def __init__(self, bucket: Bucket, key: str, size: int) -> None:
        self._bucket = bucket
        self._key = key
        self._size = size

    @property
    def size(self) -> int:
        """The length in bytes."""
        return self._size

    async def chunks(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces, the next one being read while one is sent."""
        end = min(start + length, self._size)
        ahead = asyncio.ensure_future(self._piece(start, end)) if start < end else None
        try:
            while ahead is not None:
                piece = await ahead
                start += len(piece)
                ahead = asyncio.ensure_future(self._piece(start, end)) if start < end else None
                yield piece
        finally:
            if ahead is not None:
                ahead.cancel()

    async def _piece(self, start: int, end: int) -> bytes:
        wanted = min(_READ, end - start)
        piece = await self._bucket.fetch(self._key, start, wanted)
        if len(piece) != wanted:
            raise OSError("stored content is shorter than it was")
        return piece

    def close(self) -> None:
        """Nothing is held open."""


class ObjectStorage(Storage):
    """Objects below a root of a bucket; with ``redirects`` blobs are pulled from the bucket itself."""

    def __init__(self, bucket: Bucket, description: str, redirects: bool = False) -> None:
        self.description = description
        self._bucket = bucket
        self._redirects = redirects
        #: Repositories that are known to exist: none of them ever ceases to.
        self._known: set[str] = set()
        self._uploads: OrderedDict[str, ObjectUpload] = OrderedDict()

    async def carried(self, request: Coroutine[Any, Any, T]) -> T:
        """Await a request; where it has to wait for the bucket, others go on."""
        return await carried(request)

    def share(self, _shared: Shared) -> None:
        """A bucket may have any number of registries, so the processes of one need nothing."""

    def check(self) -> None:
        """Raise where the bucket cannot be listed."""
        self._bucket.reach(keys.NAMES)

    def repositories(self) -> Names:
        """The names that are marked."""
        found = [key.removesuffix(f"/{keys.MARK}") for key in self._bucket.listed(keys.NAMES)]
        self._known.update(found)
        return Index(found, by_name).names()

    def exists(self, name: str) -> bool:
        """Whether it is marked."""
        if name not in self._known and self._bucket.size(keys.known(name)) is not None:
            self._known.add(name)
        return name in self._known

    def _mark(self, name: str) -> None:
        if name not in self._known:
            self._bucket.put(keys.known(name), b"")
            self._known.add(name)

    def blobs(self, name: str) -> list[str]:
        """Its blobs."""
        return self._digests(name, keys.BLOBS)

    def manifests(self, name: str) -> list[str]:
        """Its manifests."""
        return self._digests(name, keys.MANIFESTS)

    def _digests(self, name: str, kind: str) -> list[str]:
        return [key.replace("/", ":", 1) for key in self._bucket.listed(keys.folder(name, kind))]

    def open_blob(self, name: str, digest: str) -> Content | None:
        """The blob, if held."""
        key = keys.held(name, keys.BLOBS, digest)
        size = self._bucket.size(key)
        return None if size is None else ObjectContent(self._bucket, key, size)

    def blob_url(self, name: str, digest: str) -> str | None:
        """Where the bucket itself gives the blob, if it is to."""
        return self._bucket.signed(keys.held(name, keys.BLOBS, digest), _SIGNED) if self._redirects else None

    def has_blob(self, name: str, digest: str) -> bool:
        """Whether it is held."""
        return self._bucket.size(keys.held(name, keys.BLOBS, digest)) is not None

    def mount_blob(self, source: str, name: str, digest: str) -> bool:
        """Have the bucket copy it. What is too large for that has to be pushed."""
        held = keys.held(source, keys.BLOBS, digest)
        size = self._bucket.size(held)
        if size is None or size > LARGEST_COPY:
            return False
        self._mark(name)
        if source != name:
            try:
                self._bucket.copy(held, keys.held(name, keys.BLOBS, digest))
            except FileNotFoundError:
                return False
        return True

    def delete_blob(self, name: str, digest: str) -> bool:
        """Take it out."""
        return self._delete(keys.held(name, keys.BLOBS, digest))

    def _delete(self, key: str) -> bool:
        is_there = self._bucket.size(key) is not None
        if is_there:
            self._bucket.delete([key])
        return is_there

    def start_upload(self, name: str) -> ObjectUpload:
        """A new session."""
        upload = ObjectUpload(self._bucket, name, str(uuid.uuid4()))
        upload.begin()
        self._remember(upload)
        return upload

    def _remember(self, upload: ObjectUpload) -> None:
        self._uploads[upload.identifier] = upload
        while len(self._uploads) > _MOST_SESSIONS:
            self._uploads.popitem(last=False)

    def find_upload(self, name: str, identifier: str) -> ObjectUpload | None:
        """A session of this repository, whoever began it."""
        upload = self._uploads.get(identifier)
        if upload is None and is_identifier(identifier):
            upload = ObjectUpload(self._bucket, name, identifier)
            upload.refresh()
            if upload.closed:
                return None
            # Another request may have found it meanwhile; they have to take turns.
            upload = self._uploads.get(identifier, upload)
            self._remember(upload)
        return upload if upload is not None and upload.repository == name else None

    def commit_upload(self, upload: Upload, digests: Iterable[str]) -> None:
        """Copy it to where the repository holds blobs, and forget the session."""
        assert isinstance(upload, ObjectUpload)
        self._mark(upload.repository)
        for digest in dict.fromkeys(digests):
            upload.become(keys.held(upload.repository, keys.BLOBS, digest))
        self.discard_upload(upload)

    def open_uploads(self) -> int:
        """How many."""
        return sum(key.endswith(f"/{keys.MARK}") for key in self._bucket.listed(keys.UPLOADS))

    def discard_upload(self, upload: Upload) -> None:
        """Forget it."""
        assert isinstance(upload, ObjectUpload)
        upload.closed = True
        self._uploads.pop(upload.identifier, None)
        upload.remove()

    def purge_uploads(self, before: float, dry_run: bool = False) -> int:
        """Forget the old ones, by the time of their last write, and what is left of others."""
        sessions: dict[str, dict[str, float]] = {}
        for key, (_, written) in self._bucket.listed(keys.UPLOADS).items():
            folder, _, part = key.partition("/")
            sessions.setdefault(folder, {})[part] = written
        old = {folder: parts for folder, parts in sessions.items() if max(parts.values()) < before}
        for folder, parts in {} if dry_run else old.items():
            if (upload := self._uploads.pop(folder.partition("-")[2], None)) is not None:
                upload.closed = True
            # The mark goes first, so that nobody finds half of a session.
            for part in sorted(parts, key=lambda part: part != keys.MARK):
                self._bucket.delete([f"{keys.UPLOADS}/{folder}/{part}"])
        return sum(keys.MARK in parts for parts in old.values())

    def stored_at(self, name: str, digest: str) -> float | None:
        """The time of its object."""
        manifest = self._bucket.modified(keys.held(name, keys.MANIFESTS, digest))
        return manifest if manifest is not None else self._bucket.modified(keys.held(name, keys.BLOBS, digest))

    def put_manifest(self, name: str, manifest: Manifest, subject: str | None) -> None:
        """Store type and content in one object."""
        self._mark(name)
        if subject is not None:
            self._bucket.put(f"{keys.referring(name, subject)}/{manifest.digest.replace(':', '/', 1)}", b"")
        content = manifest.media_type.encode() + b"\n" + manifest.content
        self._bucket.put(keys.held(name, keys.MANIFESTS, manifest.digest), content)

    def manifest(self, name: str, digest: str) -> Manifest | None:
        """The manifest, if held."""
        with suppress(FileNotFoundError):
            media_type, _, content = self._bucket.get(keys.held(name, keys.MANIFESTS, digest)).partition(b"\n")
            return Manifest(digest, media_type.decode(), content)
        return None

    def delete_manifest(self, name: str, digest: str, _subject: str | None) -> None:
        """Take it out."""
        self._bucket.delete([keys.held(name, keys.MANIFESTS, digest)])

    def tags(self, name: str) -> Names:
        """Its tags."""
        return Index(self._bucket.listed(keys.folder(name, keys.TAGS)), by_tag).names()

    def tags_of(self, name: str, digest: str) -> list[str]:
        """Which of them point there: those that did once, as far as they still do."""
        once = self._bucket.listed(keys.held(name, keys.TAGGED, digest))
        return [tag for tag in once if self.tag(name, tag) == digest]

    def tag(self, name: str, tag: str) -> str | None:
        """Where it points."""
        with suppress(FileNotFoundError):
            return self._bucket.get(keys.tag(name, tag)).decode()
        return None

    def set_tag(self, name: str, tag: str, digest: str) -> None:
        """Point it."""
        self._bucket.put(f"{keys.held(name, keys.TAGGED, digest)}/{tag}", b"")
        self._bucket.put(keys.tag(name, tag), digest.encode())

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove it."""
        self._bucket.delete([keys.tag(name, tag)])

    def referrers(self, name: str, subject: str) -> list[str]:
        """Who refers to it: those that did once, as far as they are still there."""
        once = [key.replace("/", ":", 1) for key in self._bucket.listed(keys.referring(name, subject))]
        return [digest for digest in once if self._bucket.size(keys.held(name, keys.MANIFESTS, digest)) is not None]
