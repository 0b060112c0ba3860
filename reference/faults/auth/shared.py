"""Changes that several modules of faults of auth have in common."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference.app import Registry
from reference.faults.shared import IsRequest
from reference.messages import Request, Response
from reference.modifications import Apply, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope
    from reference.auth.trust import Grants, Verified
    from reference.tokens.access import Account
    from reference.tokens.access import Scope as AskedScope
    from reference.tokens.app import TokenService

Check = Callable[[Request], Awaitable[None]]
ChangeService = Callable[["TokenService"], None]
#: Stands for every resource.
_EVERYTHING = ("*", "*")
#: What becomes of an answer.
ChangeAnswer = Callable[[Response], None]


def checking(around: Callable[[Registry, Check], Check]) -> Apply:
    """Put something around the look at credentials."""

    def apply(registry: Registry) -> None:
        if registry.authenticator is None:
            raise AttributeError("this registry has no logins")
        override(registry.authenticator, check=around(registry, registry.authenticator.check))

    return apply


def unchecked(*operations: str, when: IsRequest = lambda _request: True) -> Apply:
    """Let everybody do some operations."""

    def around(_registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            if request.operation not in operations or not when(request):
                await check(request)

        return changed

    return checking(around)


def changed_bodies(change: Callable[[dict[str, Any]], object], oauth: bool) -> ChangeService:
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


def refresh_token(body: dict[str, Any]) -> None:
    """Add a refresh token that nobody asked for."""
    body.setdefault("refresh_token", "nobody-asked-for-this-one")


def status_201(response: Response) -> None:
    """Answer 201."""
    response.status = 201


def challenging(change: Callable[[list[Scope], str], tuple[list[Scope], str]]) -> Apply:
    """Change scopes and error of challenges."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        challenge = tokens.challenge

        def changed(request: Request, scopes: list[Scope], error: str = "") -> str:
            return challenge(request, *change(scopes, error))

        override(tokens, challenge=changed)

    return apply


def asked_scopes(change: Callable[[list[str]], list[str]]) -> ChangeService:
    """Take other scopes than those that are asked for."""

    def apply(service: TokenService) -> None:
        granted = service.granted

        def changed(account: Account, asked: Sequence[str]) -> list[AskedScope]:
            return granted(account, change(list(asked)))

        override(service, granted=changed)

    return apply


def everything_without_access(registry: Registry) -> None:
    """Tokens without access open everything."""
    tokens = tokens_of(registry)
    read, granted = tokens.trust.read, tokens.granted

    def changed(claims: Mapping[str, Any]) -> Verified:
        verified = read(claims)
        return verified if "access" in claims else replace(verified, grants={_EVERYTHING: frozenset()})

    def grant(grants: Grants, scope: tuple[str, str, tuple[str, ...]]) -> bool:
        return _EVERYTHING in grants or granted(grants, scope)

    override(tokens.trust, read=changed)
    override(tokens, granted=grant)


def answered_400(response: Response) -> None:
    """Answer 400 invalid_scope."""
    response.status, response.body = 400, b'{"error": "invalid_scope"}'


def without_token(response: Response) -> None:
    """Leave the members of the token empty."""
    body: dict[str, Any] = json.loads(response.body)
    response.body = json.dumps({**body, "token": "", "access_token": ""}).encode()
