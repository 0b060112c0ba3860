"""What digests of a target's answers are: well formed, and true."""

from __future__ import annotations

import hashlib
import re

_GRAMMAR = re.compile(r"(?P<algorithm>[a-z0-9]+(?:[+._-][a-z0-9]+)*):(?P<encoded>[a-zA-Z0-9=_-]+)")
#: Registered algorithms, and the number of their hexadecimal digits.
_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-fA-F]+")
#: The algorithms whose digests have one length.
_COMPUTED = frozenset(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))


def well_formed(digest: str) -> bool:
    """Tell whether a text is a digest; upper-case digits pass, as the grammar of Docker has them."""
    match = _GRAMMAR.fullmatch(digest)
    if match is None:
        return False
    length = _LENGTHS.get(match["algorithm"])
    return length is None or (len(match["encoded"]) == length and _HEX.fullmatch(match["encoded"]) is not None)


def is_digest_of(digest: str, content: bytes) -> bool | None:
    """Tell whether a digest is that of some bytes; ``None`` for an algorithm that the standard library does not have.

    Any algorithm may be used (OCI image specification, descriptor.md, Digests): those that are not registered as well.
    """
    algorithm, _, encoded = digest.partition(":")
    name = algorithm.replace("-", "_")
    if name not in _COMPUTED:
        return None
    return hashlib.new(name, content).hexdigest() == encoded.lower()


def fits(value: str, content: bytes) -> bool | None:
    """Tell whether any text is the digest of some bytes; one that is no digest is not, ``None`` as above."""
    digest = value.strip()
    return is_digest_of(digest, content) if _GRAMMAR.fullmatch(digest) else False


def malformed(digest: str) -> tuple[str, ...]:
    """Return what is no digest by any grammar, or of another length than the algorithm has, made from a true sha256.

    Those of a wrong length are near the true one: a registry that compares as much as there is takes them for it.
    """
    algorithm, _, encoded = digest.partition(":")
    lengths = (encoded[:40], encoded[:-1], f"{encoded}0")
    return ("nothex", f"{algorithm}:", f"{algorithm}:{'z' * len(encoded)}", *(f"{algorithm}:{e}" for e in lengths))
