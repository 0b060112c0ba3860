"""What a configuration says of the server: its addresses, TLS, and the debug server."""

from __future__ import annotations

from pathlib import Path

from reference import tls
from reference.configuration.file import Section
from reference.configuration.keys import CLIENT_AUTH
from reference.settings import Config, Tls


def http(config: Config, section: Section) -> None:
    """Read the section ``http``."""
    config.addr = section.address("addr")
    host = section.url("host")
    config.host = "" if section.flag("relativeurls") else host
    config.drain = section.duration("draintimeout")
    config.workers = section.number("workers")
    config.headers = [(name, value) for name, values in section.lists("headers").items() for value in values]
    if (debug := section.section("debug")) is not None:
        config.debug_addr = debug.address("addr")
        if (prometheus := debug.section("prometheus")) is not None:
            config.metrics = _metrics(config, prometheus)
    if (secure := section.section("tls")) is not None:
        config.tls = _tls(secure)
    if (http2 := section.section("http2")) is not None and not http2.flag("disabled"):
        section.remarks.append("http.http2 changes nothing here: the server speaks HTTP/1.1")
    section.section("h2c")


def _metrics(config: Config, section: Section) -> str:
    """The path of the metrics; nothing where they are off."""
    path = section.text("path") or "/metrics"
    if not path.startswith("/") or path.rstrip("/") in ("", "/debug/health", "/debug/vars"):
        section.fail_at("path", f"{section.name('path')} must be a path of its own, such as /metrics, not {path!r}")
    enabled = section.flag("enabled")
    if enabled and not config.debug_addr:
        section.fail_at("enabled", f"{section.name('enabled')}: metrics are told on http.debug.addr, which is missing")
    return path.rstrip("/") if enabled else ""


def _tls(section: Section) -> Tls | None:
    authorities = _client_authorities(section)
    if "clientauth" in section and not authorities:
        name = section.name("clientauth")
        section.fail_at("clientauth", f"{name} needs clientcas: whose certificate would be right?")
    required = section.text("clientauth") == CLIENT_AUTH[0]
    minimum = section.text("minimumtls")
    suites = _suites(section, minimum)
    certificate, key = section.file_at("certificate"), section.file_at("key")
    if certificate is None and key is None:
        if authorities:
            section.fail("http.tls.clientcas needs certificate and key: clients show a certificate over TLS alone")
        return None
    if certificate is None or key is None:
        section.fail("http.tls needs both certificate and key")
    made = Tls(certificate, key, authorities, required, minimum, suites)
    try:
        tls.make_context(made)
    except (OSError, ValueError) as error:
        section.fail(f"http.tls: certificate and key cannot be used: {tls.reason(error)}")
    return made


def _client_authorities(section: Section) -> tuple[Path, ...]:
    """The files of those who sign the certificates of clients."""
    places = section.places("clientcas")
    for number, (word, fail) in enumerate(places):
        name = f"{section.name('clientcas')}[{number}]"
        if not Path(word).is_file():
            fail(f"{name}: {word} is no file")
        try:
            tls.check_authority(Path(word))
        except OSError as error:
            fail(f"{name}: {word} holds no certificate that can be used: {tls.reason(error)}")
    return tuple(Path(word) for word, _ in places)


def _suites(section: Section, minimum: str) -> tuple[str, ...] | None:
    """The suites of TLS 1.2 that are named; None where none of any version is."""
    places, name = section.places("ciphersuites"), section.name("ciphersuites")
    for word, fail in places:
        if word in tls.SUITES and not tls.has_suite(word):
            fail(f"{name}: the TLS library has no {word}, which is too weak for it")
    found = tuple(word for word, _ in places if word in tls.SUITES)
    if len(found) < len(places) or (places and minimum != "tls1.2"):
        section.remarks.append(f"{name} changes nothing for TLS 1.3: it has all its suites")
    return found if places else None
