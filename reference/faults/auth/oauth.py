"""Faults of tokens by POST."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.faults.auth.shared import (
    ChangeAnswer,
    ChangeService,
    answered_400,
    asked_scopes,
    changed_bodies,
    refresh_token,
    status_201,
    without_token,
)
from reference.faults.shared import answered_500
from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    from reference.tokens.access import Account
    from reference.tokens.app import TokenService

_form: ContextVar[Mapping[str, str]] = ContextVar("form")


def _post_fails(service: TokenService) -> None:
    async def post(request: Request) -> Response:
        return answered_500(request)

    override(service, post=post)


def _given_by_oauth(change: Callable[[dict[str, Any]], object]) -> ChangeService:
    return changed_bodies(change, oauth=True)


def _without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda body: [body.pop(name, None) for name in names]


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


def _refresh_for_any_service(service: TokenService) -> None:
    def changed(token: str, asked: str) -> tuple[Account, str]:
        for (name, _), known in service.refresh_tokens.items():
            if known == token:
                return service.config.accounts[name], asked
        return refreshed(token, asked)

    refreshed = service.refreshed
    override(service, refreshed=changed)


def _refresh_for_nobody(service: TokenService) -> None:
    refreshed = service.refreshed
    override(service, refreshed=lambda token, asked: (service.config.anonymous, refreshed(token, asked)[1]))


def _refreshed_anyhow(service: TokenService) -> None:
    """An unknown refresh token is as good as the last one given."""
    refreshed = service.refreshed

    def changed(token: str, asked: str) -> tuple[Account, str]:
        return refreshed(next(reversed(service.refresh_tokens.values()), token), asked)

    override(service, refreshed=changed)


def _posts(when: Callable[[Mapping[str, str]], bool], effect: ChangeAnswer) -> ChangeService:
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


def _one_scope(form: Mapping[str, str]) -> bool:
    return form.get("grant_type") == "password" and " " not in form.get("scope", " ")


def _token_in_a_list(response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "access_token": [body["access_token"]]}).encode()


def _two_scopes(form: Mapping[str, str]) -> bool:
    return " " in form.get("scope", "")


def _scope_of_the_first(response: Response) -> None:
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "scope": body["scope"].split(" ")[0]}).encode()


def _renewed(form: Mapping[str, str]) -> bool:
    return form.get("grant_type") == "refresh_token"


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


FAULTS = (
    Fault(
        name="oauth-500",
        title="The token service answers each POST with 500.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_post_fails,
    ),
    Fault(
        name="oauth-without-scope",
        title="A token by POST comes without scope.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_given_by_oauth(_without("scope")),
    ),
    Fault(
        name="oauth-without-access-token",
        title="A token by POST comes as token alone.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_given_by_oauth(lambda body: body.update(token=body.pop("access_token"))),
    ),
    Fault(
        name="oauth-scope-list",
        title="The scope of a token by POST is a list.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_given_by_oauth(lambda body: body.update(scope=body["scope"].split(" "))),
    ),
    Fault(
        name="oauth-refresh-unasked",
        title="A refresh token comes with every token by POST.",
        breaks=("AUTH-OAUTH-OFFLINE-REFRESH",),
        # It comes in the place of the one that was used.
        also=("AUTH-OAUTH-REFRESH-GRANT",),
        configuration="token",
        tokens=_given_by_oauth(refresh_token),
    ),
    Fault(
        name="oauth-may-be-kept",
        title="A token by POST may be kept by caches.",
        breaks=("AUTH-OAUTH-NO-STORE",),
        configuration="token",
        tokens=_kept,
    ),
    Fault(
        name="oauth-unknown-405",
        title="A POST for a token returns 405.",
        breaks=("AUTH-OAUTH-POST-UNSUPPORTED-404",),
        configuration="token",
        tokens=_not_allowed,
    ),
    Fault(
        name="oauth-first-scope-only",
        title="The token service looks at the first of several scopes in one value only.",
        breaks=("AUTH-OAUTH-SCOPE-LIST",),
        configuration="token",
        tokens=asked_scopes(lambda asked: [value.split(" ")[0] for value in asked]),
    ),
    Fault(
        name="oauth-refresh-other-service",
        title="A refresh token is good for any service.",
        breaks=("AUTH-OAUTH-REFRESH-OTHER-SERVICE",),
        configuration="token",
        tokens=_refresh_for_any_service,
    ),
    Fault(
        name="oauth-refresh-for-nobody",
        title="A refresh token gives anonymous tokens.",
        breaks=("AUTH-OAUTH-REFRESH-GRANT",),
        configuration="token",
        tokens=_refresh_for_nobody,
    ),
    Fault(
        name="oauth-refresh-anything",
        title="The token service accepts any refresh token.",
        breaks=("AUTH-OAUTH-ERRORS",),
        configuration="token",
        tokens=_refreshed_anyhow,
    ),
    Fault(
        name="oauth-answer-201",
        title="A token by POST for one scope is given with status 201.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_posts(_one_scope, status_201),
    ),
    Fault(
        name="oauth-token-in-a-list",
        title="A token by POST is in a list.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        configuration="token",
        tokens=_posts(_one_scope, _token_in_a_list),
    ),
    Fault(
        name="oauth-list-400",
        title="Several scopes in one value are refused.",
        breaks=("AUTH-OAUTH-SCOPE-LIST",),
        configuration="token",
        tokens=_posts(_two_scopes, answered_400),
    ),
    Fault(
        name="oauth-list-empty",
        title="The token for several scopes in one value is empty.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        also=("AUTH-OAUTH-SCOPE-LIST",),
        configuration="token",
        tokens=_posts(_two_scopes, without_token),
    ),
    Fault(
        name="oauth-scope-list-first-only",
        title="The answer names the first of several granted scopes only.",
        breaks=("AUTH-OAUTH-SCOPE-LIST",),
        configuration="token",
        tokens=_posts(_two_scopes, _scope_of_the_first),
    ),
    Fault(
        name="oauth-refresh-400",
        title="A refresh token is refused.",
        breaks=("AUTH-OAUTH-REFRESH-GRANT",),
        configuration="token",
        tokens=_posts(_renewed, answered_400),
    ),
    Fault(
        name="oauth-refresh-empty",
        title="The access token for a refresh token is empty.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        also=("AUTH-OAUTH-REFRESH-GRANT",),
        configuration="token",
        tokens=_posts(_renewed, without_token),
    ),
    Fault(
        name="oauth-error-with-token",
        title="The error of a grant comes with a token.",
        breaks=("AUTH-OAUTH-ERRORS",),
        configuration="token",
        tokens=_error_with_a_token,
    ),
    Fault(
        name="oauth-error-200",
        title="The error of a grant gets 200.",
        breaks=("AUTH-OAUTH-POST-RESPONSE",),
        also=("AUTH-OAUTH-ERRORS",),
        configuration="token",
        tokens=_errors_as_success,
    ),
)
