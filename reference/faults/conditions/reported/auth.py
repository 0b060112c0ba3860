"""Faults of logins and tokens, after public reports."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import jwt

from reference import errors
from reference.app import Registry
from reference.auth.trust import TokenError, Verified
from reference.faults.auth.shared import Check, asked_scopes, checking
from reference.messages import Request
from reference.modifications import Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.tokens.access import Account
    from reference.tokens.app import TokenService


def _refreshed_once(service: TokenService) -> None:
    """A refresh token is used up by its first use."""
    refreshed = service.refreshed

    def changed(token: str, asked: str) -> tuple[Account, str]:
        account, name = refreshed(token, asked)
        del service.refresh_tokens[account.name, name]
        return account, name

    override(service, refreshed=changed)


def _expired_without_challenge(registry: Registry) -> None:
    """The end of a token is noticed in another place than all else that is wrong with it."""
    trust = tokens_of(registry).trust
    verify = trust.verify

    def changed(token: str) -> Verified:
        try:
            return verify(token)
        except TokenError as error:
            if isinstance(error.__cause__, jwt.ExpiredSignatureError):
                raise errors.RegistryError(401, (errors.ErrorEntry("UNAUTHORIZED"),)) from None
            raise

    override(trust, verify=changed)


def _first_parameter(asked: list[str]) -> list[str]:
    """Of several parameters for a resource the first is taken."""
    known: set[str] = set()
    kept: list[str] = []
    for value in asked:
        scopes = [scope for scope in value.split() if scope.rpartition(":")[0] not in known]
        known.update(scope.rpartition(":")[0] for scope in scopes)
        kept.append(" ".join(scopes))
    return kept


def _line_ends_500(_registry: Registry, check: Check) -> Check:
    """What goes to the directory of users must be one line."""

    async def changed(request: Request) -> None:
        scheme, _, value = request.headers.get("authorization").partition(" ")
        try:
            decoded = base64.b64decode(value.strip(), validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            decoded = b""
        if b"\n" in decoded:
            raise errors.RegistryError(500)
        await check(request)

    return changed


FAULTS = (
    # sonatype/nexus-public issue 580: the realm of the challenge to a push begins with null.
    Fault(
        name="refresh-token-good-once",
        title="A refresh token yields one access token; used again, it is refused.",
        configuration="token",
        breaks=("AUTH-OAUTH-REFRESH-GRANT",),
        tokens=_refreshed_once,
    ),
    # docker/hub-feedback issue 2530: an expired token gets 401 without a challenge.
    Fault(
        name="expired-token-without-challenge",
        title="401 to a token that has expired has no WWW-Authenticate, other ones have.",
        configuration="token",
        breaks=(
            "AUTH-CHALLENGE-HEADER",
            "BASE-V2-401-CHALLENGE",
        ),
        also=("AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE",),
        apply=_expired_without_challenge,
    ),
    # google/go-containerregistry issue 724: several scopes for one repository are not put together (keppel).
    Fault(
        name="scopes-of-one-repository-first-wins",
        title="Of several scope parameters for the same repository only the first is granted.",
        configuration="token",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        tokens=asked_scopes(_first_parameter),
    ),
    # fluxcd/source-controller issue 193: ACR answers 500 where credentials end in a line end.
    Fault(
        name="basic-credentials-with-line-end-500",
        title="Basic credentials that hold a line end get 500.",
        configuration="htpasswd",
        breaks=("BASE-ERROR-STRANGE-INPUT",),
        apply=checking(_line_ends_500),
    ),
)
