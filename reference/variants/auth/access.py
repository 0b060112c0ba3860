"""Variants of access with and without a login."""

from __future__ import annotations

import json
import re

from reference.messages import Application, Receive, Request, Response, Scope, Send
from reference.modifications import Layer, Variant

_REALM = b"/token/service"
#: Four KiB of text in which nobody can read anything.
_TOKEN = "opaque." * 600
_NAME = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/")


def _service(request: Request) -> Response:
    """GET alone; the answer has access_token and no other member."""
    if request.method != "GET":
        return Response(404)
    if request.query.get("tenant") != "a/b":
        return Response(400)
    return Response.json({"access_token": _TOKEN})


def _open(request: Request, base_open: bool) -> bool:
    return base_open and (request.path in ("/v2/", "/v2") or request.method in ("GET", "HEAD"))


def _challenge(request: Request) -> list[tuple[str, str]]:
    """Two fields: a scheme that nobody knows beside Bearer in odd letters, and Basic."""
    port = request.headers.get("host").rpartition(":")[2]
    realm = f"http://localhost:{port}{_REALM.decode()}?tenant=a%2Fb"
    found = _NAME.match(request.path)
    scope = f"repository:{found[1] if found else 'any/name'}:pull,push repository(plugin):other:*"
    bearer = f'bearer Realm="{realm}", error="x, y", scope="{scope}", service=r'
    return [("WWW-Authenticate", f"Negotiate, {bearer}"), ("WWW-Authenticate", 'Basic realm="r"')]


def _token(base_open: bool) -> Layer:
    """Ask each request for a token; the version check not, where it is open."""

    def layer(application: Application) -> Application:
        async def changed(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            head = request.method == "HEAD"
            if request.path.encode() == _REALM:
                await _service(request).send(send, head)
            elif request.headers.get("authorization") == f"Bearer {_TOKEN}" or _open(request, base_open):
                await application(scope, receive, send)
            else:
                body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": ""}]}).encode()
                version = ("Docker-Distribution-Api-Version", "registry/2.0")
                headers = [("Content-Type", "application/json"), version, *_challenge(request)]
                await Response(401, headers, body).send(send, head)

        return changed

    return layer


VARIANTS = (
    Variant(
        name="token-everywhere",
        title="Every request needs a token, which anybody gets from another host.",
        latitude=(
            "LOGIN-REQUIRED-EVERYWHERE",
            "LOGIN-CHALLENGES",
            "LOGIN-REALM-ANY-URL",
            "LOGIN-TOKEN-ANSWER",
            "LOGIN-SCOPE-VARIES",
            "LOGIN-OAUTH-PARTS-ABSENT",
        ),
        warns=("AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE", "AUTH-TOKEN-BAD-CREDENTIALS-401", "AUTH-TOKEN-NO-SCOPE"),
        layer=_token(base_open=False),
    ),
    Variant(
        name="token-for-writes",
        title="The version check and pulls are open, and writes need a token.",
        latitude=("LOGIN-BASE-OPEN", "LOGIN-TOKEN-ANSWER"),
        warns=("AUTH-BASE-CHALLENGE",),
        layer=_token(base_open=True),
    ),
)
