"""A registry, a token service, a host and a proxy that repeat what they get, in every encoding."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

from tests.secrets.canaries import Canaries
from tests.support.scripted.server import Answer, Asked, Tiny, forward, serve
from tests.support.scripted.tokens import scope_of

USER, READER, STRANGER = "ann", "bob", "eve"
_JSON = ("Content-Type", "application/json")


@dataclass(slots=True)
class Parrot:
    """The running servers; ``elsewhere`` is the host to which blobs are redirected."""

    registry: Tiny
    elsewhere: Tiny
    service: Tiny
    proxy: Tiny
    given: dict[str, str] = field(default_factory=dict)


@contextmanager
def parrot(target: str, canaries: Canaries, auth: str) -> Iterator[Parrot]:
    """Put the servers before an open registry; ``auth`` is none, basic or bearer."""
    with ExitStack() as stack:
        elsewhere = stack.enter_context(serve(lambda asked: forward(asked, target)))
        service = stack.enter_context(serve(lambda asked: _token(asked, canaries, found.given)))
        registry = stack.enter_context(serve(lambda asked: _registry(asked, target, canaries, auth, found)))
        proxy = stack.enter_context(serve(_proxy))
        found = Parrot(registry, elsewhere, service, proxy)
        yield found


def words(asked: Asked) -> list[str]:
    """Return what a request carried that is worth repeating: credentials, as sent and decoded."""
    found = []
    for name in ("authorization", "proxy-authorization"):
        scheme, _, value = asked.headers.get(name, "").partition(" ")
        if scheme.lower() == "basic":
            pair = _decoded(value)
            found += [f"{scheme} {value}", pair, pair.partition(":")[2]]
        elif value:
            found += [f"{scheme} {value}", value]
    for values in parse_qs(asked.body.decode("latin-1")).values():
        found += values
    return found


def _decoded(value: str) -> str:
    """Return name and password; the client of a proxy may write them in Latin-1."""
    data = base64.b64decode(value)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def echo(asked: Asked) -> tuple[tuple[str, str], ...]:
    """Repeat it in headers."""
    fields = []
    for number, word in enumerate(words(asked)[:4]):
        data = word.encode()
        fields += [
            (f"X-Sent-{number}", quote(word)),
            (f"X-Json-{number}", json.dumps(word)),
            (f"X-Hex-{number}", data.hex()),
            *((f"X-Base64-{number}-{shift}", base64.b64encode(b"q" * shift + data).decode()) for shift in range(3)),
        ]
    return tuple(fields)


def _body(asked: Asked) -> bytes:
    """Repeat it in an error."""
    spoken = words(asked)
    go = [json.dumps(word)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026") for word in spoken]
    detail = {"plain": spoken, "html": [html.escape(word) for word in spoken], "go": "(go)"}
    error = {"code": "UNAUTHORIZED", "message": f"not with {' '.join(spoken)}", "detail": detail}
    return json.dumps({"errors": [error]}).replace("(go)", " ".join(go)).encode()


def _registry(asked: Asked, target: str, canaries: Canaries, auth: str, found: Parrot) -> Answer:
    if (challenge := _challenge(asked, canaries, auth, found)) is not None:
        return Answer(401, _body(asked), (("WWW-Authenticate", challenge), _JSON, *echo(asked)))
    path = urlsplit(asked.path).path
    if asked.method == "HEAD" and "/blobs/" in path:
        return Answer(405, b"", (("Allow", "GET"), ("Set-Cookie", f"s={canaries['token']}"), *echo(asked)))
    if asked.method == "GET" and "/blobs/sha256:" in path:
        signed = f"?X-Amz-Signature={canaries['signature']}&sig={canaries['signature']}"
        return Answer(307, b"", (("Location", found.elsewhere.url + asked.path + signed), *echo(asked)))
    answer = forward(asked, target)
    headers = dict(answer.headers)
    if asked.method == "POST" and "Location" in headers:
        spoken = quote(" ".join(words(asked)), safe="")
        headers["Location"] += ("&" if "?" in headers["Location"] else "?") + f"echo={spoken}"
    if path.endswith("/tags/list") and answer.status == 200:
        return Answer(200, b"\xff\xfe" + " ".join(words(asked)).encode(), (_JSON, *echo(asked)))
    if asked.method == "GET" and "/manifests/" in path and (spoken := quote(" ".join(words(asked)))):
        headers["Docker-Content-Digest"] = spoken
    body = _body(asked) if answer.status >= 400 else answer.body
    headers["Content-Length"] = str(len(body))
    return Answer(answer.status, body, (*headers.items(), *echo(asked)))


def _challenge(asked: Asked, canaries: Canaries, auth: str, found: Parrot) -> str | None:
    """Return the challenge to a request that is not let in."""
    if auth == "none":
        return None
    if auth == "basic":
        pair = f"{USER}:{canaries['password']}".encode()
        let_in = asked.headers.get("authorization") == "Basic " + base64.b64encode(pair).decode()
        return None if let_in else f'Basic realm="{quote(" ".join(words(asked))) or "tests"}"'
    scope = scope_of(asked)
    sent = asked.headers.get("authorization", "").removeprefix("Bearer ")
    if sent in found.given and scope in {*found.given[sent].split(), ""}:
        return None
    realm = f"{found.service.url}/token?token={canaries['realm']}"
    return f'Bearer realm="{realm}",service="tests"' + (f',scope="{scope}"' if scope else "")


def _token(asked: Asked, canaries: Canaries, given: dict[str, str]) -> Answer:
    """Give tokens by GET and POST; ``token`` and ``access_token`` differ, and both are good."""
    passwords = {USER: "password", READER: "reader", STRANGER: "stranger"}
    form = {name: values[0] for name, values in parse_qs(asked.body.decode("latin-1"), encoding="utf-8").items()}
    user, secret = form.get("username", ""), form.get("password", "")
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        user, _, secret = _decoded(value).partition(":")
    refreshed = form.get("refresh_token") == canaries["refresh"]
    if not refreshed and (user not in passwords or secret != canaries[passwords[user]]):
        return Answer(401, _body(asked), (_JSON, *echo(asked)))
    scope = " ".join([*parse_qs(urlsplit(asked.path).query).get("scope", []), form.get("scope", "")]).strip()
    token, access = (f"{canaries[name]}{len(given)}" for name in ("token", "access"))
    given[token] = given[access] = scope
    body = {"access_token": access, "refresh_token": canaries["refresh"], "expires_in": 300, "scope": scope}
    if asked.method == "GET":
        body["token"] = token
    shown = (("X-Token", access), ("X-Refresh", canaries["refresh"]), ("Set-Cookie", f"s={token}"))
    return Answer(200, json.dumps(body).encode(), (_JSON, *shown, *echo(asked)))


def _proxy(asked: Asked) -> Answer:
    """Send a request with an absolute URL to its host, and repeat the proxy's credentials."""
    parts = urlsplit(asked.path)
    bare = Asked(asked.method, parts._replace(scheme="", netloc="").geturl(), asked.headers, asked.body)
    answer = forward(bare, f"{parts.scheme}://{parts.netloc}", "proxy-authorization")
    return Answer(answer.status, answer.body, (*answer.headers, *echo(Asked("", "", _only_proxy(asked), b""))))


def _only_proxy(asked: Asked) -> dict[str, str]:
    return {name: value for name, value in asked.headers.items() if name == "proxy-authorization"}
