"""TLS of the registry: whose clients it answers, from which version on, and with which suites."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization

from reference import tls
from reference.configuration.reading import ConfigError, read
from reference.settings import Config
from tests.reference.process.test_command import HEAD, written
from tests.support.obeys import obeys
from tests.support.scripted.server import certificate
from tests.support.servers import Server, docker_registry, free_port, reference

_CHOSEN = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
_OTHER = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
_WEAK = "TLS_RSA_WITH_RC4_128_SHA"


@dataclass(frozen=True)
class Files:
    """Certificates with their keys: of the server, of authorities, and of clients that these signed."""

    server: tuple[Path, Path]
    authority: tuple[Path, Path]
    below: tuple[Path, Path]
    known: tuple[Path, Path]
    known_below: tuple[Path, Path]
    stranger: tuple[Path, Path]

    def section(self, **more: object) -> dict[str, Any]:
        return {"certificate": str(self.server[0]), "key": str(self.server[1]), **more}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    authority, root = certificate(folder, "authority"), certificate(folder, "root")
    below = certificate(folder, "below", root)
    no_authority = ("-addext", "basicConstraints=critical,CA:FALSE")
    return Files(
        server=certificate(folder),
        authority=authority,
        below=below,
        known=certificate(folder, "known", authority, *no_authority),
        known_below=certificate(folder, "known-below", below, *no_authority),
        stranger=certificate(folder, "stranger"),
    )


def context(files: Files, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=files.server[0])
    if client is not None:
        made.load_cert_chain(*client)
    return made


def status(address: str, with_context: ssl.SSLContext) -> int:
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=5, context=with_context)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status
    finally:
        connection.close()


def speaks(server: Server, client: ssl.SSLContext, version: ssl.TLSVersion, suite: str = "") -> bool:
    """Whether the server answers a client that speaks one version, and where one is named one suite of TLS 1.2."""
    client.minimum_version = client.maximum_version = version
    if suite:
        client.set_ciphers(tls.SUITES[suite])
    try:
        return status(server.address, client) == 200
    except (OSError, http.client.HTTPException):
        return False


def serving(kind: str, folder: Path, section: dict[str, Any]) -> Any:
    http = {"addr": "127.0.0.1:0", "secret": "of-a-test", "tls": section, "debug": {"addr": f"127.0.0.1:{free_port()}"}}
    if kind == "docker-registry":
        return docker_registry(folder, extra={"http": http})
    return reference(folder, config={"version": "0.1", "storage": {"inmemory": {}}, "http": http})


@pytest.fixture(
    scope="module", params=["reference", pytest.param("docker-registry", marks=pytest.mark.needs("docker-registry"))]
)
def closed(request: pytest.FixtureRequest, files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry for clients of two authorities, with a suite of TLS 1.2."""
    authorities = [str(files.authority[0]), str(files.below[0])]
    section = files.section(clientcas=authorities, minimumtls="tls1.2", ciphersuites=[_CHOSEN])
    with serving(request.param, tmp_path_factory.mktemp("closed"), section) as server:
        yield server


