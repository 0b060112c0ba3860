"""Faults of how a registry checks tokens: whose they are, how long they are good, and what they open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.app import Registry
from reference.messages import Request
from reference.modifications import Apply, Fault, override

if TYPE_CHECKING:
    # Its libraries take time to load, and most faults are none of its.
    from reference.auth.token import Scope, Tokens
    from reference.auth.trust import Grants

INVALID = "AUTH-TOKEN-INVALID-REFUSED"
_CHECKS = ("signature", "exp", "nbf", "aud", "iss")
Granted = Callable[["Grants", "Scope"], bool]


def tokens_of(registry: Registry) -> Tokens:
    """The authenticator of a registry with logins by token."""
    tokens: Any = registry.authenticator
    if tokens is None or not hasattr(tokens, "trust"):
        raise AttributeError("this registry has no logins by token")
    found: Tokens = tokens
    return found


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


def _granting(around: Callable[[Granted], Granted]) -> Apply:
    """Compare scopes in another way."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        override(tokens, granted=around(tokens.granted))

    return apply


def _whatever_action(_granted: Granted) -> Granted:
    return lambda grants, scope: any(key == scope[:2] and actions for key, actions in grants.items())


def _by_prefix(granted: Granted) -> Granted:
    def changed(grants: Grants, scope: Scope) -> bool:
        kind, name, actions = scope
        return granted(grants, scope) or any(
            key[0] == kind and name.startswith(key[1]) and found.issuperset(actions) for key, found in grants.items()
        )

    return changed


def _by_first_part(granted: Granted) -> Granted:
    """Compare what stands before the last slash."""

    def changed(grants: Grants, scope: Scope) -> bool:
        kind, name, actions = scope
        space = name.rpartition("/")[0]
        return granted(grants, scope) or any(
            space and key[0] == kind and key[1].startswith(f"{space}/") and found.issuperset(actions)
            for key, found in grants.items()
        )

    return changed


def _refusing(change: Callable[[errors.RegistryError, str], None]) -> Apply:
    """Change refusals; the second argument is the error of the challenge, empty where there was no token."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        refusal = tokens.refusal

        def changed(request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
            refused = refusal(request, scopes, error)
            change(refused, error)
            return refused

        override(tokens, refusal=changed)

    return apply


def _challenging(change: Callable[[list[Scope], str], tuple[list[Scope], str]]) -> Apply:
    """Change scopes and error of challenges."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        challenge = tokens.challenge

        def changed(request: Request, scopes: list[Scope], error: str = "") -> str:
            return challenge(request, *change(scopes, error))

        override(tokens, challenge=changed)

    return apply


def _lacking_403_elsewise(refused: errors.RegistryError, error: str) -> None:
    if error == "insufficient_scope":
        refused.status, refused.entries, refused.headers = 403, (errors.ErrorEntry("UNSUPPORTED"),), []


def _fault(name: str, title: str, breaks: str, apply: Apply, *also: str) -> Fault:
    return Fault(name=name, title=title, breaks=(breaks,), also=also, configuration="token", apply=apply)


FAULTS = (
    _fault("token-unsigned-accepted", "The signature of a token is not checked.", INVALID, _any_key),
    _fault(
        "token-anything-accepted",
        "Whatever comes as a token opens everything.",
        INVALID,
        _anything,
        "AUTH-TOKEN-EXPIRED-REFUSED",
        "AUTH-TOKEN-AUDIENCE-REFUSED",
        "AUTH-REFRESH-TOKEN-NOT-BEARER",
        # A token that is worn out opens what it never did.
        "AUTH-NO-LEAK-READ",
    ),
    _fault("token-expired-accepted", "A token is good for ever.", "AUTH-TOKEN-EXPIRED-REFUSED", _unchecked("exp")),
    _fault(
        "token-not-yet-accepted",
        "A token is good before its time.",
        "AUTH-TOKEN-EXPIRED-REFUSED",
        _unchecked("nbf"),
    ),
    _fault(
        "token-for-others-accepted",
        "A token for another service is good here too.",
        "AUTH-TOKEN-AUDIENCE-REFUSED",
        _unchecked("aud"),
    ),
    _fault(
        "token-actions-ignored",
        "A token to pull lets push and delete.",
        "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED",
        _granting(_whatever_action),
        # The account that may only pull may push with it.
        "AUTH-WRITE-DENIED",
        "AUTH-TOKEN-SUBSET-NOT-ERROR",
        "AUTH-UPLOAD-SESSION-PROTECTED",
        "AUTH-REFUSED-WRITE-NO-EFFECT",
    ),
    _fault(
        "token-name-by-prefix",
        "A token for a repository opens each whose name begins alike.",
        "AUTH-TOKEN-OTHER-REPO-REFUSED",
        _granting(_by_prefix),
    ),
    _fault(
        "token-name-by-space",
        "A token for a repository opens its neighbours.",
        "AUTH-TOKEN-OTHER-REPO-REFUSED",
        _granting(_by_first_part),
        # What is another's is read, written and mounted.
        "AUTH-MOUNT-SOURCE-SCOPE",
        "AUTH-NO-LEAK-READ",
        "AUTH-UPLOAD-SESSION-PROTECTED",
        "PUSH-MOUNT-NO-READ-ACCESS",
    ),
    _fault(
        "token-lacking-without-scope",
        "The challenge to a token that does not suffice has no scope, but for a mount.",
        "AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE",
        _challenging(lambda scopes, error: (scopes if not error or len(scopes) > 1 else [], error)),
    ),
    _fault(
        "token-lacking-403-unsupported",
        "A token that does not suffice is answered 403 with the code UNSUPPORTED.",
        "AUTH-ERROR-DENIED-BODY",
        _refusing(_lacking_403_elsewise),
        "BASE-ERROR-403-DENIED",
    ),
    _fault(
        "token-invalid-without-error",
        "The challenge to a bad token does not say so.",
        "AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE",
        _challenging(lambda scopes, error: (scopes, "")),
    ),
    _fault(
        "token-missing-with-error",
        "The challenge to a request without a token says that it was bad.",
        "AUTH-TOKEN-INVALID-ERROR-ATTRIBUTE",
        _challenging(lambda scopes, error: (scopes, error or "invalid_token")),
    ),
)
