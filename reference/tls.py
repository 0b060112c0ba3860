"""TLS of the server: its own certificate, those of clients, and the versions and suites that it speaks."""

from __future__ import annotations

import ssl
from pathlib import Path

from reference.settings import Tls

VERSIONS = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
#: What the original takes in some versions, and no server should speak: RFC 8996.
WITHDRAWN = ("tls1.0", "tls1.1")
#: The suites of TLS 1.2 by the names of the original, with what OpenSSL calls them.
SUITES = {
    "TLS_RSA_WITH_RC4_128_SHA": "RC4-SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "DES-CBC3-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": "ECDHE-ECDSA-RC4-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA": "ECDHE-RSA-RC4-SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": "ECDHE-RSA-DES-CBC3-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
#: Those of TLS 1.3: the library has all of them, and lets nobody choose.
SUITES_OF_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


def make_context(tls: Tls) -> ssl.SSLContext:
    """What a listener of TLS needs.

    Raises:
        OSError: a file cannot be read, or holds no certificate or key; an ``ssl.SSLError`` is one.
        ValueError: the key is encrypted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key, _no_password)
    context.minimum_version = VERSIONS[tls.minimum]
    if tls.suites is not None:
        _choose(context, tls.suites)
    for path in tls.client_authorities:
        context.load_verify_locations(path)
    if tls.client_authorities:
        context.verify_mode = ssl.CERT_REQUIRED if tls.client_required else ssl.CERT_OPTIONAL
        # As in the original, an authority that another one signed is trusted without that one.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def check_authority(path: Path) -> None:
    """Refuse a file that holds no certificates.

    Raises:
        OSError: it cannot be read, or holds none; an ``ssl.SSLError`` is one.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)


def has_suite(name: str) -> bool:
    """Whether the library has a suite of TLS 1.2, by the name of the original."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(SUITES[name])
    except ssl.SSLError:
        return False
    return True


def reason(error: Exception) -> str:
    """Why the library refused a file, without a place in its own source."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(getattr(error, "strerror", None) or error)


def _choose(context: ssl.SSLContext, suites: tuple[str, ...]) -> None:
    """Speak TLS 1.2 with some suites alone; without one, not at all."""
    if suites:
        context.set_ciphers(":".join(SUITES[name] for name in suites))
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _no_password() -> str:
    # Without this, the library would ask at the terminal.
    raise ValueError("the key is encrypted, and nobody is asked for its password")