@pytest.fixture(scope="module")
def open_to_some(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry that looks at certificates where there are some, and speaks TLS 1.3 alone."""
    section = files.section(
        clientcas=[str(files.authority[0])], clientauth="verify-client-cert-if-given", minimumtls="tls1.3"
    )
    with serving("reference", tmp_path_factory.mktemp("open"), section) as server:
        yield server


@obeys("http.tls.certificate", "http.tls.key", "http.tls.clientcas")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_needs_a_certificate_of_an_authority(closed: Server, files: Files, version: ssl.TLSVersion) -> None:
    assert speaks(closed, context(files, files.known), version)
    assert speaks(closed, context(files, files.known_below), version)
    assert not speaks(closed, context(files), version)
    assert not speaks(closed, context(files, files.stranger), version)


@obeys("http.tls.ciphersuites")
def test_suites_are_those_that_are_named(closed: Server, files: Files) -> None:
    assert speaks(closed, context(files, files.known), ssl.TLSVersion.TLSv1_2, _CHOSEN)
    assert not speaks(closed, context(files, files.known), ssl.TLSVersion.TLSv1_2, _OTHER)


def test_the_debug_server_asks_for_no_certificate(closed: Server) -> None:
    address = re.search(r"debug server (?:on|listening) (127\S+:\d+)", closed.log.read_text())
    assert address is not None
    assert requests.get(f"http://{address[1]}/debug/health", timeout=5).status_code == 200


@obeys("http.tls.clientauth")
def test_a_certificate_may_be_asked_for_and_not_needed(open_to_some: Server, files: Files) -> None:
    assert status(open_to_some.address, context(files)) == 200
    assert status(open_to_some.address, context(files, files.known)) == 200
    assert not speaks(open_to_some, context(files, files.stranger), ssl.TLSVersion.TLSv1_3)


@obeys("http.tls.minimumtls")
def test_a_least_version_is_kept(open_to_some: Server, files: Files) -> None:
    assert speaks(open_to_some, context(files), ssl.TLSVersion.TLSv1_3)
    assert not speaks(open_to_some, context(files), ssl.TLSVersion.TLSv1_2)


def taken(folder: Path, files: Files, text: str) -> Config:
    """Read a configuration whose section http.tls begins at line 5."""
    pair = f"    certificate: {files.server[0]}\n    key: {files.server[1]}\n"
    return read(written(folder, f"{HEAD}http:\n  tls:\n{pair}{text}"), {})


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("    clientcas: x\n", 8, "http.tls.clientcas must be a list of words"),
        ("    clientcas:\n      - {ca}\n      - /none\n", 10, "http.tls.clientcas[1]: /none is no file"),
        (
            "    clientcas:\n      - {key}\n",
            9,
            "http.tls.clientcas[0]: {key} holds no certificate that can be used: no",
        ),
        ("    clientauth: verify-client-cert-if-given\n", 8, "http.tls.clientauth needs clientcas"),
        (
            "    clientcas: [{ca}]\n    clientauth: x\n",
            9,
            "http.tls.clientauth must be one of require-and-verify-client",
        ),
        (
            "    clientcas: [{ca}]\n    clientauth: request-client-cert\n",
            9,
            "http.tls.clientauth cannot be request-client-cert: the TLS library verifies",
        ),
        (
            "    clientcas: [{ca}]\n    clientauth: require-any-client-cert\n",
            9,
            "http.tls.clientauth cannot be require-any-client-cert: the TLS library verifies",
        ),
        ("    minimumtls: tls1.0\n", 8, "http.tls.minimumtls cannot be tls1.0: RFC 8996 forbids it"),
        ("    minimumtls: tls1.1\n", 8, "http.tls.minimumtls cannot be tls1.1: RFC 8996 forbids it"),
        ("    minimumtls: '1.2'\n", 8, "http.tls.minimumtls must be one of tls1.2, tls1.3, not '1.2'"),
        ("    ciphersuites:\n      - AES\n", 9, "http.tls.ciphersuites: there is no 'AES'"),
        (
            f"    ciphersuites:\n      - {_CHOSEN}\n      - {_WEAK}\n",
            10,
            f"http.tls.ciphersuites: the TLS library has no {_WEAK}, which is too weak for it",
        ),
        ("    letsencrypt:\n      hosts: [a]\n", 8, "http.tls.letsencrypt is not supported by the reference"),
    ],
)
def test_what_cannot_be_used_names_file_and_line(tmp_path: Path, files: Files, text: str, line: int, says: str) -> None:
    names = {"{ca}": str(files.authority[0]), "{key}": str(files.authority[1])}
    for name, path in names.items():
        text, says = text.replace(name, path), says.replace(name, path)
    with pytest.raises(ConfigError) as caught:
        taken(tmp_path, files, text)
    assert str(caught.value).startswith(f"{tmp_path / 'config.yml'}:{line}: {says}")


def test_authorities_need_a_certificate_of_the_server(tmp_path: Path, files: Files) -> None:
    with pytest.raises(ConfigError, match=r":6: http\.tls\.clientcas needs certificate and key"):
        read(written(tmp_path, f"{HEAD}http:\n  tls:\n    clientcas: [{files.authority[0]}]\n"), {})


def test_an_encrypted_key_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    encrypted = serialization.BestAvailableEncryption(b"secret")
    pem = serialization.Encoding.PEM
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, encrypted))
    text = f"{HEAD}http:\n  tls:\n    certificate: {cert}\n    key: {key}\n"
    with pytest.raises(ConfigError, match="the key is encrypted") as caught:
        read(written(tmp_path, text), {})
    assert "secret" not in str(caught.value)


def test_suites_of_version_1_3_are_not_chosen(tmp_path: Path, files: Files) -> None:
    config = taken(tmp_path, files, f"    ciphersuites: [{_CHOSEN}, TLS_AES_128_GCM_SHA256]\n")
    assert config.tls is not None
    assert config.tls.suites == (_CHOSEN,)
    assert config.remarks == ["http.tls.ciphersuites changes nothing for TLS 1.3: it has all its suites"]
    assert taken(tmp_path, files, f"    ciphersuites: [{_CHOSEN}]\n").remarks == []
    later = taken(tmp_path, files, "    ciphersuites: [TLS_AES_128_GCM_SHA256]\n").tls
    assert later is not None
    assert tls.make_context(later).minimum_version == ssl.TLSVersion.TLSv1_3
