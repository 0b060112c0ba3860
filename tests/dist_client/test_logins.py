"""Logins: kept as Docker keeps them, used for Basic and for tokens, and never shown."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reference.dist import DeniedError, NotFoundError, Options, RegistryError, SyncClient, UsageError
from reference.dist.logins import Login, Logins
from tests.dist_client.conftest import QUICK, Made
from tests.support.scripted.server import Answer, Asked, certificate, serve
from tests.support.servers import Server, docker_registry, reference
from tests.support.tokens import EVERYBODY_PULLS, OWNER, READER, token_server

_SECRET = OWNER.password


@dataclass(frozen=True, slots=True)
class Guarded:
    """A registry that wants a login, and whether everybody may pull from it."""

    server: Server
    public: bool


@pytest.fixture(scope="module", params=["htpasswd", "token", "token of the original"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    if request.param == "htpasswd":
        with reference(folder, users={OWNER.name: OWNER.password}) as server:
            yield Guarded(server, public=False)
        return
    with token_server(folder, OWNER, READER, anonymous=EVERYBODY_PULLS) as tokens:
        if request.param == "token":
            config = {"version": "0.1", "storage": {"inmemory": {}}, "auth": tokens.auth}
            with reference(folder, config=config) as server:
                yield Guarded(server, public=True)
        else:
            with docker_registry(folder, extra={"auth": tokens.auth}) as server:
                yield Guarded(server, public=True)


def test_login_copy_and_logout(client: SyncClient, guarded: Guarded, made: Made, tmp_path: Path) -> None:
    host = guarded.server.address
    with pytest.raises(DeniedError):
        client.copy(made.at("v1"), f"{host}/dist/guarded:v1")
    with pytest.raises(DeniedError, match="the login was refused") as caught:
        client.login(host, OWNER.name, "wrong-password")
    assert "wrong-password" not in str(caught.value)
    assert not (tmp_path / "config.json").exists()

    client.login(host, OWNER.name, OWNER.password)
    assert (tmp_path / "config.json").stat().st_mode & 0o777 == 0o600
    options = Options(logins=tmp_path / "config.json", **QUICK)  # type: ignore[arg-type]  # by name
    with SyncClient(options) as other:
        other.copy(made.at("v1"), f"{host}/dist/guarded:v1")
        assert other.copy(f"{host}/dist/guarded:v1", f"{host}/dist/guarded-too:v1").mounted == 6
        assert other.tags(f"{host}/dist/guarded") == ["v1"]
        assert "dist/guarded" in other.catalog(host)
        other.delete(f"{host}/dist/guarded@{made.image['digest']}")
        with pytest.raises(NotFoundError):
            other.resolve(f"{host}/dist/guarded:v1")
        assert other.logout(host)
        assert not other.logout(host)
    with SyncClient(options) as nobody:
        if guarded.public:
            assert nobody.resolve(f"{host}/dist/guarded-too:v1").digest == made.image["digest"]
        else:
            with pytest.raises(DeniedError, match=f"a login is needed: dist login {host}"):
                nobody.resolve(f"{host}/dist/guarded-too:v1")


def test_rights_that_are_missing(guarded: Guarded, made: Made, tmp_path: Path) -> None:
    if not guarded.public:
        return  # htpasswd knows no rights
    Logins(tmp_path / "config.json").store(guarded.server.address, Login(READER.name, READER.password))
    with SyncClient(Options(logins=tmp_path / "config.json")) as client, pytest.raises(DeniedError) as caught:
        client.copy(made.at("v1"), f"{guarded.server.address}/dist/denied:v1")
    assert READER.password not in str(caught.value)


def test_tokens_that_run_out_during_an_upload(tmp_path: Path, client: SyncClient) -> None:
    content, tokens, received = random.Random("tokens").randbytes(5 << 20), iter("abcdefgh"), bytearray()
    current = ""

    def answer(asked: Asked) -> Answer:
        nonlocal current
        url = f"http://{asked.headers['host']}"
        if asked.path.startswith("/token"):
            current = next(tokens)
            return Answer(200, json.dumps({"token": current, "expires_in": 300}).encode())
        if asked.headers.get("authorization") != f"Bearer {current}":
            return Answer(401, headers=(("WWW-Authenticate", f'Bearer realm="{url}/token",service="s"'),))
        if asked.method == "HEAD":
            return Answer(404)
        if asked.method == "PATCH":
            received.extend(asked.body)
            current = "of nobody"
        headers = (("Location", "/up"), ("Range", f"0-{max(len(received) - 1, 0)}"))
        return Answer({"POST": 202, "PATCH": 202, "GET": 204, "PUT": 201}[asked.method], headers=headers)

    with serve(answer) as server:
        client.push(content, f"{server.url}/any/name", "text/plain")
    assert received == content


def test_credential_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(
        f'#!/bin/sh\ncase $1 in\nstore) cat >"{store}";;\nerase) cat >/dev/null; rm "{store}";;\n'
        f'get) cat >/dev/null; test -e "{store}" && cat "{store}" || '
        '{ echo "credentials not found in native keychain"; exit 1; };;\nesac\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = tmp_path / "config.json"
    path.write_text('{"credHelpers": {"registry.example": "tests"}, "other": 1}')
    logins = Logins(path)
    assert logins.find("registry.example") is None
    assert logins.store("registry.example", Login("user", _SECRET)) == "credential helper tests"
    assert logins.find("registry.example") == Login("user", _SECRET)
    assert logins.erase("registry.example")
    assert not logins.erase("registry.example")
    assert json.loads(path.read_text()) == {"credHelpers": {"registry.example": "tests"}, "other": 1}
    helper.write_text(f"#!/bin/sh\necho {_SECRET}; exit 3\n")
    with pytest.raises(DeniedError, match="failed with 3") as caught:
        logins.find("registry.example")
    assert _SECRET not in str(caught.value)


def test_identity_tokens_are_exchanged(client: SyncClient, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            assert asked.method == "POST"
            assert b"refresh_token=the-identity" in asked.body
            return Answer(200, b'{"access_token": "exchanged"}')
        if asked.headers.get("authorization") == "Bearer exchanged":
            return Answer(200, b'{"tags": ["v1"]}')
        return Answer(401, headers=(("WWW-Authenticate", f'Bearer realm="http://{asked.headers["host"]}/token"'),))

    with serve(answer) as server:
        auths = {f"https://{server.url[7:]}/v1/": {"identitytoken": "the-identity"}}
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
        assert client.tags(f"{server.url}/any/name") == ["v1"]


def test_a_login_does_not_leave_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with serve(lambda _: Answer(200, b'{"token": "a"}')) as tokens:
        challenge = (("WWW-Authenticate", f'Bearer realm="{tokens.url}/token"'),)
        with serve(lambda _: Answer(401, headers=challenge), (cert, key)) as server:
            host = server.url.removeprefix("https://")
            Logins(tmp_path / "config.json").store(host, Login("user", _SECRET))
            options = Options(ca_file=cert, logins=tmp_path / "config.json")
            with SyncClient(options) as client, pytest.raises(DeniedError, match="has no TLS"):
                client.tags(f"{host}/any/name")
            with SyncClient() as client, pytest.raises(RegistryError, match="TLS failed"):
                client.tags(f"https://{host}/any/name")
    assert tokens.asked == []


def test_files_of_docker(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    auth = base64.b64encode(b"user:of:the:hub").decode()
    path.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}, "a.example": {}}}))
    assert Logins(path).find("docker.io") == Login("user", "of:the:hub")
    assert Logins(path).find("a.example") is None
    assert "of:the:hub" not in repr(Logins(path).find("docker.io"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"auths": ', "no JSON, line 1"),
        ("[]", "no JSON object"),
        ('{"auths": []}x', "no JSON"),
        ('{"auths": ["x"]}', "auths is no object"),
        ('{"auths": {"a.example": {"auth": "c2VjcmV0"}}}', "the login for a.example cannot be read"),
        ('{"credsStore": "../../bin/sh"}', "no name of a program"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        Logins(path).find("a.example")
    assert str(path) in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)
