"""Certificates without a key of one's own: sigstore signs for an identity, and its log makes the signature public.

It needs the package ``sigstore`` (the extra ``keyless``), so that nothing imports this module before it is asked for.
What is signed is the statement of `reports.certificate.statement`; the result is a bundle of sigstore
(https://github.com/sigstore/protobuf-specs, version 0.3) around a DSSE envelope.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509 import (
    Certificate,
    ObjectIdentifier,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    UnrecognizedExtension,
)
from sigstore.dsse import Statement
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityError, IdentityToken, detect_credential
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity, VerificationPolicy

from reports.certificate.envelope import PAYLOAD_TYPE, EnvelopeError
from reports.certificate.verifying import Means
from reports.text import shorten, visible

#: The extension of a signing certificate that names who vouched for the identity.
_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: What errors of the services mean, by their classes, some of which the package keeps to itself.
_MEANS = {
    "ExpiredIdentity": "the identity token has expired",
    "FulcioClientError": "the certificate authority does not take the identity",
    "RekorClientError": "the transparency log does not take the signature",
    "TUFError": "the trust root of sigstore cannot be fetched",
}

# Where nobody has set up logging, Python prints warnings of the package between our own lines.
logging.getLogger("sigstore").addHandler(logging.NullHandler())


class KeylessError(Exception):
    """Sigstore cannot be used as asked; the message is one sentence, and has nothing of a token."""


class Signing:
    """Signs for the identity of a token; ``identity`` and ``issuer`` are known once it has signed."""

    def __init__(self, token: Path | None, trust: Path | None) -> None:
        """Read the files, where they are given; nothing is asked of any network.

        Args:
            token: a file with an identity token; without it the token is that of the CI system around us.
            trust: a client trust configuration; without it the public services of sigstore are used.

        Raises:
            KeylessError: a file cannot be used.
        """
        self.identity = self.issuer = ""
        self._token = (
            None if token is None else _token(_read(token, "--identity-token-file"), f"--identity-token-file: {token}")
        )
        self._config = None if trust is None else _config(trust)

    def __call__(self, payload: bytes) -> str:
        """Return the bundle of a statement, as text. It verifies by the identity and the issuer.

        Raises:
            KeylessError: there is no token, or the services cannot be reached, or refuse.
        """
        token = self._token or _ambient()
        seen = _Seen()
        try:
            config = self._config or ClientTrustConfig.production()
            with SigningContext.from_trust_config(config).signer(token) as signer:
                bundle = signer.sign_dsse(Statement(payload))
            # No service is trusted to have answered well: whoever gets the certificate has to be able to verify it.
            kind, signed = Verifier(trusted_root=config.trusted_root).verify_dsse(bundle, seen)
        except Exception as error:  # a service answers what it likes, and the package raises what its parsers raise
            raise KeylessError(f"sigstore has not signed: {_told(error, str(token))}.") from None
        if (kind, signed) != (PAYLOAD_TYPE, payload):
            raise KeylessError("sigstore has not signed: the bundle has another statement.")
        self.identity, self.issuer = seen.identity, seen.issuer
        text: str = bundle.to_json()
        return text + "\n"


def by_identity(identity: str, issuer: str, trust: Path | None) -> Means:
    """Return how a bundle is verified: by who signed it, and who vouches for that. Nothing is asked of any network.

    Args:
        identity: an address of mail or the URL of a workflow, as the signing certificate has it.
        issuer: the URL of the identity provider.
        trust: a client trust configuration; without it, what the installed package knows of the public services.

    Raises:
        KeylessError: there is no trust root.
    """
    try:
        config = ClientTrustConfig.production(offline=True) if trust is None else _config(trust)
        verifier = Verifier(trusted_root=config.trusted_root)
    except KeylessError:
        raise
    except Exception as error:  # a cache that cannot be written, or an odd file in it
        raise KeylessError(f"the trust root of sigstore cannot be used: {_told(error)}.") from None
    policy = Identity(identity=identity, issuer=issuer)
    return Means(
        unseal=lambda data: _unseal(data, verifier, policy),
        proven=f"{visible(identity)}, for whom {visible(issuer)} vouched, signed this statement, and it was not changed"
        " since; the signature is in the log of sigstore",
        unproven="who is behind the identity, and that the issuer and the services of sigstore are honest",
    )


class _Seen:
    """A policy that takes anybody, and tells whom."""

    def __init__(self) -> None:
        self.identity = self.issuer = ""

    def verify(self, cert: Certificate) -> None:
        """Keep the identity and the issuer of a signing certificate."""
        names = cert.extensions.get_extension_for_class(SubjectAlternativeName).value
        found = [*names.get_values_for_type(RFC822Name), *names.get_values_for_type(UniformResourceIdentifier)]
        issuer = cert.extensions.get_extension_for_oid(_ISSUER).value
        if not found or not isinstance(issuer, UnrecognizedExtension):
            raise VerificationError("the signing certificate names nobody")
        self.identity, self.issuer = found[0], issuer.value.decode()


def _unseal(data: bytes, verifier: Verifier, policy: VerificationPolicy) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise EnvelopeError("it is no JSON object.")
    if "payloadType" in document:
        raise EnvelopeError("it is signed with a key, and is verified by --key.")
    try:
        kind, payload = verifier.verify_dsse(Bundle.from_json(data), policy)
    except VerificationError as error:
        raise EnvelopeError(f"it is not signed by this identity, or was changed since: {_sentence(error)}.") from None
    except Exception as error:  # whoever made the file chose what the parsers of the package meet
        raise EnvelopeError(f"it is no bundle of sigstore that can be read ({type(error).__name__}).") from None
    if kind != PAYLOAD_TYPE:
        raise EnvelopeError(f"its payload is not {PAYLOAD_TYPE}.")
    return bytes(payload)


def _ambient() -> IdentityToken:
    try:
        found = detect_credential()
    except Exception as error:  # messages of the CI system are not repeated: they may have the token in them
        cause = type(error.__cause__ or error).__name__
        raise KeylessError(
            f"the CI system gives no identity token ({cause}); it has to be allowed to give one."
        ) from None
    if not found:
        raise KeylessError("there is no identity token: no CI system gives one here, and no --identity-token-file.")
    return _token(found, "what the CI system gives")


def _token(text: str, origin: str) -> IdentityToken:
    try:
        return IdentityToken(text.strip())
    except IdentityError:
        raise KeylessError(f"{origin} is no identity token for sigstore, or its time is over.") from None


def _config(path: Path) -> ClientTrustConfig:
    text = _read(path, "--trust-config")
    try:
        document = json.loads(text)
        config = ClientTrustConfig.from_json(text)
        _ = config.trusted_root, config.signing_config
        services = [*_services(document["signingConfig"])]
    except Exception as error:  # the parsers of the package raise errors of several libraries
        raise KeylessError(
            f"--trust-config: {path} is no client trust configuration of sigstore that is good today"
            f" ({type(error).__name__})."
        ) from None
    for url in services:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise KeylessError(f"--trust-config: {path}: a token is sent by https only, not to {visible(url)}.")
    return config


def _services(config: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    for kind in ("caUrls", "rekorTlogUrls"):
        yield from (service["url"] for service in config[kind])


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise KeylessError(f"{option}: {path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except UnicodeDecodeError:
        raise KeylessError(f"{option}: {path} is not UTF-8 text.") from None


def _told(error: Exception, token: str = "") -> str:
    """Say what an error of the package means; its own words only where they cannot have a token in them."""
    name = type(error).__name__
    status = getattr(getattr(error.__cause__ or error.__context__, "response", None), "status_code", None)
    words = _sentence(error)
    said = words if isinstance(error, VerificationError) and not (token and token in words) else ""
    if name in _MEANS:
        return _MEANS[name] + (f" (status {status})" if status else "")
    if isinstance(error, OSError):
        return f"a service cannot be reached, or a file not be written ({name})"
    return f"a service answers what cannot be used ({name}{f': {said}' if said else ''})"


def _sentence(error: Exception) -> str:
    return visible(shorten(" ".join(str(error).split()), 200)).rstrip(".")
