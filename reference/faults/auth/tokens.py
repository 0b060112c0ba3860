"""Faults of tokens at the registry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import challenging, everything_without_access
from reference.messages import Request
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.tokens.access import Account
    from reference.tokens.app import TokenService

_CHECKS = ("signature", "exp", "nbf", "aud", "iss")


def _unchecked(*checks: str) -> Apply:
    """Leave some checks of a token's claims out."""

    def apply(registry: Registry) -> None:
        override(tokens_of(registry).trust, options={f"verify_{check}": check not in checks for check in _CHECKS})

    return apply


def _any_key(registry: Registry) -> None:
    """Take a token without looking for its key."""
    _unchecked("signature")(registry)
    override(tokens_of(registry).trust, signing_key=lambda _header: None)


def _anything(registry: Registry) -> None:
    """A token that is not trusted opens everything, as if nobody had looked."""
    tokens = tokens_of(registry)
    check = tokens.check

    async def changed(request: Request) -> None:
        try:
            await check(request)
        except errors.RegistryError as error:
            if not any("invalid_token" in value for _, value in error.headers):
                raise

    override(tokens, check=changed)


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


FAULTS = (
    Fault(
        name="token-unsigned-accepted",
        title="The signature of a token is not checked.",
        breaks=("AUTH-TOKEN-INVALID-REFUSED",),
        configuration="token",
        apply=_any_key,
    ),
    Fault(
        name="token-anything-accepted",
        title="Any text for a token opens everything.",
        breaks=("AUTH-TOKEN-INVALID-REFUSED",),
        also=(
            "AUTH-TOKEN-EXPIRED-REFUSED",
            "AUTH-TOKEN-AUDIENCE-REFUSED",
            "AUTH-REFRESH-TOKEN-NOT-BEARER",
            # A token that is worn out opens what it never did.
            "AUTH-NO-LEAK-READ",
        ),
        configuration="token",
        apply=_anything,
    ),
    Fault(
        name="token-expired-accepted",
        title="The registry accepts a token after its end.",
        breaks=("AUTH-TOKEN-EXPIRED-REFUSED",),
        configuration="token",
        apply=_unchecked("exp"),
    ),
    Fault(
        name="token-not-yet-accepted",
        title="The registry accepts a token before its time.",
        breaks=("AUTH-TOKEN-EXPIRED-REFUSED",),
        configuration="token",
        apply=_unchecked("nbf"),
    ),
    Fault(
        name="token-for-others-accepted",
        title="A token for another service is good here too.",
        breaks=("AUTH-TOKEN-AUDIENCE-REFUSED",),
        configuration="token",
        apply=_unchecked("aud"),
    ),
    Fault(
        name="token-invalid-without-error",
        title="The challenge to a bad token does not say so.",
        breaks=("AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE",),
        configuration="token",
        apply=challenging(lambda scopes, error: (scopes, "")),
    ),
    Fault(
        name="token-missing-with-error",
        title="The challenge to a request without a token says that it was bad.",
        breaks=("AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE",),
        configuration="token",
        apply=challenging(lambda scopes, error: (scopes, error or "invalid_token")),
    ),
    Fault(
        name="refresh-token-as-bearer",
        title="A refresh token opens everything at the registry.",
        breaks=("AUTH-REFRESH-TOKEN-NOT-BEARER",),
        configuration="token",
        apply=everything_without_access,
        tokens=_refresh_tokens_signed,
    ),
)
