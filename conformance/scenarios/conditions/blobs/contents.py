"""What blobs of the rows hold: made from a seed, piece by piece as it is sent."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import struct
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import unquote, urlsplit

from conformance.client.http.transport import Payload

#: Bytes of a piece; more than so many pieces are never kept together.
PIECE = 64 * 1024
WHOLE = 17
_BLOCK = 128 * 1024
_ENDS = 5 * 1024
#: No offset that a careless server mistakes is a multiple of it.
_PERIOD = 251
_SIZES = {
    "empty": 0,
    "one-byte": 1,
    "b65536": 1 << 16,
    "b1m": (1 << 20) + 3,
    "b4m": 1 << 22,
    "b20m": 20 * (1 << 20) + 9,
}


class Content:
    """Bytes that a seed determines; those of a large content are made anew each time they are wanted."""

    def __init__(self, size: int, seed: str, whole: bytes | None = None) -> None:
        self.size = size
        self._seed = seed
        self._whole = whole
        self._digests: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of its bytes."""
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        """Return some bytes, as of bytes that are at hand."""
        first, end, _ = part.indices(self.size)
        return self.part(first, end)

    @property
    def large(self) -> bool:
        """Whether it is sent, and pulled, in pieces that are not kept."""
        return self._whole is None and self.size > PIECE * WHOLE

    def pieces(self, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from one position up to another, which is not included."""
        end = self.size if end is None else min(end, self.size)
        while first < end:
            number, skip = divmod(first, PIECE)
            piece = self._piece(number)[skip : skip + end - first]
            yield piece
            first += len(piece)

    def part(self, first: int, end: int) -> bytes:
        """Return some bytes at once."""
        return b"".join(self.pieces(first, end))

    def payload(self, first: int = 0, end: int | None = None) -> Payload:
        """Return what is sent of it: bytes, or a function that gives them anew for each attempt."""
        if self.large:
            return lambda: self.pieces(first, end)
        return b"".join(self.pieces(first, end))

    def digest(self, algorithm: str) -> str:
        """Return its digest with the algorithm."""
        if algorithm not in self._digests:
            summed = hashlib.new(algorithm)
            for piece in self.pieces():
                summed.update(piece)
            self._digests[algorithm] = f"{algorithm}:{summed.hexdigest()}"
        return self._digests[algorithm]

    def _piece(self, number: int) -> bytes:
        if self._whole is not None:
            return self._whole[number * PIECE : (number + 1) * PIECE]
        if self.large:
            return self._random(number)
        return self._bytes[number * PIECE : (number + 1) * PIECE]

    def _random(self, number: int) -> bytes:
        return random.Random(f"{self._seed}:{number}").randbytes(min(PIECE, self.size - number * PIECE))

    @cached_property
    def _bytes(self) -> bytes:
        return b"".join(self._random(number) for number in range(-(-self.size // PIECE)))


def make(kind: str, seed: str) -> Content:
    """Return the content of a kind (a value of the dimension ``content``); another seed gives other bytes."""
    if kind == "b65536":
        return Content(_SIZES[kind], seed, _alike(seed, _SIZES[kind]))
    if kind in _SIZES:
        return Content(_SIZES[kind], seed)
    noise = random.Random(seed)
    whole = {
        "config": _config,
        "empty-json": lambda _: b"{}",
        "gzip": _gzip,
        "zstd": _zstd,
        "manifest-like": _manifest,
    }[kind](noise)
    return Content(len(whole), seed, whole)


def _alike(seed: str, size: int) -> bytes:
    """Return bytes that can be packed, and that begin and end as all others of a size do.

    A careless store takes two such files for one, or tells the length of the packed one.
    """
    ends = random.Random(size).randbytes(2 * _ENDS)
    middle = random.Random(seed).randbytes(_PERIOD) * (size // _PERIOD)
    return ends[:_ENDS] + middle[: size - len(ends)] + ends[_ENDS:]


def _config(noise: random.Random) -> bytes:
    labels = {"conformance": noise.randbytes(16).hex(), "sign": "ä → ü"}
    document = {"architecture": "amd64", "os": "linux", "config": {"Labels": labels}, "rootfs": {"type": "layers"}}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _manifest(noise: random.Random) -> bytes:
    digest = f"sha256:{noise.randbytes(32).hex()}"
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2}
    return json.dumps({"schemaVersion": 2, "config": descriptor, "layers": []}).encode()


def _gzip(noise: random.Random, size: int = PIECE - 1) -> bytes:
    """Return a gzip file of a size (RFC 1952): its comment takes what the data leaves."""
    packed = gzip.compress(noise.randbytes(size - 1024), compresslevel=1, mtime=0)
    head, rest = bytearray(packed[:10]), packed[10:]
    head[3] |= 0x10  # FCOMMENT
    comment = b"c" * (size - len(packed) - 1) + b"\0"
    return bytes(head) + comment + rest


def _zstd(noise: random.Random, size: int = PIECE + 1) -> bytes:
    """Return a zstd file of a size (RFC 8878): one frame of a single segment whose blocks are as they are."""
    head = struct.pack("<IB", 0xFD2FB528, 0xA0)
    data = noise.randbytes(size - len(head) - 4 - 3)
    blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
    framed = b"".join(
        struct.pack("<I", (len(block) << 3) | (number == len(blocks) - 1))[:3] + block
        for number, block in enumerate(blocks)
    )
    return head + struct.pack("<I", len(data)) + framed


def names_another(url: str, content: Content) -> bool:
    """Tell whether a Location ends in a digest that is none of a content."""
    last = unquote(urlsplit(url).path.rpartition("/")[2])
    own = {content.digest("sha256"), content.digest("sha512")}
    return last.startswith(("sha256:", "sha512:")) and last not in own
