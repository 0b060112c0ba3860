"""The envelope of a certificate: DSSE 1.0 (https://github.com/secure-systems-lab/dsse), with one kind of payload."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from reports.certificate.keys import PrivateKey, PublicKey, key_id, sign, verifies

#: The only kind of payload that is taken.
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class EnvelopeError(ValueError):
    """It is no envelope, or nothing in it is signed by the key; the message is one sentence."""


def seal(payload: bytes, key: PrivateKey) -> str:
    """Return the envelope of a payload, signed by a key."""
    public = key.public_key()
    signature = sign(key, _authenticated(PAYLOAD_TYPE, payload))
    document = {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(public), "sig": base64.b64encode(signature).decode("ascii")}],
    }
    return json.dumps(document, indent=1) + "\n"


def unseal(data: bytes, key: PublicKey) -> bytes:
    """Return the payload of an envelope that the key has signed.

    Raises:
        EnvelopeError: it is no such envelope. Nothing of a payload is read before its signature was checked.
    """
    document = _document(data)
    if "dsseEnvelope" in document:
        raise EnvelopeError("it is a bundle of sigstore, and is verified by --identity and --issuer.")
    payload = _decoded(document.get("payload"), "payload")
    kind = document.get("payloadType")
    if kind != PAYLOAD_TYPE:
        raise EnvelopeError(f"its payload is not {PAYLOAD_TYPE}.")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise EnvelopeError("it has no signature.")
    signed = _authenticated(PAYLOAD_TYPE, payload)
    for each in signatures:
        # The id of a key is a hint, and says nothing of who signed.
        found = _decoded(each.get("sig") if isinstance(each, dict) else None, "signature")
        if verifies(key, found, signed):
            return payload
    raise EnvelopeError("it is not signed by this key, or was changed since.")


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise EnvelopeError("it is no JSON object.")
    return document


def _decoded(text: object, what: str) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise EnvelopeError(f"its {what} is not Base64.") from None


def _authenticated(kind: str, payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of DSSE."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
