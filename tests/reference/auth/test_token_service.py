"""The token service: grants, lifetimes, refresh tokens and refusals."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography import x509

from reference.auth.trust import key_id, load_bundle
from reference.configuration.file import ConfigError
from reference.launch import LaunchError
from reference.launch.tokens import make_service
from reference.tokens import config
from reference.tokens.access import matches, parse_scopes
from reference.tokens.app import TokenService
from tests.reference.probe import Answer, Client

CONFIG = """\
issuer: tokens.example
services: [registry.example, "*.test"]
rootcertbundle: {folder}/bundle.pem
key: {folder}/key.pem
anonymous:
  - {{name: public/*, actions: [pull]}}
accounts:
  - name: ann
    password: secret
    access:
      - {{name: a/*, actions: [pull, push]}}
      - {{name: a/b, actions: [delete]}}
      - {{name: own, actions: ["*"]}}
      - {{type: registry, name: catalog, actions: ["*"]}}
"""
PASSWORD = "secret"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def service(tmp_path: Path) -> TokenService:
    path = tmp_path / "tokens.yml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return make_service(config.read(path))


def basic(name: str = "ann", password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def get(service: TokenService, query: str, authorization: str = "") -> Answer:
    fields = (("authorization", authorization),) if authorization else ()
    return asyncio.run(Client(service).call("GET", f"/token?{query}", fields=fields))


def post(tokens: TokenService, content_type: str = FORM, **form: str) -> tuple[int, dict[str, Any]]:
    body = urlencode({"service": "registry.example", "client_id": "t"} | form).encode()
    answer = asyncio.run(Client(tokens).call("POST", "/token", body, content_type=content_type))
    return answer.status, json.loads(answer.body)


def claims(service: TokenService, token: str, audience: str = "registry.example") -> dict[str, Any]:
    key = service.signer.key.public_key()
    return jwt.decode(token, key, algorithms=["ES256", "RS256"], audience=audience, issuer="tokens.example")


def access(service: TokenService, answer: Answer) -> list[tuple[str, list[str]]]:
    return [(entry["name"], entry["actions"]) for entry in claims(service, json.loads(answer.body)["token"])["access"]]


def test_a_token_grants_what_is_asked_and_allowed(service: TokenService) -> None:
    asked = (
        "scope=repository:a/b:pull,push,delete&scope=repository:other:pull&scope=registry:catalog:*%20repository:own:x"
    )
    answer = get(service, asked, basic())
    assert answer.status == 200
    assert answer.get("cache-control") == "no-store"
    assert access(service, answer) == [
        ("a/b", ["pull", "push", "delete"]),
        ("other", []),
        ("catalog", ["*"]),
        ("own", ["x"]),
    ]
    document = json.loads(answer.body)
    assert document["access_token"] == document["token"]
    assert (document["expires_in"], "refresh_token" in document) == (300, False)
    found = claims(service, document["token"])
    assert (found["sub"], found["exp"] - found["iat"], found["nbf"]) == ("ann", 300, found["iat"])


def test_nobody_in_particular_gets_what_is_for_everybody(service: TokenService) -> None:
    answer = get(service, "service=other.test&scope=repository:public/x:pull,push&offline_token=true")
    document = json.loads(answer.body)
    found = claims(service, document["token"], "other.test")
    assert (found["sub"], found["access"][0]["actions"], "refresh_token" in document) == ("", ["pull"], False)


def test_wrong_credentials_get_no_token(service: TokenService) -> None:
    for wrong in (basic(password="x"), basic("bob"), "Basic ?", "Bearer x"):
        answer = get(service, "service=registry.example", wrong)
        assert (answer.status, answer.get("www-authenticate")) == (401, 'Basic realm="tokens.example"')
        assert json.loads(answer.body)["errors"][0]["code"] == "UNAUTHORIZED"
    assert get(service, "service=elsewhere.example", basic()).status == 400


def test_a_refresh_token_is_good_for_its_service(service: TokenService) -> None:
    asked = {"access_type": "offline", "scope": "repository:a/x:pull,delete repository:z:pull"}
    status, first = post(service, grant_type="password", username="ann", password="secret", **asked)
    assert (status, first["scope"], first["token_type"]) == (200, "repository:a/x:pull", "Bearer")
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    status, second = post(service, **refresh, **asked)
    assert (status, second["refresh_token"]) == (200, first["refresh_token"])
    assert claims(service, second["access_token"])["sub"] == "ann"
    assert post(service, **refresh, service="other.test") == (
        400,
        {"error": "invalid_grant", "error_description": "the refresh token is unknown, or of another service"},
    )
    by_get = json.loads(get(service, "service=registry.example&offline_token=true", basic()).body)
    assert by_get["refresh_token"] == first["refresh_token"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "ann", "password": "x"}, "invalid_grant"),
        ({"grant_type": "password", "username": "ann"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": "password", "username": "ann", "password": "secret", "client_id": ""}, "invalid_request"),
        ({"content_type": "application/json"}, "invalid_request"),
    ],
)
def test_a_wrong_grant_is_an_error_of_oauth(service: TokenService, form: dict[str, str], error: str) -> None:
    status, document = post(service, **form)
    assert (status, document["error"]) == (400, error)


def test_a_service_without_oauth_does_not_know_post(service: TokenService) -> None:
    service.config.oauth = False
    assert post(service, grant_type="password")[0] == 404
    assert asyncio.run(Client(service).call("DELETE", "/token")).get("allow") == "GET, HEAD"


def test_scopes_are_read_from_both_ends() -> None:
    found = parse_scopes(["repository:host:5000/a:pull,push repository(plugin):p:pull", "nonsense a:b"])
    assert [str(scope) for scope in found] == ["repository:host:5000/a:pull,push", "repository(plugin):p:pull"]
    assert matches("a*/c", "a/b/c")
    assert not matches("a.c", "abc")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_certificate_names_the_key(tmp_path: Path, algorithm: str) -> None:
    path = tmp_path / "tokens.yml"
    path.write_text(f"algorithm: {algorithm}\n" + CONFIG.format(folder=tmp_path))
    service = make_service(config.read(path))
    again = make_service(config.read(path))
    (root,) = load_bundle(tmp_path / "bundle.pem")
    header = jwt.get_unverified_header(json.loads(get(service, "").body)["token"])
    assert header["alg"] == algorithm
    assert header["kid"] == key_id(again.signer.key.public_key())
    assert len(header["kid"].split(":")) == 12
    leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    assert leaf.public_key() == root.public_key()
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().replace(algorithm, {"ES256": "RS256", "RS256": "ES256"}[algorithm]))
    with pytest.raises(LaunchError, match="holds no key for"):
        make_service(config.read(path))


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("issuer: tokens.example", "issuers: x", 1, "issuers is unknown; known are issuer, services"),
        ("services: [registry.example", 'services: ["*"', 2, "services must begin with the name of a registry"),
        ("issuer: tokens.example", "issuer: x\nlifetime: 59", 2, "lifetime must be 60 or more, not 59"),
        ("issuer: tokens.example", "issuer: x\nalgorithm: HS256", 2, "algorithm must be one of ES256, RS256"),
        ("name: ann", "name: a:b", 8, "accounts[0].name must not hold a colon"),
        ("    password: secret\n", "", 8, "accounts[0].password is missing"),
        ("actions: [delete]", "actions: [[x]]", 12, "accounts[0].access[1].actions must be a list of words"),
        ("type: registry", "kind: registry", 14, "accounts[0].access[3].kind is unknown"),
    ],
)
def test_a_wrong_configuration_names_the_line(tmp_path: Path, before: str, after: str, line: int, says: str) -> None:
    path = tmp_path / "tokens.yml"
    text = CONFIG.format(folder=tmp_path)
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)
