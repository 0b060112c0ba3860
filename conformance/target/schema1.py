"""Signed manifests of schema 1 (Docker, manifest-v2-1): made, and read without signatures."""

from __future__ import annotations

import base64
import json
from typing import Any

from conformance.target.content import Blob, Maker, Manifest, digest_of

SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
_TAIL = b"\n}"
#: Octets of each of the two numbers of an ES256 signature (RFC 7518, 3.4), and of a key's
#: coordinates.
_OCTETS = 32


def signed_image(make: Maker, name: str, tag: str, layers: list[Blob]) -> Manifest:
    """Make a signed manifest of a repository and a tag; its digest is that of what was signed."""
    history = {"id": make.bytes(32).hex(), "architecture": "amd64", "os": "linux"}
    document = {
        "name": name,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer.digest} for layer in layers],
        "history": [{"v1Compatibility": json.dumps(history)} for _ in layers],
        "schemaVersion": 1,
    }
    text = json.dumps(document, indent=3).encode()
    block = json.dumps([_signature(make, text)], indent=3).replace("\n", "\n   ").encode()
    body = text.removesuffix(_TAIL) + b',\n   "signatures": ' + block + _TAIL
    return Manifest(body, SIGNED, digest_of(text), tag, tuple(layers))


def _signature(make: Maker, text: bytes) -> dict[str, Any]:
    # Slow to load, and wanted by one scenario alone.
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  # see above
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  # see above

    # A key of the run's own: it protects nothing, and is no secret.
    key = ec.derive_private_key(int.from_bytes(make.bytes(_OCTETS - 1), "big") + 1, ec.SECP256R1())
    public = key.public_key().public_numbers()
    format_ = {"formatLength": len(text) - len(_TAIL), "formatTail": _encoded(_TAIL), "time": "2020-01-01T00:00:00Z"}
    protected = _encoded(json.dumps(format_).encode())
    made = key.sign(f"{protected}.{_encoded(text)}".encode(), ec.ECDSA(hashes.SHA256()))
    halves = b"".join(number.to_bytes(_OCTETS, "big") for number in utils.decode_dss_signature(made))
    x, y = (_encoded(number.to_bytes(_OCTETS, "big")) for number in (public.x, public.y))
    header = {"jwk": {"crv": "P-256", "kty": "EC", "x": x, "y": y}, "alg": "ES256"}
    return {"header": header, "signature": _encoded(halves), "protected": protected}


def signed_text(content: bytes) -> bytes | None:
    """Return the payload of a manifest's first signature, unverified; ``None`` if unreadable."""
    try:
        protected = json.loads(content)["signatures"][0]["protected"]
        header = json.loads(_decoded(protected))
        length = header["formatLength"]
        return content[:length] + _decoded(header["formatTail"]) if 0 < length <= len(content) else None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(value: str) -> bytes:
    return base64.urlsafe_b64decode(value.encode() + b"=" * (-len(value) % 4))
