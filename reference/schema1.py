"""Signed manifests of schema 1 (Docker, manifest-v2-1): what was signed, and whether it was.

The signatures stand in a member of the signed JSON itself: their protected headers say how many bytes of the text
belong to what was signed, and what came after these. The digest of such a manifest is that of the signed text.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from reference import errors
from reference.documents import SIGNED, Json, parse

#: Octets of each of the two numbers of an ES256 signature (RFC 7518, 3.4), and of a key's coordinates.
_OCTETS = 32
_CURVE = "P-256"


def is_signed(content_type: str) -> bool:
    """Whether a content type is that of signed manifests."""
    return content_type.partition(";")[0].strip().lower() == SIGNED


def payload(content: bytes) -> bytes:
    """What was signed; refused where it was not, or not by all who say so."""
    signatures = parse(content).get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise errors.manifest_unverified("there is no signature")
    try:
        found = {_verified(content, signature) for signature in signatures}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise errors.manifest_unverified("a signature is malformed") from error
    if len(found) != 1:
        raise errors.manifest_unverified("the signatures are of different texts")
    return found.pop()


def check_place(members: Json, name: str, reference: str) -> None:
    """Refuse a manifest that is pushed elsewhere than it says."""
    if members.get("name") != name:
        raise errors.name_invalid(str(members.get("name"))[:255])
    if ":" not in reference and members.get("tag") != reference:
        raise errors.tag_invalid(reference)


def _verified(content: bytes, signature: dict[str, Any]) -> bytes:
    # Slow to load, and wanted by registries that take such manifests alone.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415 - see above

    protected: str = signature["protected"]
    header = json.loads(_decoded(protected))
    length: int = header["formatLength"]
    if not 0 < length <= len(content):
        raise errors.manifest_unverified("a signature is of a text of another length")
    text = content[:length] + _decoded(header["formatTail"])
    key, raw = signature["header"]["jwk"], _decoded(signature["signature"])
    if signature["header"]["alg"] != "ES256" or key["crv"] != _CURVE or len(raw) != 2 * _OCTETS:
        raise errors.manifest_unverified("only ES256 signatures are supported")
    public = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1()).public_key()
    halves = (int.from_bytes(raw[:_OCTETS], "big"), int.from_bytes(raw[_OCTETS:], "big"))
    signed = f"{protected}.{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}".encode()
    try:
        public.verify(utils.encode_dss_signature(*halves), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise errors.manifest_unverified("a signature does not fit") from error
    return text


def _number(value: str) -> int:
    return int.from_bytes(_decoded(value), "big")


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value.encode() + b"=" * (-len(value) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
