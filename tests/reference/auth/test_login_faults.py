"""Each fault and each variant of logins shows, at the token service or at the registry."""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bcrypt
import jwt
import pytest

from reference import faults, variants
from reference.app import Registry
from reference.auth import Authenticator
from reference.auth.htpasswd import Htpasswd
from reference.auth.token import Tokens
from reference.auth.trust import Trust
from reference.messages import Application
from reference.modifications import Fault, Variant
from reference.storage.memory import MemoryStorage
from reference.tokens.access import Account, Rule
from reference.tokens.app import TokenService
from reference.tokens.config import Config
from reference.tokens.keys import Signer, make_key
from tests.reference.probe import Answer, Client

SIGNER = Signer(make_key("ES256"), "issuer")
PASSWORD = "secret"
BASIC = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
WRONG = "Basic " + base64.b64encode(b"ann:wrong").decode()
FORM = "application/x-www-form-urlencoded"
ASKED = ("repository:a/b:pull,push", "repository:a/c:pull")
Change = Fault | Variant
#: What shows to requests that the sequence below does not have; the suite itself convicts or
#: acquits it.
ELSEWHERE = {
    "basic-credentials-with-line-end-500",
    "blob-deletion-refused-and-done",
    "blob-deletion-with-the-right-to-pull",
    "blob-head-challenged-without-scope",
    "blob-head-with-a-token-of-any-scope",
    "blob-range-500-to-strangers",
    "blobs-of-all-repositories",
    "cancelled-by-everybody",
    "catalog-for-everybody",
    "catalog-scope-out-of-reach-an-error",
    "chunks-from-everybody",
    "closing-by-everybody",
    "conditions-for-everybody",
    "deletion-401-without-challenge",
    "deletion-without-scope-challenged-basic",
    "heads-for-everybody",
    "large-blobs-on-another-host",
    "mount-refused-to-both",
    "mount-without-from-out-of-private-repositories",
    "mount-without-rights-on-source",
    "mounts-for-everybody",
    "oauth-answer-201",
    "oauth-refresh-once",
    "oauth-token-in-a-list",
    "offline-token-refused",
    "open-upload-403-to-strangers",
    "open-upload-challenged-for-pull",
    "page-of-tags-open-to-everybody",
    "present-blobs-denied",
    "ranges-for-everybody",
    "redirect-wants-login",
    "referrers-open-to-everybody",
    "refresh-token-good-once",
    "refusal-of-head-with-digest",
    "refusal-of-head-with-size",
    "refusal-with-content",
    "refusal-with-digest",
    "refusal-with-tags",
    "refused-cancel-cancels",
    "refused-deletion-deletes",
    "refused-mount-mounts",
    "refused-push-pushes",
    "refused-upload-uploads",
    "rights-kept-with-the-connection",
    "scope-of-catalog-without-actions",
    "scope-of-mount-without-source",
    "scope-of-pull-is-read",
    "scope-of-pull-missing",
    "scopes-of-one-repository-first-wins",
    "several-scopes-all-or-none",
    "signature-checked-once",
    "single-post-challenged-for-pull",
    "single-post-with-the-right-to-pull",
    "status-for-everybody",
    "third-scope-passed-over",
    "token-actions-by-method",
    "token-changed-before-its-signature-accepted",
    "token-last-scope-of-a-repository",
    "unsigned-token-of-none-with-a-capital",
    "upload-goes-on-elsewhere",
    "version-check-forbidden-to-strangers",
}
ALL: dict[str, Change] = {**faults.ALL, **variants.ALL}
NAMED = [
    name
    for name, change in ALL.items()
    if change.configuration.startswith(("token", "htpasswd")) and name not in ELSEWHERE
]


