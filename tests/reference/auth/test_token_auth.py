"""Tokens at the registry: challenges, what is trusted, and what a token opens."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reference.app import Registry
from reference.auth.token import Tokens
from reference.auth.trust import Trust
from reference.storage.memory import MemoryStorage
from reference.tokens.keys import Signer, keep_key, make_key
from tests.reference.probe import Answer, Client, digest
from tests.support.servers import docker_registry
from tests.support.tokens import OWNER, SERVICE, token_server

REALM = "http://tokens.test/token"
SIGNER = Signer(make_key("ES256"), "issuer")
LAYER = b"content"


@pytest.fixture(scope="module")
def registry() -> Registry:
    trust = Trust("issuer", "service", [SIGNER.certificate])
    return Registry(MemoryStorage(), authenticator=Tokens(REALM, trust))


def claims(*access: str, **more: Any) -> dict[str, Any]:
    """The claims of a good token for scopes; a member that is None is left out."""
    now = int(time.time())
    entries = []
    for scope in access:
        kind, name, actions = scope.split(":")
        entries.append({"type": kind, "name": name, "actions": actions.split(",") if actions else []})
    good = {"iss": "issuer", "aud": "service", "sub": "a", "nbf": now, "exp": now + 60, "access": entries}
    return {name: value for name, value in (good | more).items() if value is not None}


def call(registry: Registry, method: str, path: str, token: str | None = None, body: bytes = b"") -> Answer:
    fields = () if token is None else (("authorization", f"Bearer {token}"),)
    return asyncio.run(Client(registry).call(method, path, body, fields=fields))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("HEAD", "/v2/a/b/manifests/t", "repository:a/b:pull"),
        ("GET", "/v2/a/tags/list", "repository:a:pull"),
        ("PUT", "/v2/a/manifests/t", "repository:a:pull,push"),
        ("DELETE", "/v2/a/manifests/t", "repository:a:delete"),
        ("POST", "/v2/a/blobs/uploads/", "repository:a:pull,push"),
        ("GET", "/v2/a/blobs/uploads/x", "repository:a:pull,push"),
        ("DELETE", "/v2/a/blobs/uploads/x", "repository:a:pull,push"),
        ("POST", "/v2/a/blobs/uploads/?mount=x&from=b", "repository:a:pull,push repository:b:pull"),
        ("POST", "/v2/a/blobs/uploads/?mount=x&from=B%22", "repository:a:pull,push"),
    ],
)
def test_a_challenge_names_the_scope(registry: Registry, method: str, path: str, scope: str) -> None:
    answer = call(registry, method, path)
    expected = f'Bearer realm="{REALM}",service="service"' + (f',scope="{scope}"' if scope else "")
    assert (answer.status, answer.get("www-authenticate")) == (401, expected)
    assert answer.get("docker-distribution-api-version") == "registry/2.0"
    token = SIGNER.sign(claims("repository:a:none", "repository:a/b:push"))
    answer = call(registry, method, path, token)
    refused = f'{expected},error="insufficient_scope"'
    assert (answer.status, answer.get("www-authenticate")) == ((401, refused) if scope else (200, ""))


BAD = {
    "garbage": "x",
    "empty": "",
    "no algorithm": jwt.encode(claims(), "", "none"),
    "a secret": jwt.encode(claims(), "x" * 32, "HS256", {"kid": SIGNER.header["kid"]}),
    "expired": SIGNER.sign(claims(exp=int(time.time()) - 60)),
    "without end": SIGNER.sign(claims(exp=None)),
    "not yet": SIGNER.sign(claims(nbf=int(time.time()) + 60)),
    "other issuer": SIGNER.sign(claims(iss="another")),
    "other service": SIGNER.sign(claims(aud="another")),
    "other key": Signer(make_key("ES256"), "issuer").sign(claims()),
    "other key, known name": jwt.encode(claims(), make_key("ES256"), "ES256", {"kid": SIGNER.header["kid"]}),
    "odd chain": jwt.encode(claims(), SIGNER.key, "ES256", {"x5c": ["?"]}),
    "odd access": SIGNER.sign(claims(access=[1])),
    "tampered": SIGNER.sign(claims())[:-20] + "A" * 20,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_token_opens_nothing(registry: Registry, bad: str) -> None:
    answer = call(registry, "GET", "/v2/", bad)
    assert answer.status == 401
    assert answer.get("www-authenticate").endswith('service="service",error="invalid_token"')
    assert json.loads(answer.body)["errors"][0]["code"] == "UNAUTHORIZED"
    assert bad == "" or len(bad) < 10 or bad not in answer.body.decode()


def test_a_key_is_known_by_fingerprint(registry: Registry) -> None:
    token = jwt.encode(claims(), SIGNER.key, "ES256", {"kid": SIGNER.header["kid"]})
    assert call(registry, "GET", "/v2/", token).status == 200
    assert asyncio.run(Client(registry).call("GET", "/v2/", authorization=f"bEARER {token}")).status == 200
    assert call(registry, "GET", "/v2/", jwt.encode(claims(), SIGNER.key, "ES256")).status == 401


def _issued(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: tuple[str, Any], days: int = 1, ca: bool = False
) -> str:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(named(issuer[0]), named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=2))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return base64.b64encode(builder.sign(issuer[1], hashes.SHA256()).public_bytes(Encoding.DER)).decode()


@pytest.mark.parametrize(("ca", "days", "status"), [(True, 1, 200), (False, 1, 401), (True, -1, 401)])
def test_a_chain_leads_to_a_root(registry: Registry, ca: bool, days: int, status: int) -> None:
    middle, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = [_issued("leaf", leaf, ("middle", middle)), _issued("middle", middle, ("issuer", SIGNER.key), days, ca)]
    assert call(registry, "GET", "/v2/", jwt.encode(claims(), leaf, "ES256", {"x5c": chain})).status == status
    assert call(registry, "GET", "/v2/", jwt.encode(claims(), leaf, "ES256", {"x5c": chain[:1]})).status == 401


def test_names_are_compared_whole_and_refusals_tell_nothing(registry: Registry) -> None:
    asyncio.run(push(registry, "secret/x"))
    there, absent = f"/v2/secret/x/blobs/{digest(LAYER)}", f"/v2/secret/y/blobs/{digest(LAYER)}"
    for scope in ("repository:secret:pull", "repository:secret/:pull", "repository:secret/x/y:pull"):
        token = SIGNER.sign(claims(scope))
        for method in ("GET", "HEAD"):
            found, missing = call(registry, method, there, token), call(registry, method, absent, token)
            assert found.status == missing.status == 401
            assert found.get("www-authenticate").replace("/x", "/y") == missing.get("www-authenticate")
            assert found.body == missing.body
    assert call(registry, "GET", there, SIGNER.sign(claims("repository:secret/x:pull"))).body == LAYER


async def push(registry: Registry, name: str) -> None:
    upload = registry.storage.start_upload(name)
    upload.expect("sha256")
    await upload.write(LAYER)
    await upload.flush()
    registry.storage.commit_upload(upload, [digest(LAYER)])


def test_a_mount_needs_its_source(registry: Registry) -> None:
    asyncio.run(push(registry, "source"))
    path = f"/v2/target/blobs/uploads/?mount={digest(LAYER)}&from=source"
    own = "repository:target:pull,push"
    for access, status in (
        ([own], 401),
        ([own, "repository:source:"], 202),
        ([own, "repository:source:push"], 202),
        (["repository:target:pull", "repository:source:pull"], 401),
        ([own, "repository:source:pull"], 201),
    ):
        assert call(registry, "POST", path, SIGNER.sign(claims(*access))).status == status, access


@pytest.mark.needs("docker-registry")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_original_trusts_our_tokens(tmp_path: Path, algorithm: str) -> None:
    extra = {"algorithm": algorithm}
    with (
        token_server(tmp_path, OWNER, extra=extra) as service,
        docker_registry(tmp_path, extra={"auth": service.auth}) as server,
    ):
        asked = {"service": SERVICE, "scope": "registry:catalog:*"}
        given = requests.get(service.url, params=asked, auth=(OWNER.name, OWNER.password), timeout=5).json()["token"]
        own = keep_key(service.key, algorithm)
        header = {"kid": jwt.get_unverified_header(given)["kid"]}
        named = jwt.encode(jwt.decode(given, options={"verify_signature": False}), own, algorithm, header)
        for token in (given, named):
            fields = {"Authorization": f"Bearer {token}"}
            assert requests.get(f"{server.url}/v2/_catalog", headers=fields, timeout=5).status_code == 200
    log = service.log.read_text()
    assert OWNER.password not in log
    assert given not in log
