"""A registry that wants tokens, in front of an open one, and its token service."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.scripted.server import Answer, Asked, Tiny, forward, serve

#: Each token is this and a number.
TOKEN = "c4narytoken"


@dataclass(slots=True)
class Guarded:
    """A registry behind tokens: what it and its token service were asked."""

    url: str
    registry: Tiny
    service: Tiny
    scopes: dict[str, str] = field(default_factory=dict)


def scope_of(asked: Asked) -> str:
    """Return the scope that a request needs, as the original registry names it."""
    path = urlsplit(asked.path).path.removeprefix("/v2/")
    for word in ("/blobs/", "/manifests/", "/tags/", "/referrers/"):
        if word in path:
            actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(asked.method, "pull,push")
            return f"repository:{path.rpartition(word)[0]}:{actions}"
    return "registry:catalog:*" if path == "_catalog" else ""


def _password_of(asked: Asked) -> tuple[str, str]:
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, password = base64.b64decode(value).decode().partition(":")
    return user, password


@contextmanager
def guarded(target: str, users: dict[str, str], lifetime: int = 300) -> Iterator[Guarded]:
    """Guard a registry; each refusal of HEAD repeats the request, as a debug mode might."""
    given: dict[str, str] = {}

    def service_answer(asked: Asked) -> Answer:
        user, password = _password_of(asked)
        if users.get(user) != password:
            return Answer(401, b'{"details":"wrong user name or password"}')
        token = f"{TOKEN}{len(given)}"
        given[token] = " ".join(parse_qs(urlsplit(asked.path).query).get("scope", []))
        body = json.dumps({"token": token, "access_token": token, "expires_in": lifetime})
        return Answer(200, body.encode(), (("Content-Type", "application/json"), ("Set-Cookie", f"s={token}")))

    def registry_answer(asked: Asked) -> Answer:
        scope = scope_of(asked)
        sent = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if sent not in given or scope not in [*given[sent].split(), ""]:
            challenge = f'Bearer realm="{service.url}/token",service="tests"' + (f',scope="{scope}"' if scope else "")
            return Answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', (("WWW-Authenticate", challenge),))
        if asked.method == "HEAD" and "/blobs/" in asked.path:
            echo = (("X-Sent", asked.headers["authorization"]), ("Allow", "GET"))
            return Answer(405, b"", echo)
        return forward(asked, target)

    with serve(service_answer) as service, serve(registry_answer) as registry:
        yield Guarded(registry.url, registry, service, given)