@cache
def htpasswd_file() -> Path:
    """A password file for all tests of this process."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    path = Path(tempfile.mkdtemp(prefix="htpasswd-")) / "htpasswd"
    path.write_text(f"ann:{hashed}\n")
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


def fitting(change: Change | None) -> Authenticator:
    if change is not None and change.configuration == "htpasswd":
        return Htpasswd("realm", htpasswd_file())
    return Tokens("http://tokens.test/token", Trust("issuer", "registry", [SIGNER.certificate]))


def answers(authenticator: Authenticator, change: Change | None) -> list[object]:
    """What service and registry say to a sequence of requests, without what differs anyway."""
    registry = Registry(MemoryStorage(), authenticator=authenticator)
    rules = (Rule("repository", "a/*", frozenset({"pull", "push"})),)
    config = Config("issuer", ("registry", "*"), Path(), accounts={"ann": Account("ann", PASSWORD, rules)})
    config.anonymous = Account(rules=(Rule("repository", "a/*", frozenset({"pull"})),))
    service = TokenService(config, SIGNER)
    application: Application = registry
    if change is not None:
        application = change.apply_to(registry, registry)
        if change.tokens is not None:
            change.tokens(service)
    return asyncio.run(_all(Client(service), Client(application)))


async def _all(service: Client, registry: Client) -> list[object]:
    found = await _service(service)
    refresh = found[-1]
    told = [_plain(answer) for answer in service.answers]
    await _registry(registry, [*found[:-1], refresh])
    return [*told, *(answer.normal() for answer in registry.answers)]


async def _service(service: Client) -> list[str]:
    """Ask in every way; the tokens that were given."""

    async def get(*scopes: str, name: str = "registry", login: str = BASIC, **more: str) -> str:
        query = urlencode([("service", name), *(("scope", scope) for scope in scopes), *more.items()])
        return _token(await service.call("GET", f"/token?{query}", fields=(("authorization", login),) if login else ()))

    async def post(**form: str) -> dict[str, Any]:
        body = urlencode({"service": "registry", "client_id": "c", "access_type": "offline"} | form).encode()
        answer = await service.call("POST", "/token", body, fields=(("content-type", FORM),))
        document: dict[str, Any] = json.loads(answer.body)
        return document

    given = [
        await get(*ASKED),
        await get(),
        await get(ASKED[1]),
        await get(name="other"),
        await get("repository:z:pull"),
    ]
    await get(login=WRONG)
    await get(*ASKED, login="")
    await post(grant_type="password", username="ann", password=PASSWORD, access_type="online")
    by_post = await post(grant_type="password", username="ann", password=PASSWORD, scope=" ".join(ASKED))
    refresh = str(by_post.get("refresh_token"))
    for token, name in ((refresh, "registry"), (refresh, "other"), ("x", "registry")):
        await post(grant_type="refresh_token", refresh_token=token, service=name, scope=ASKED[0])
    await post(grant_type="password", username="ann", password="wrong")
    await post(grant_type="other")
    return [*given, refresh]


async def _registry(registry: Client, tokens: list[str]) -> None:
    now = int(time.time())
    access = [{"type": "repository", "name": "a/b", "actions": ["pull", "push"]}]
    good = {"iss": "issuer", "aud": "registry", "nbf": now, "exp": now + 60, "access": access}
    own = [SIGNER.sign(good | change) for change in ({"exp": now - 60}, {"nbf": now + 60}, {"aud": "other"})]
    unsigned = [SIGNER.sign(good)[:-8] + "AAAAAAAA", jwt.encode(good, "", "none"), "x"]
    bearers = [f"Bearer {token}" for token in [*tokens, *own, *unsigned]]
    for login in ("", BASIC, BASIC.replace("Basic", "basic"), WRONG, *bearers):
        for method, path in (
            ("GET", "/v2/"),
            ("GET", "/v2/a/b/tags/list"),
            ("GET", "/v2/a/b/manifests/t"),
            ("GET", "/v2/a/bc/tags/list"),
            ("GET", "/v2/a/d/tags/list"),
            ("PUT", "/v2/a/c/manifests/t"),
            ("POST", "/v2/a/b/blobs/uploads/"),
        ):
            await registry.call(method, path, fields=(("authorization", login),) if login else ())


def _token(answer: Answer) -> str:
    document = json.loads(answer.body)
    return str(document.get("token") or document.get("access_token"))


def _plain(answer: Answer) -> object:
    """An answer of the service with the claims of its token, without times."""
    document = json.loads(answer.body)
    for name in ("token", "access_token", "refresh_token"):
        try:
            claims = jwt.decode(document[name], options={"verify_signature": False})
        except (KeyError, jwt.PyJWTError):
            document[name] = bool(document.get(name))
            continue
        del claims["jti"]
        document[name] = {k: v - claims["iat"] if k in ("exp", "nbf", "iat") else v for k, v in claims.items()}
    issued = document.get("issued_at")
    if isinstance(issued, str) and abs(_seconds(issued) - time.time()) < 30:
        del document["issued_at"]
    return answer.status, sorted(answer.headers), json.dumps(document, sort_keys=True)


def _seconds(issued: str) -> float:
    try:
        return time.mktime(time.strptime(issued, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    except ValueError:
        return 0.0


@pytest.mark.parametrize("name", NAMED)
def test_what_changes_logins_shows(name: str) -> None:
    change = ALL[name]
    right = answers(fitting(change), None)
    assert right == answers(fitting(change), None)
    assert right != answers(fitting(change), change)
