"""Faults of tokens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reference.app import Registry
from reference.modifications import Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.trust import Verified
    from reference.tokens.access import Account, Scope
    from reference.tokens.app import TokenService

#: Seconds for which a token that was good is.
_KEPT = 30.0


def _verified_by_claims(registry: Registry) -> None:
    """What was verified is remembered by what it says, without its signature."""
    known: dict[str, tuple[float, Verified]] = {}
    trust = tokens_of(registry).trust
    verify = trust.verify

    def changed(token: str) -> Verified:
        said = token.rpartition(".")[0]
        until, verified = known.get(said, (0.0, None))
        if verified is None or time.monotonic() > until:
            verified = verify(token)
            known[said] = time.monotonic() + _KEPT, verified
        return verified

    override(trust, verify=changed)


def _last_of_a_repository(service: TokenService) -> None:
    """Scopes are kept by their resource, and the last of one stays."""
    granted = service.granted

    def changed(account: Account, asked: Sequence[str]) -> list[Scope]:
        return list({(scope.kind, scope.name): scope for scope in granted(account, asked)}.values())

    override(service, granted=changed)


def _refresh_once(service: TokenService) -> None:
    """A refresh token is used up, and no other one comes in its place."""
    refreshed = service.refreshed

    def changed(token: str, asked: str) -> tuple[Account, str]:
        found = refreshed(token, asked)
        service.refresh_tokens = {key: known for key, known in service.refresh_tokens.items() if known != token}
        return found

    override(service, refreshed=changed)


FAULTS = (
    Fault(
        name="signature-checked-once",
        title="A token that says what one said that was good is accepted, whatever its signature.",
        breaks=("AUTH-TOKEN-INVALID-REFUSED",),
        configuration="token",
        apply=_verified_by_claims,
    ),
    Fault(
        name="token-last-scope-of-a-repository",
        title="Of two scopes for one repository the token has the last.",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        also=("AUTH-OAUTH-SCOPE-LIST",),
        configuration="token",
        tokens=_last_of_a_repository,
    ),
    Fault(
        name="oauth-refresh-once",
        title="A refresh token is good for one access token.",
        breaks=("AUTH-OAUTH-REFRESH-GRANT",),
        configuration="token",
        tokens=_refresh_once,
    ),
)
