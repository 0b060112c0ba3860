"""Faults of the token service: who gets which rights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.faults.token_checks import tokens_of
from reference.messages import Request
from reference.modifications import Fault, override

if TYPE_CHECKING:
    # Its libraries take time to load, and a registry has no use for them.
    from reference.app import Registry
    from reference.auth.trust import Grants, Verified
    from reference.tokens.access import Account, Scope
    from reference.tokens.app import TokenService

#: Stands for every resource.
_EVERYTHING = ("*", "*")
Change = Callable[["TokenService"], None]


def _asking(change: Callable[[list[str]], list[str]]) -> Change:
    """Take other scopes than those that are asked for."""

    def apply(service: TokenService) -> None:
        granted = service.granted

        def changed(account: Account, asked: Sequence[str]) -> list[Scope]:
            return granted(account, change(list(asked)))

        override(service, granted=changed)

    return apply


def _whole_or_nothing(refuse: bool) -> Change:
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


def _bad_password(status: int) -> Change:
    """Answer wrong credentials with another status."""

    def apply(service: TokenService) -> None:
        refusal = service.refusal

        def changed() -> errors.RegistryError:
            error = refusal()
            error.status = status
            return error

        override(service, refusal=changed)

    return apply


def _all_rights_without_scope(service: TokenService) -> None:
    """A token without scope is one for everything: its claims have no access, and the registry asks no further."""
    claims = service.claims

    def changed(account: Account, name: str, granted: Sequence[Scope], now: float) -> dict[str, Any]:
        found = claims(account, name, granted, now)
        if not granted and account.name:
            del found["access"]
        return found

    override(service, claims=changed)


def _everything_without_access(registry: Registry) -> None:
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


def _everybody_pushes(service: TokenService) -> None:
    anonymous = service.config.anonymous
    rules = tuple(replace(rule, actions=rule.actions | {"push"}) for rule in anonymous.rules)
    service.config.anonymous = replace(anonymous, rules=rules)


def _refresh_tokens_signed(service: TokenService) -> None:
    """A refresh token is an access token without access and with a longer life."""
    refresh_token = service.refresh_token

    def changed(account: Account, name: str) -> str:
        key = (account.name, name)
        if key not in service.refresh_tokens:
            claims = service.claims(account, name, [], time.time())
            del claims["access"]
            service.refresh_tokens[key] = service.signer.sign(claims)
        return refresh_token(account, name)

    override(service, refresh_token=changed)


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


def _fault(name: str, title: str, breaks: str | tuple[str, ...], tokens: Change, *also: str) -> Fault:
    named = (breaks,) if isinstance(breaks, str) else breaks
    return Fault(name=name, title=title, breaks=named, also=also, configuration="token", tokens=tokens)


FAULTS = (
    _fault(
        "token-wrong-password-anonymous",
        "With a wrong password there is a token for nobody in particular.",
        "AUTH-TOKEN-BAD-CREDENTIALS-401",
        _bad_password_is_nobody,
    ),
    _fault(
        "token-wrong-password-accepted",
        "Any password will do at the token service.",
        ("AUTH-TOKEN-BAD-CREDENTIALS-401", "AUTH-OAUTH-ERRORS"),
        _any_password,
    ),
    _fault(
        "token-wrong-password-403",
        "A wrong password is answered 403 by the token service.",
        "AUTH-TOKEN-BAD-CREDENTIALS-401",
        _bad_password(403),
    ),
    _fault(
        "token-subset-refused",
        "Who asks for more than he may have is refused by the token service.",
        "AUTH-TOKEN-SUBSET-NOT-ERROR",
        _whole_or_nothing(refuse=True),
    ),
    _fault(
        "token-subset-empty",
        "Who asks for more than he may have gets a token for nothing.",
        "AUTH-TOKEN-SUBSET-NOT-ERROR",
        _whole_or_nothing(refuse=False),
    ),
    _fault(
        "token-first-scope-only",
        "Of several parameters scope the first one counts.",
        "AUTH-TOKEN-MULTIPLE-SCOPES",
        _asking(lambda asked: asked[:1]),
    ),
    _fault(
        "token-last-scope-only",
        "Of several parameters scope the last one counts.",
        "AUTH-TOKEN-MULTIPLE-SCOPES",
        _asking(lambda asked: asked[-1:]),
    ),
    Fault(
        name="token-without-scope-opens-all",
        title="A token that was asked for without scope opens everything.",
        breaks=("AUTH-TOKEN-NO-SCOPE",),
        configuration="token",
        apply=_everything_without_access,
        tokens=_all_rights_without_scope,
    ),
    Fault(
        name="refresh-token-as-bearer",
        title="A refresh token opens everything at the registry.",
        breaks=("AUTH-REFRESH-TOKEN-NOT-BEARER",),
        configuration="token",
        apply=_everything_without_access,
        tokens=_refresh_tokens_signed,
    ),
    _fault(
        "oauth-first-scope-only",
        "Of several scopes in one value the first one counts.",
        "AUTH-OAUTH-SCOPE-LIST",
        _asking(lambda asked: [value.split(" ")[0] for value in asked]),
    ),
    _fault(
        "oauth-refresh-other-service",
        "A refresh token is good for any service.",
        "AUTH-OAUTH-REFRESH-OTHER-SERVICE",
        _refresh_for_any_service,
    ),
    _fault(
        "oauth-refresh-for-nobody",
        "A refresh token gives tokens of nobody in particular.",
        "AUTH-OAUTH-REFRESH-GRANT",
        _refresh_for_nobody,
    ),
    _fault("oauth-refresh-anything", "Any refresh token will do.", "AUTH-OAUTH-ERRORS", _refreshed_anyhow),
    Fault(
        name="token-for-everybody-pushes",
        title="A token that anybody gets lets push.",
        breaks=("AUTH-TOKEN-ANONYMOUS-PULL",),
        configuration="token-public",
        tokens=_everybody_pushes,
    ),
)
