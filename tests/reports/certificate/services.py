"""A sigstore of our own on the loopback: an authority, its log of certificates, and a transparency log.

The keys are made for the test. What the services answer is by the specifications: Fulcio's API v2, RFC 6962 for the
timestamp in a certificate, and Rekor's API v1 with inclusion promise, inclusion proof and checkpoint.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Who signs in the tests, and who vouches for it.
IDENTITY, ISSUER = "https://ci.example.com/team/app/release.yml@refs/heads/main", "https://issuer.example.com"
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SHA256_ECDSA = b"\x04\x03"


def token(identity: str = IDENTITY, *, seconds: int = 600, audience: str = "sigstore") -> str:
    """Return an identity token that is good for some seconds; nobody checks its signature here."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": identity, "aud": audience, "iat": now - 60, "exp": now + seconds}
    return jwt.encode(claims, "c4nary" * 8, algorithm="HS256")


class Services:
    """The services, with what was asked of them; ``answers`` replaces an answer by its path: a status and a body."""

    def __init__(self, *, days: int = 3650) -> None:
        now = datetime.datetime.now(tz=datetime.UTC)
        self.began = now - datetime.timedelta(days=days)
        self.authority, self.certificates, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = _root(self.authority, self.began)
        self.seen: list[tuple[str, str, bytes]] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.url = ""

    def trust(self, path: Path, url: str = "") -> Path:
        """Write the client trust configuration of these services."""
        since = {"start": self.began.strftime("%Y-%m-%dT%H:%M:%SZ")}

        def service() -> list[dict[str, Any]]:
            return [{"url": url or self.url, "majorApiVersion": 1, "validFor": since, "operator": "tests"}]

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            return {
                "baseUrl": self.url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": _text(_public(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": since,
                },
                "logId": {"keyId": _text(_key_id(key))},
            }

        chain = {"certificates": [{"rawBytes": _text(self.root.public_bytes(Encoding.DER))}]}
        subject = {"organization": "tests", "commonName": "tests"}
        made = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)],
                "certificateAuthorities": [
                    {"subject": subject, "uri": self.url, "certChain": chain, "validFor": since}
                ],
                "ctlogs": [log(self.certificates)],
                "timestampAuthorities": [],
            },
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": service(),
                "oidcUrls": service(),
                "rekorTlogUrls": service(),
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": [],
                "tsaConfig": {"selector": "ANY"},
            },
        }
        path.write_text(json.dumps(made), encoding="utf-8")
        return path

    def answer(self, path: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request."""
        self.seen.append((path, authorization, body))
        if path in self.answers:
            return self.answers[path]
        if path == "/api/v2/signingCert":
            made = self._certificate(authorization.removeprefix("Bearer "), json.loads(body))
        elif path == "/api/v1/log/entries":
            made = self._entry(json.loads(body))
        else:
            return 404, b"{}"
        return 201, json.dumps(made).encode()

    def _certificate(self, given: str, asked: dict[str, Any]) -> dict[str, Any]:
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        claims = jwt.decode(given, options={"verify_signature": False})
        builder = _signing(request.public_key(), claims, self.root)
        # The timestamp is of the certificate without it, and comes last.
        draft = builder.sign(self.authority, hashes.SHA256())
        extension = x509.UnrecognizedExtension(_TIMESTAMPS, self._timestamp(draft.tbs_certificate_bytes))
        certificate = builder.add_extension(extension, critical=False).sign(self.authority, hashes.SHA256())
        chain = [each.public_bytes(Encoding.PEM).decode() for each in (certificate, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _timestamp(self, certificate: bytes) -> bytes:
        """Return the list of signed certificate timestamps, in DER (RFC 6962, 3.2 and 3.3)."""
        now = int(time.time() * 1000)
        entry = _key_id(self.authority) + struct.pack("!I", len(certificate))[1:] + certificate
        signed = struct.pack("!BBQH", 0, 0, now, 1) + entry + b"\0\0"
        signature = _sign(self.certificates, signed)
        one = b"\0" + _key_id(self.certificates) + struct.pack("!Q", now) + b"\0\0" + _SHA256_ECDSA + _sized(signature)
        return _octets(_sized(_sized(one)))

    def _entry(self, asked: dict[str, Any]) -> dict[str, Any]:
        proposed = asked["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        body = _canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": _hashed(proposed["envelope"].encode()),
                    "payloadHash": _hashed(base64.b64decode(envelope["payload"])),
                    "signatures": [
                        {"signature": each["sig"], "verifier": verifier}
                        for each, verifier in zip(envelope["signatures"], proposed["verifiers"], strict=True)
                    ],
                },
            }
        )
        # A log of two entries, of which this is the second.
        before, leaf = hashlib.sha256(b"\0before").digest(), hashlib.sha256(b"\0" + body).digest()
        root = hashlib.sha256(b"\1" + before + leaf).digest()
        note = f"tests - 1\n2\n{_text(root)}\n"
        name = self.url.partition("://")[2]
        checkpoint = f"{note}\n\u2014 {name} {_text(_key_id(self.log)[:4] + _sign(self.log, note.encode()))}\n"
        entry = {
            "body": _text(body),
            "integratedTime": int(time.time()),
            "logID": _key_id(self.log).hex(),
            "logIndex": 1,
        }
        return {
            "1": {
                **entry,
                "verification": {
                    "signedEntryTimestamp": _text(_sign(self.log, _canonical(entry))),
                    "inclusionProof": {
                        "checkpoint": checkpoint,
                        "hashes": [before.hex()],
                        "logIndex": 1,
                        "rootHash": root.hex(),
                        "treeSize": 2,
                    },
                },
            }
        }


@contextlib.contextmanager
def running() -> Iterator[Services]:
    """Run the services on a free port of the loopback."""
    services = Services()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, answer = services.answer(self.path.partition("?")[0], self.headers.get("Authorization", ""), body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # the name is http.server's

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        services.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield services
        server.shutdown()


def _root(key: ec.EllipticCurvePrivateKey, began: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=7300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signing(key: Any, claims: dict[str, Any], root: x509.Certificate) -> x509.CertificateBuilder:
    """Return a signing certificate for ten minutes that is not signed yet."""
    now = datetime.datetime.now(tz=datetime.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims["sub"])])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(root.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(seconds=5))
        .not_valid_after(now + datetime.timedelta(minutes=10))
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(names, critical=True)
        .add_extension(x509.UnrecognizedExtension(_ISSUER, claims["iss"].encode()), critical=False)
    )


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _octets(data: bytes) -> bytes:
    """Return an OCTET STRING in DER, of 128 to 255 octets or less."""
    return b"\x04" + (bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])) + data


def _hashed(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
