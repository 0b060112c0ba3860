"""Faults of the answers of the token service: their form."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    # Its libraries take time to load, and a registry has no use for them.
    from reference.tokens.app import TokenService

Change = Callable[["TokenService"], None]
_ANSWER = "AUTH-TOKEN-GET-RESPONSE"
_OAUTH = "AUTH-OAUTH-POST-RESPONSE"


def _bodies(change: Callable[[dict[str, Any]], object], oauth: bool) -> Change:
    """Change the members of what is given, to a POST or to a GET."""

    def apply(service: TokenService) -> None:
        document = service.document

        def changed(value: Mapping[str, Any], status: int = 200) -> Response:
            body = dict(value)
            if status == 200 and ("token" not in body) == oauth:
                change(body)
            return document(body, status)

        override(service, document=changed)

    return apply


def _given(change: Callable[[dict[str, Any]], object]) -> Change:
    return _bodies(change, oauth=False)


def _given_by_oauth(change: Callable[[dict[str, Any]], object]) -> Change:
    return _bodies(change, oauth=True)


def _without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda body: [body.pop(name, None) for name in names]


def _with(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda body: body.update({name: value})


def _refresh_token(body: dict[str, Any]) -> None:
    body.setdefault("refresh_token", "nobody-asked-for-this-one")


def _issued(form: str, ahead: float = 0.0) -> Callable[[dict[str, Any]], object]:
    """Another form of the time, or another time; ``ahead`` in seconds."""
    return lambda body: body.update(issued_at=time.strftime(form, time.gmtime(time.time() + ahead)))


def _responses(change: Callable[[Response], object]) -> Change:
    """Change the answer to a GET."""

    def apply(service: TokenService) -> None:
        get = service.get

        async def changed(request: Request) -> Response:
            response = await get(request)
            change(response)
            return response

        override(service, get=changed)

    return apply


def _status_201(response: Response) -> None:
    response.status = 201


def _labelled_text(response: Response) -> None:
    response.headers.set("Content-Type", "text/plain")


def _kept(service: TokenService) -> None:
    post = service.post

    async def changed(request: Request) -> Response:
        response = await post(request)
        response.headers.set("Cache-Control", "max-age=60")
        return response

    override(service, post=changed)


def _not_allowed(service: TokenService) -> None:
    async def changed(_request: Request) -> Response:
        raise errors.unsupported(["GET"])

    override(service, post=changed)


def _fault(name: str, title: str, breaks: str | tuple[str, ...], tokens: Change, *also: str) -> Fault:
    named = (breaks,) if isinstance(breaks, str) else breaks
    return Fault(name=name, title=title, breaks=named, also=also, configuration="token", tokens=tokens)


FAULTS = (
    _fault("token-answer-201", "A token is given with status 201.", _ANSWER, _responses(_status_201)),
    _fault("token-labelled-text", "A token is labelled text/plain.", _ANSWER, _responses(_labelled_text)),
    _fault(
        "token-differs",
        "The member access_token is empty, and token is not.",
        _ANSWER,
        _given(_with("access_token", "")),
    ),
    _fault(
        "expires-in-short", "Tokens live for 30 seconds.", "AUTH-TOKEN-EXPIRES-IN-60", _given(_with("expires_in", 30))
    ),
    _fault(
        "expires-in-text",
        "The life of a token is a string.",
        "AUTH-TOKEN-EXPIRES-IN-60",
        _given(_with("expires_in", "300")),
    ),
    _fault(
        "issued-at-with-blank",
        "The time of a token has a blank for the T, and no zone.",
        "AUTH-TOKEN-ISSUED-AT",
        _given(_issued("%Y-%m-%d %H:%M:%S")),
    ),
    _fault(
        "issued-at-a-number",
        "The time of a token is a number of seconds.",
        "AUTH-TOKEN-ISSUED-AT",
        _given(_with("issued_at", 1790000000)),
    ),
    _fault(
        "token-refresh-unasked",
        "A refresh token comes with every token.",
        "AUTH-TOKEN-OFFLINE-REFRESH",
        _given(_refresh_token),
    ),
    _fault("oauth-without-scope", "A token by POST comes without scope.", _OAUTH, _given_by_oauth(_without("scope"))),
    _fault(
        "oauth-without-access-token",
        "A token by POST comes as token alone.",
        _OAUTH,
        _given_by_oauth(lambda body: body.update(token=body.pop("access_token"))),
    ),
    _fault(
        "oauth-scope-list",
        "The scope of a token by POST is a list.",
        _OAUTH,
        _given_by_oauth(lambda body: body.update(scope=body["scope"].split(" "))),
    ),
    _fault(
        "issued-at-ahead",
        "A token is issued in an hour.",
        "AUTH-TOKEN-ISSUED-AT",
        _given(_issued("%Y-%m-%dT%H:%M:%SZ", 3600)),
    ),
    _fault(
        "token-given-twice",
        "The token is another as access_token than as token.",
        "AUTH-TOKEN-GET-SAME",
        _given(lambda body: body.update(access_token=body["token"][::-1])),
    ),
    _fault(
        "oauth-refresh-unasked",
        "A refresh token comes with every token by POST.",
        "AUTH-OAUTH-OFFLINE-REFRESH",
        _given_by_oauth(_refresh_token),
        # It comes in the place of the one that was used.
        "AUTH-OAUTH-REFRESH-GRANT",
    ),
    _fault("oauth-may-be-kept", "A token by POST may be kept by caches.", "AUTH-OAUTH-NO-STORE", _kept),
    _fault("oauth-unknown-405", "A POST for a token is answered 405.", "AUTH-OAUTH-POST-UNSUPPORTED-404", _not_allowed),
)
