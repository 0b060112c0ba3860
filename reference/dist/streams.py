"""Content in blocks, each byte hashed before it is given on; and files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from reference.dist.content import Descriptor
from reference.dist.errors import ContentError
from reference.grammar import new_hash

#: As much as a file system takes at once for little: ext4 spends three times as long on blocks of 1 MiB.
BLOCK = 256 << 10


class Reader(Protocol):
    """An open body or file."""

    def read(self, amount: int, /) -> bytes:
        """At most so many bytes; none at the end."""

    def close(self) -> None:
        """Let it go."""


#: Opens content at an offset.
Opener = Callable[[int], Reader]


class Verified:
    """Content whose last block is only given when size and digest are right.

    Args:
        descriptor: what it has to be.
        opener: opens it at an offset.
        tick: is told how many bytes are new; may raise, to stop.
        where: names the source in errors.
    """

    def __init__(self, descriptor: Descriptor, opener: Opener, tick: Callable[[int], None], where: str) -> None:
        self.descriptor = descriptor
        self._opener, self._tick, self._where = opener, tick, where
        self._state = new_hash(descriptor.algorithm)
        self._hashed = self._at = 0
        self._reader: Reader | None = None

    @property
    def read_so_far(self) -> int:
        """How many bytes of it were seen."""
        return self._hashed

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from one offset to another; the first may be any that was seen before.

        Raises:
            ContentError: it is shorter, longer or other than its descriptor says.
        """
        size = self.descriptor.size
        end = size if end is None else end
        if self._reader is None or start != self._at:
            self.close()
            self._reader, self._at = self._opener(start), start
        while self._at < end:
            block = self._reader.read(min(BLOCK, end - self._at))
            if not block:
                raise ContentError(f"{self._where}: {self.descriptor.digest} ends after {self._at} of {size} bytes")
            self._at += len(block)
            if (fresh := self._at - self._hashed) > 0:
                self._state.update(block[-fresh:])
                self._hashed = self._at
                self._tick(fresh)
            if self._at == size:
                self._finish(self._reader)
            yield block
        if size == 0:
            self._finish(self._reader)

    def close(self) -> None:
        """Let the source go."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _finish(self, reader: Reader) -> None:
        digest = self.descriptor.digest
        if reader.read(1):
            raise ContentError(f"{self._where}: {digest} goes on after {self.descriptor.size} bytes")
        actual = f"{self.descriptor.algorithm}:{self._state.hexdigest()}"
        if actual != digest:
            raise ContentError(f"{self._where}: {digest} was asked for, and content of {actual} came")


def save(path: Path, blocks: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file, whole or not at all; what was there before stays until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".dist-", dir=path.parent)
    try:
        with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - of a handle
            for block in blocks:
                _write(file.fileno(), block)
            os.fchmod(file.fileno(), mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _write(handle: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(handle, rest) :]
