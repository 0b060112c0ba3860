"""The key of a token service, the certificate that registries trust, and the tokens that it signs."""

from __future__ import annotations

import base64
import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from reference.auth.trust import key_id

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_BITS = 2048
_YEARS = 10


class KeyFileError(Exception):
    """A file of a key or a certificate that cannot be read or written."""


class Signer:
    """Signs tokens with one key; names it both by its certificate and by its fingerprint."""

    def __init__(self, key: PrivateKey, issuer: str) -> None:
        self.key = key
        self.algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        self.certificate = _certificate(key, issuer)
        der = self.certificate.public_bytes(Encoding.DER)
        self.header = {"kid": key_id(key.public_key()), "x5c": [base64.b64encode(der).decode()]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token of these claims."""
        return jwt.encode(dict(claims), self.key, self.algorithm, self.header)

    def write_bundle(self, path: Path) -> None:
        """Write the certificate where registries read it; it is there whole or not at all."""
        _write(path, self.certificate.public_bytes(Encoding.PEM), 0o644)


def make_key(algorithm: str) -> PrivateKey:
    """A new key for an algorithm."""
    return rsa.generate_private_key(65537, _BITS) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())


def keep_key(path: Path, algorithm: str) -> PrivateKey:
    """The key of a file, or a new one that is written there for its owner alone."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        key = make_key(algorithm)
        _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        return key
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    try:
        found = load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: holds no private key in PEM without a password") from error
    if algorithm == "RS256" and isinstance(found, rsa.RSAPrivateKey):
        return found
    if algorithm == "ES256" and isinstance(found, ec.EllipticCurvePrivateKey) and found.curve.name == "secp256r1":
        return found
    raise KeyFileError(f"{path}: holds no key for {algorithm}")


def _certificate(key: PrivateKey, issuer: str) -> x509.Certificate:
    """A certificate that the key signs for itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[:64])])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def _write(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        beside.replace(path)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
