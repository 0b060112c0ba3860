"""Upload sessions in a bucket: each request adds an object, and the list of them is all that there is to know."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from reference.grammar import Hash, new_hash
from reference.storage import PIECE, Mark, Overtaken, Reader, Upload
from reference.storage.objects import keys
from reference.storage.objects.bucket import Bucket, Writer

#: What a bucket copies in one request.
LARGEST_COPY = 5 << 30


@dataclass(frozen=True, slots=True)
class Part:
    """What one request added. It is never changed: its name is used once."""

    name: str
    start: int
    size: int


def _place(position: int) -> str:
    return f"{position:015d}"


class ObjectUpload(Upload):
    """An upload whose parts are objects. What another registry added is seen at the beginning of each request."""

    def __init__(self, bucket: Bucket, repository: str, identifier: str) -> None:
        super().__init__(repository, identifier)
        self.bucket = bucket
        self.folder = keys.session(repository, identifier)
        self.parts: tuple[Part, ...] = ()
        self._writer: Writer | None = None
        self._writing = ""
        self._written = 0

    def begin(self) -> None:
        """Let the session be found."""
        self.bucket.put(f"{self.folder}/{keys.MARK}", b"")

    def refresh(self) -> None:
        """Believe the bucket rather than what this process remembers; the hash of other parts is not known."""
        listed = self.bucket.listed(self.folder)
        if keys.MARK not in listed:
            self.closed = True
            return
        parts = self._chain(listed)
        size = sum(part.size for part in parts)
        if (parts, size) != (self.parts, self.size):
            self.parts, self.size, self._state = parts, size, None

    def _chain(self, listed: Mapping[str, tuple[int, float]]) -> tuple[Part, ...]:
        """The parts that follow each other from the beginning on, each of them the one that its place was given to."""
        there: dict[str, list[Part]] = {}
        for name, (size, _) in listed.items():
            place, separator, _nonce = name.partition("-")
            if separator:
                there.setdefault(place, []).append(Part(name, int(place), size))
        parts: list[Part] = []
        place = _place(0)
        while place in listed:
            found = there.get(place, [])
            if len(found) > 1:
                winner = self.bucket.get(f"{self.folder}/{place}").decode()
                found = [part for part in found if part.name == winner]
            if not found or not found[0].size:
                break
            parts.append(found[0])
            place = _place(found[0].start + found[0].size)
        return tuple(parts)

    def reader(self) -> Reader:
        """None: what is on its way is not in the bucket."""
        raise OSError("what is uploaded to a bucket cannot be read before it is there")

    async def rollback(self, mark: Mark) -> None:
        """Forget what was written since; what is not finished never appears."""
        with suppress(OSError):
            await self._join()
        if self._writer is not None:
            writer, self._writer = self._writer, None
            self.bucket.in_thread(writer.abandon)
        await super().rollback(mark)

    def _store(self, data: bytes) -> None:
        self.bucket.in_thread(self._append, data)

    def _append(self, data: bytes) -> None:
        if self._writer is None:
            place = _place(sum(part.size for part in self.parts))
            self._writing, self._written = f"{place}-{uuid.uuid4().hex}", 0
            self._writer = self.bucket.writer(f"{self.folder}/{self._writing}")
        self._writer.write(data)
        self._written += len(data)

    def _release(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            self.bucket.in_thread(writer.finish)
            name, place = self._writing, self._writing.partition("-")[0]
            if not self.bucket.claim(f"{self.folder}/{place}", name.encode()):
                self.bucket.delete([f"{self.folder}/{name}"])
                raise Overtaken
            self.parts += (Part(name, int(place), self._written),)

    def _truncate(self, size: int) -> None:
        gone = [part for part in self.parts if part.start >= size]
        self.parts = tuple(part for part in self.parts if part.start < size)
        # The place first: one that was given to nothing would be lost.
        self.bucket.delete([f"{self.folder}/{_place(part.start)}" for part in gone])
        self.bucket.delete([f"{self.folder}/{part.name}" for part in gone])

    def _hash_again(self, algorithm: str) -> Hash:
        state = new_hash(algorithm)
        for piece in self._pieces():
            state.update(piece)
        return state

    def _pieces(self) -> Iterator[bytes]:
        for part in self.parts:
            for start in range(0, part.size, PIECE << 2):
                yield self.bucket.part(f"{self.folder}/{part.name}", start, min(PIECE << 2, part.size - start))

    def become(self, key: str) -> None:
        """Let the data appear under a key: what was hashed, and nothing that came since."""
        if not self.parts:
            self.bucket.put(key, b"")
        elif len(self.parts) == 1 and self.size <= LARGEST_COPY:
            self.bucket.copy(f"{self.folder}/{self.parts[0].name}", key)
        else:
            self.bucket.in_thread(self._join_parts, key)

    def _join_parts(self, key: str) -> None:
        writer = self.bucket.writer(key)
        try:
            for piece in self._pieces():
                writer.write(piece)
        except BaseException:
            writer.abandon()
            raise
        writer.finish()

    def remove(self) -> None:
        """Take the session out of the bucket; its mark goes first, so that nobody finds half of it."""
        self.bucket.delete([f"{self.folder}/{keys.MARK}"])
        self.bucket.delete([f"{self.folder}/{name}" for name in self.bucket.listed(self.folder)])
