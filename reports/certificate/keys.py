"""Keys of certificates: Ed25519, and ECDSA on the curves P-256 and P-384 with SHA-256, in PEM."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey
_KINDS = "an Ed25519 key or an ECDSA key on P-256 or P-384, in PEM"


class KeyFileError(ValueError):
    """A key that cannot be used; the message is one sentence and has nothing of the key."""


def private(path: Path, password: str) -> PrivateKey:
    """Read the key that signs.

    Raises:
        KeyFileError: the file cannot be read, is no such key, or wants another password.
    """
    data = _read(path)
    try:
        key = load_pem_private_key(data, password.encode() or None)
    except TypeError:
        wanted = "has none" if password else "needs one"
        raise KeyFileError(f"{path} {wanted}: the password of the key, in CERTIFICATE_KEY_PASSWORD.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} is not {_KINDS}, or its password is another.") from None
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, EllipticCurvePrivateKey) and _fits(key.public_key())):
        return key
    raise KeyFileError(f"{path} is not {_KINDS}.")


def public(path: Path) -> PublicKey:
    """Read the key that a signature is checked by.

    Raises:
        KeyFileError: the file cannot be read, or is no such key.
    """
    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise KeyFileError(f"{path} is a private key; openssl pkey -in KEY -pubout writes the public one.")
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} is not {_KINDS}.") from None
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and _fits(key)):
        return key
    raise KeyFileError(f"{path} is not {_KINDS}.")


def key_id(key: PublicKey) -> str:
    """Return the SHA-256 of a public key, in hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Return a signature."""
    return key.sign(data) if isinstance(key, Ed25519PrivateKey) else key.sign(data, ECDSA(hashes.SHA256()))


def verifies(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Return whether a signature of some data is of the key."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _fits(key: EllipticCurvePublicKey) -> bool:
    return isinstance(key.curve, SECP256R1 | SECP384R1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
