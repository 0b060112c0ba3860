"""Which tokens a registry trusts: JSON Web Tokens signed by a key of its certificate bundle."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: Seconds that two clocks may differ.
LEEWAY = 5.0
ALGORITHMS = ("ES256", "RS256")
_REQUIRED = ("iss", "aud", "exp")
_CHAIN = 8

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
#: What a token grants: actions by type and name of a resource. A resource without actions was asked for in vain.
Grants = Mapping[tuple[str, str], frozenset[str]]


class BundleError(Exception):
    """A certificate bundle that cannot be used."""


class TokenError(Exception):
    """A token that is not trusted."""


def key_id(key: PublicKey) -> str:
    """The fingerprint of a key as `kid` has it: 240 bits of SHA-256 in twelve groups of base32."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def load_bundle(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BundleError(f"{path}: holds no certificates in PEM") from error
    if not all(isinstance(certificate.public_key(), PublicKey) for certificate in certificates):
        raise BundleError(f"{path}: holds a key that is neither RSA nor of an elliptic curve")
    return certificates


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trusted token says: whose it is, empty for nobody's, and what it grants."""

    subject: str
    grants: Grants


class Trust:
    """Verifies tokens of one issuer for one service."""

    def __init__(self, issuer: str, service: str, roots: list[x509.Certificate]) -> None:
        self.issuer = issuer
        self.service = service
        self.leeway = LEEWAY
        #: What is looked at, by the names of the library.
        self.options: dict[str, Any] = {"require": list(_REQUIRED)}
        self._roots = roots
        self._keys = {key_id(_key_of(root)): _key_of(root) for root in roots}
        self._chain = lru_cache(maxsize=64)(self._checked_chain)

    def verify(self, token: str) -> Verified:
        """Check signature, issuer, audience and time of a token.

        Raises:
            TokenError: it is not trusted; the message says why and holds nothing of the token.
        """
        try:
            return self.read(self.claims(token, self.signing_key(jwt.get_unverified_header(token))))
        except (jwt.PyJWTError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise TokenError(f"the token is not trusted: {type(error).__name__}") from error

    def claims(self, token: str, key: PublicKey) -> dict[str, Any]:
        """The claims of a token that this key signed and that is valid here and now."""
        return jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            issuer=self.issuer,
            audience=self.service,
            leeway=self.leeway,
            options=self.options,  # type: ignore[arg-type]  # a dictionary is a TypedDict to nobody
        )

    def signing_key(self, header: Mapping[str, Any]) -> PublicKey:
        """The key that a header names: by a chain of certificates, or by the fingerprint of a root's key."""
        chain = header.get("x5c")
        if chain is None:
            key = self._keys.get(str(header.get("kid")))
            if key is None:
                raise TokenError("the token is of an unknown key")
            return key
        if not isinstance(chain, list) or not 0 < len(chain) <= _CHAIN or not all(isinstance(c, str) for c in chain):
            raise TokenError("the token has a malformed chain of certificates")
        certificates = self._chain(tuple(chain))
        now = datetime.datetime.now(datetime.UTC)
        if not all(c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in certificates):
            raise TokenError("a certificate of the token is not valid now")
        return _key_of(certificates[0])

    def read(self, claims: Mapping[str, Any]) -> Verified:
        """What the claims grant; entries for the same resource are added up."""
        grants: dict[tuple[str, str], frozenset[str]] = {}
        for entry in claims.get("access") or []:
            resource = str(entry.get("type")), str(entry.get("name"))
            grants[resource] = grants.get(resource, frozenset()) | {str(action) for action in entry["actions"] or []}
        return Verified(str(claims.get("sub") or ""), grants)

    def _checked_chain(self, chain: tuple[str, ...]) -> list[x509.Certificate]:
        """The certificates of a chain that leads to a root, leaf first."""
        found = [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in chain]
        issuers = [*found[1:], None]
        for certificate, issuer in zip(found, issuers, strict=True):
            if certificate in self._roots:
                return found
            if issuer is not None and not (_may_issue(issuer) and _issued(certificate, issuer)):
                break
            if issuer is None and any(_issued(certificate, root) for root in self._roots):
                return found
        raise TokenError("the token's certificate does not lead to a trusted one")


def _key_of(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, PublicKey):
        raise TokenError("the token is of a key that is neither RSA nor of an elliptic curve")
    return key


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
