"""Layers: a tar that is compressed or not becomes a gzip of it, the same bytes each time, in pieces."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from reference.grammar import Hash
from reference.storage import PIECE
from reference.v1.layout import Image

_BLOCK = 512
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_LEVEL = 6
#: Has zlib write the header and the end of a gzip file, without a name and a time.
_AS_GZIP = 31
#: A tar without a file in it, for an image without any.
EMPTY_TAR = bytes(2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class Blob:
    """What a layer is stored as."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that was read to its end: the digest of its tar, whether that has a file, and its blob if it is gzip."""

    diff_id: str
    is_empty: bool
    blob: Blob | None


class _Hashed(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes], *states: Hash) -> None:
        super().__init__()
        self._file = file
        self._states = states
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.size += len(data)
        for state in self._states:
            state.update(data)
        return len(data)


@contextmanager
def _reading(image: Image) -> Iterator[None]:
    """Say of which image the layer is that cannot be read."""
    try:
        yield
    except EOFError as error:
        raise image.broken("its layer ends too early") from error
    except (zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise image.broken(f"its layer cannot be decompressed: {error}") from error
    except OSError as error:
        raise image.broken(f"its layer cannot be read: {error.strerror or error}") from error


def _tar(file: io.BufferedReader[Any], start: bytes) -> Iterator[bytes]:
    """The tar of a layer that begins so, in pieces."""
    opened = _decompressed(file, start)
    while piece := opened.read(PIECE):
        yield piece


def _decompressed(file: io.BufferedReader[Any], start: bytes) -> io.BufferedIOBase:
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(_XZ):
        return lzma.LZMAFile(file)
    return bz2.BZ2File(file) if start.startswith(_BZIP2) else file


async def read(image: Image) -> Layer:
    """Read a layer to its end; it can be cancelled after each piece.

    Raises:
        Broken: it cannot be read, is no tar, or is not what the checksum of its push says.
    """
    whole, pushed, tar = hashlib.sha256(), hashlib.sha256(image.stored + b"\n"), hashlib.sha256()
    size, head, is_empty = 0, b"", True
    with _reading(image), image.layer.open("rb") as file:
        start = file.read(len(_XZ))
        file.seek(0)
        source = _Hashed(file, whole, pushed)
        buffered = io.BufferedReader(source, PIECE)
        for piece in _tar(buffered, start):
            tar.update(piece)
            size += len(piece)
            head += piece[: _BLOCK - len(head)]
            is_empty = is_empty and not piece.strip(b"\0")
            await asyncio.sleep(0)
        while buffered.read(PIECE):
            pass
    sums = [checksum for checksum in image.checksums if checksum.startswith("sha256:")]
    if sums and f"sha256:{pushed.hexdigest()}" not in sums:
        raise image.broken("its layer is not what was pushed: it has another checksum")
    _check(image, size, head, is_empty)
    blob = Blob(f"sha256:{whole.hexdigest()}", source.size) if start.startswith(_GZIP) else None
    return Layer(f"sha256:{tar.hexdigest()}", is_empty, blob)


def _check(image: Image, size: int, head: bytes, is_empty: bool) -> None:
    if not size:
        raise image.broken("its layer has no byte, not even those of an empty tar")
    if size % _BLOCK:
        raise image.broken("its layer ends too early, or is no tar")
    if not is_empty:
        try:
            tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise image.broken("its layer is no tar") from error


def as_gzip(image: Image, layer: Layer) -> Iterator[bytes]:
    """The blob of a layer, in pieces: the file as it is where that is gzip already.

    Raises:
        Broken: it cannot be read, or is no longer what it was.
    """
    with _reading(image), image.layer.open("rb") as file:
        if layer.blob is not None:
            while piece := file.read(PIECE):
                yield piece
            return
        start = file.read(len(_XZ))
        file.seek(0)
        state = hashlib.sha256()
        yield from compressed(_noted(_tar(file, start), state))
    if f"sha256:{state.hexdigest()}" != layer.diff_id:
        raise image.broken("its layer changed while it was read")


def _noted(pieces: Iterator[bytes], state: Hash) -> Iterator[bytes]:
    for piece in pieces:
        state.update(piece)
        yield piece


def compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A gzip file of bytes, a piece for each of theirs; the same ones give the same one."""
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _AS_GZIP)
    for piece in pieces:
        yield engine.compress(piece)
    yield engine.flush()


async def blob_of(pieces: Iterator[bytes]) -> Blob:
    """What bytes are stored as; it can be cancelled after each piece."""
    state, size = hashlib.sha256(), 0
    for piece in pieces:
        state.update(piece)
        size += len(piece)
        await asyncio.sleep(0)
    return Blob(f"sha256:{state.hexdigest()}", size)
