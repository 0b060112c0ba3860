"""Faults of the token service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.faults.auth.shared import (
    ChangeAnswer,
    ChangeService,
    answered_400,
    asked_scopes,
    changed_bodies,
    everything_without_access,
    refresh_token,
    status_201,
    without_token,
)
from reference.messages import Request, Response
from reference.modifications import Fault, override

if TYPE_CHECKING:
    from reference.tokens.access import Account, Scope
    from reference.tokens.app import TokenService


def _responses(change: Callable[[Response], object]) -> ChangeService:
    """Change the answer to a GET."""

    def apply(service: TokenService) -> None:
        get = service.get

        async def changed(request: Request) -> Response:
            response = await get(request)
            change(response)
            return response

        override(service, get=changed)

    return apply


def _labelled_text(response: Response) -> None:
    response.headers.set("Content-Type", "text/plain")


def _given(change: Callable[[dict[str, Any]], object]) -> ChangeService:
    return changed_bodies(change, oauth=False)


def _with(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda body: body.update({name: value})


def _issued(form: str, ahead: float = 0.0) -> Callable[[dict[str, Any]], object]:
    """Another form of the time, or another time; ``ahead`` in seconds."""
    return lambda body: body.update(issued_at=time.strftime(form, time.gmtime(time.time() + ahead)))


def _bad_password_is_nobody(service: TokenService) -> None:
    account = service.account

    def changed(request: Request) -> Account:
        try:
            return account(request)
        except errors.RegistryError:
            return service.config.anonymous

    override(service, account=changed)


def _any_password(service: TokenService) -> None:
    override(service, login=lambda name, _password: service.config.accounts.get(name))


def _bad_password(status: int) -> ChangeService:
    """Answer wrong credentials with another status."""

    def apply(service: TokenService) -> None:
        refusal = service.refusal

        def changed() -> errors.RegistryError:
            error = refusal()
            error.status = status
            return error

        override(service, refusal=changed)

    return apply


def _whole_or_nothing(refuse: bool) -> ChangeService:
    """Refuse who asks for more than there is for him, or give him nothing of it."""

    def apply(service: TokenService) -> None:
        granted = service.granted

        def changed(account: Account, asked: Sequence[str]) -> list[Scope]:
            found = granted(account, asked)
            given = ",".join(str(scope) for scope in found)
            if not account.name or given == ",".join(" ".join(asked).split()):
                return found
            if refuse:
                raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),))
            return []

        override(service, granted=changed)

    return apply


def _all_rights_without_scope(service: TokenService) -> None:
    """A token without scope allows everything: it has no access, and the registry accepts it."""
    claims = service.claims

    def changed(account: Account, name: str, granted: Sequence[Scope], now: float) -> dict[str, Any]:
        found = claims(account, name, granted, now)
        if not granted and account.name:
            del found["access"]
        return found

    override(service, claims=changed)


def _everybody_pushes(service: TokenService) -> None:
    anonymous = service.config.anonymous
    rules = tuple(replace(rule, actions=rule.actions | {"push"}) for rule in anonymous.rules)
    service.config.anonymous = replace(anonymous, rules=rules)


def _gets(when: Callable[[list[str]], bool], effect: ChangeAnswer) -> ChangeService:
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


def _two(scopes: list[str]) -> bool:
    return len(scopes) > 1


def _none(scopes: list[str]) -> bool:
    return not scopes


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


FAULTS = (
    Fault(
        name="token-answer-201",
        title="A token is given with status 201.",
        breaks=("AUTH-TOKEN-GET-RESPONSE",),
        configuration="token",
        tokens=_responses(status_201),
    ),
    Fault(
        name="token-labelled-text",
        title="A token is labelled text/plain.",
        breaks=("AUTH-TOKEN-GET-RESPONSE",),
        configuration="token",
        tokens=_responses(_labelled_text),
    ),
    Fault(
        name="access-token-empty",
        title="The member access_token is empty, and token is not.",
        breaks=("AUTH-TOKEN-GET-RESPONSE",),
        configuration="token",
        tokens=_given(_with("access_token", "")),
    ),
    Fault(
        name="expires-in-short",
        title="Tokens live for 30 seconds.",
        breaks=("AUTH-TOKEN-EXPIRES-IN-60",),
        configuration="token",
        tokens=_given(_with("expires_in", 30)),
    ),
    Fault(
        name="expires-in-text",
        title="The life of a token is a string.",
        breaks=("AUTH-TOKEN-EXPIRES-IN-60",),
        configuration="token",
        tokens=_given(_with("expires_in", "300")),
    ),
    Fault(
        name="issued-at-with-blank",
        title="The time of a token has a blank for the T, and no zone.",
        breaks=("AUTH-TOKEN-ISSUED-AT",),
        configuration="token",
        tokens=_given(_issued("%Y-%m-%d %H:%M:%S")),
    ),
    Fault(
        name="issued-at-a-number",
        title="The time of a token is a number of seconds.",
        breaks=("AUTH-TOKEN-ISSUED-AT",),
        configuration="token",
        tokens=_given(_with("issued_at", 1790000000)),
    ),
    Fault(
        name="token-refresh-unasked",
        title="A refresh token comes with every token.",
        breaks=("AUTH-TOKEN-OFFLINE-REFRESH",),
        configuration="token",
        tokens=_given(refresh_token),
    ),
    Fault(
        name="issued-at-ahead",
        title="A token is issued in an hour.",
        breaks=("AUTH-TOKEN-ISSUED-AT",),
        configuration="token",
        tokens=_given(_issued("%Y-%m-%dT%H:%M:%SZ", 3600)),
    ),
    Fault(
        name="token-given-twice",
        title="The token is another as access_token than as token.",
        breaks=("AUTH-TOKEN-GET-SAME",),
        configuration="token",
        tokens=_given(lambda body: body.update(access_token=body["token"][::-1])),
    ),
    Fault(
        name="token-wrong-password-anonymous",
        title="The token service gives an anonymous token for a wrong password.",
        breaks=("AUTH-TOKEN-BAD-CREDENTIALS-401",),
        configuration="token",
        tokens=_bad_password_is_nobody,
    ),
    Fault(
        name="token-wrong-password-accepted",
        title="The token service accepts any password.",
        breaks=("AUTH-TOKEN-BAD-CREDENTIALS-401", "AUTH-OAUTH-ERRORS"),
        configuration="token",
        tokens=_any_password,
    ),
    Fault(
        name="token-wrong-password-403",
        title="The token service returns 403 for a wrong password.",
        breaks=("AUTH-TOKEN-BAD-CREDENTIALS-401",),
        configuration="token",
        tokens=_bad_password(403),
    ),
    Fault(
        name="token-subset-refused",
        title="The token service refuses a client that asks for more than it may have.",
        breaks=("AUTH-TOKEN-SUBSET-NOT-ERROR",),
        configuration="token",
        tokens=_whole_or_nothing(refuse=True),
    ),
    Fault(
        name="token-subset-empty",
        title="A client that asks for more than it may have gets a token without access.",
        breaks=("AUTH-TOKEN-SUBSET-NOT-ERROR",),
        configuration="token",
        tokens=_whole_or_nothing(refuse=False),
    ),
    Fault(
        name="token-first-scope-only",
        title="The token service looks at the first of several scope parameters only.",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        configuration="token",
        tokens=asked_scopes(lambda asked: asked[:1]),
    ),
    Fault(
        name="token-last-scope-only",
        title="The token service looks at the last of several scope parameters only.",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        configuration="token",
        tokens=asked_scopes(lambda asked: asked[-1:]),
    ),
    Fault(
        name="token-without-scope-opens-all",
        title="A token that was asked for without scope opens everything.",
        breaks=("AUTH-TOKEN-NO-SCOPE",),
        configuration="token",
        apply=everything_without_access,
        tokens=_all_rights_without_scope,
    ),
    Fault(
        name="token-for-everybody-pushes",
        title="A token that anybody gets lets push.",
        breaks=("AUTH-TOKEN-ANONYMOUS-PULL",),
        configuration="token-public",
        tokens=_everybody_pushes,
    ),
    Fault(
        name="token-several-scopes-400",
        title="Several parameters scope are refused.",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        also=("AUTH-TOKEN-SUBSET-NOT-ERROR",),
        configuration="token",
        tokens=_gets(_two, answered_400),
    ),
    Fault(
        name="token-several-scopes-empty",
        title="The token for several scopes is empty.",
        # Each token must have some text, for however many scopes it is.
        breaks=("AUTH-TOKEN-GET-RESPONSE",),
        also=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        configuration="token",
        tokens=_gets(_two, without_token),
    ),
    Fault(
        name="token-without-scope-201",
        title="A token without scope is given with status 201.",
        breaks=("AUTH-TOKEN-NO-SCOPE",),
        configuration="token",
        tokens=_gets(_none, status_201),
    ),
    Fault(
        name="token-with-the-401",
        title="The 401 to a wrong password comes with a token.",
        breaks=("AUTH-TOKEN-BAD-CREDENTIALS-401",),
        configuration="token",
        tokens=_token_with_the_refusal,
    ),
)
