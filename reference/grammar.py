"""Names, tags and digests: the grammars of OCI 1.1, with Docker's limit on the length of a name."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

NAME_LIMIT = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]+")
_HEX = {"sha256": re.compile(r"[a-f0-9]{64}"), "sha512": re.compile(r"[a-f0-9]{128}")}

ALGORITHMS = tuple(_HEX)


class Hash(Protocol):
    """What is used of a hashlib object."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """The digest so far, in lower-case hexadecimal."""

    def copy(self) -> Hash:
        """An independent copy of the state."""


def new_hash(algorithm: str) -> Hash:
    """A fresh hash of a supported algorithm."""
    return hashlib.sha512() if algorithm == "sha512" else hashlib.sha256()


def is_name(name: str) -> bool:
    """Whether a repository may be called so."""
    return len(name) <= NAME_LIMIT and _NAME.fullmatch(name) is not None


def is_tag(reference: str) -> bool:
    """Whether the reference is a well-formed tag."""
    return _TAG.fullmatch(reference) is not None


def is_digest(value: str) -> bool:
    """Whether the value is well-formed; of a registered algorithm also in length and letter case."""
    if _DIGEST.fullmatch(value) is None:
        return False
    algorithm, encoded = value.split(":", 1)
    pattern = _HEX.get(algorithm)
    return pattern is None or pattern.fullmatch(encoded) is not None


def is_supported(digest: str) -> bool:
    """Whether content can be verified by this digest."""
    return is_digest(digest) and digest.split(":", 1)[0] in _HEX


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes at hand."""
    state = new_hash(algorithm)
    state.update(content)
    return f"{algorithm}:{state.hexdigest()}"
