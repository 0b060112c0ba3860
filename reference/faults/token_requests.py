"""Faults of the token service that only one kind of request meets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    # Its libraries take time to load, and a registry has no use for them.
    from reference.tokens.app import TokenService

Change = Callable[["TokenService"], None]
#: What becomes of an answer.
Effect = Callable[[Response], None]

_form: ContextVar[Mapping[str, str]] = ContextVar("form")


def _gets(when: Callable[[list[str]], bool], effect: Effect) -> Change:
    """Change the answers to what a login asks for by GET; by the values of scope."""

    def apply(service: TokenService) -> None:
        get = service.get

        async def changed(request: Request) -> Response:
            response = await get(request)
            if request.headers.get("authorization") and when(request.query.all("scope")):
                effect(response)
            return response

        override(service, get=changed)

    return apply


def _posts(when: Callable[[Mapping[str, str]], bool], effect: Effect) -> Change:
    """Change the answers to a POST; by its parameters."""

    def apply(service: TokenService) -> None:
        form, post = service.form, service.post

        async def remembering(request: Request) -> Mapping[str, str]:
            found = await form(request)
            _form.set(found)
            return found

        async def changed(request: Request) -> Response:
            response = await post(request)
            if when(_form.get({})):
                effect(response)
            return response

        override(service, form=remembering, post=changed)

    return apply


def _refused(response: Response) -> None:
    response.status, response.body = 400, b'{"error": "invalid_scope"}'


def _without_token(response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "token": "", "access_token": ""}).encode()


def _created(response: Response) -> None:
    response.status = 201


def _token_in_a_list(response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "access_token": [body["access_token"]]}).encode()


def _two(scopes: list[str]) -> bool:
    return len(scopes) > 1


def _none(scopes: list[str]) -> bool:
    return not scopes


def _one_scope(form: Mapping[str, str]) -> bool:
    return form.get("grant_type") == "password" and " " not in form.get("scope", " ")


def _two_scopes(form: Mapping[str, str]) -> bool:
    return " " in form.get("scope", "")


def _renewed(form: Mapping[str, str]) -> bool:
    return form.get("grant_type") == "refresh_token"


def _token_with_the_refusal(service: TokenService) -> None:
    """Give a token of nobody in particular with the 401."""
    answer = service.answer

    async def changed(request: Request) -> Response:
        response = await answer(request)
        if response.status == 401:
            given = service.given(service.config.anonymous, service.config.services[0], [], offline=False)
            response.body = json.dumps({**json.loads(response.body), **given}).encode()
        return response

    override(service, answer=changed)


def _scope_of_the_first(response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "scope": body["scope"].split(" ")[0]}).encode()


def _error_with_a_token(service: TokenService) -> None:
    """Give a token with the error of a grant."""
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        if status != 200:
            given = service.given(service.config.anonymous, service.config.services[0], [], offline=False)
            return document({**value, "access_token": given["token"]}, status)
        return document(value, status)

    override(service, document=changed)


def _errors_as_success(service: TokenService) -> None:
    """Answer the error of a grant with 200."""
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        return document(value, 200 if "error" in value else status)

    override(service, document=changed)


def _fault(name: str, title: str, breaks: str, tokens: Change, *also: str) -> Fault:
    return Fault(name=name, title=title, breaks=(breaks,), also=also, configuration="token", tokens=tokens)


_SEVERAL = "AUTH-TOKEN-MULTIPLE-SCOPES"
_NO_SCOPE = "AUTH-TOKEN-NO-SCOPE"
_OAUTH = "AUTH-OAUTH-POST-RESPONSE"
_GRANT = "AUTH-OAUTH-REFRESH-GRANT"
_LIST = "AUTH-OAUTH-SCOPE-LIST"

FAULTS = (
    _fault("token-several-scopes-400", "Several parameters scope are refused.", _SEVERAL, _gets(_two, _refused)),
    _fault(
        "token-several-scopes-empty",
        "For several scopes the token is empty.",
        # Each token must have some text, for however many scopes it is.
        "AUTH-TOKEN-GET-RESPONSE",
        _gets(_two, _without_token),
        _SEVERAL,
    ),
    _fault(
        "token-without-scope-201", "A token without scope is given with status 201.", _NO_SCOPE, _gets(_none, _created)
    ),
    _fault(
        "token-with-the-401",
        "The 401 to a wrong password comes with a token.",
        "AUTH-TOKEN-BAD-CREDENTIALS-401",
        _token_with_the_refusal,
    ),
    _fault(
        "oauth-answer-201",
        "A token by POST for one scope is given with status 201.",
        _OAUTH,
        _posts(_one_scope, _created),
    ),
    _fault("oauth-token-in-a-list", "A token by POST is in a list.", _OAUTH, _posts(_one_scope, _token_in_a_list)),
    _fault("oauth-list-400", "Several scopes in one value are refused.", _LIST, _posts(_two_scopes, _refused)),
    _fault(
        "oauth-list-empty",
        "For several scopes in one value the token is empty.",
        _OAUTH,
        _posts(_two_scopes, _without_token),
        _LIST,
    ),
    _fault(
        "oauth-list-told-in-part",
        "Of several scopes that are granted the first is told.",
        _LIST,
        _posts(_two_scopes, _scope_of_the_first),
    ),
    _fault("oauth-refresh-400", "A refresh token is refused.", _GRANT, _posts(_renewed, _refused)),
    _fault(
        "oauth-refresh-empty",
        "For a refresh token the access token is empty.",
        _OAUTH,
        _posts(_renewed, _without_token),
        _GRANT,
    ),
    _fault(
        "oauth-error-with-token", "The error of a grant comes with a token.", "AUTH-OAUTH-ERRORS", _error_with_a_token
    ),
    _fault("oauth-error-200", "The error of a grant is answered 200.", _OAUTH, _errors_as_success, "AUTH-OAUTH-ERRORS"),
)
