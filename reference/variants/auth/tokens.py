"""Variants of tokens at the registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference import errors
from reference.app import Registry
from reference.messages import Request
from reference.modifications import Apply, Variant, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope
    from reference.auth.trust import Verified

_Refusal = Callable[[Request, str], errors.RegistryError | None]
_USES = 5


def _refusing(other: _Refusal) -> Apply:
    """Refuse a token in another way; the second argument is the error of the challenge."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        refusal = tokens.refusal

        def changed(request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
            return (other(request, error) if error else None) or refusal(request, scopes, error)

        override(tokens, refusal=changed)

    return apply


def _forbidden(_request: Request, _error: str) -> errors.RegistryError:
    """As the document on tokens has it."""
    return errors.RegistryError(403, (errors.ErrorEntry("DENIED"),))


def _hidden(request: Request, error: str) -> errors.RegistryError | None:
    """404 to reads and 403 to writes outside the grant."""
    if error != "insufficient_scope" or not request.name:
        return None
    if request.method in ("GET", "HEAD"):
        return errors.name_unknown(request.name)
    return _forbidden(request, error)


def _worn_out(registry: Registry) -> None:
    """A token is good for a few requests."""
    trust = tokens_of(registry).trust
    verify, used = trust.verify, Counter[str]()

    def changed(token: str) -> Verified:
        used[token] += 1
        return verify(token if used[token] <= _USES else "worn out")

    override(trust, verify=changed)


VARIANTS = (
    Variant(
        name="token-refused-403",
        title="A token that does not suffice, or is bad, gets 403 without a challenge.",
        latitude=("LOGIN-401-403-404",),
        configuration="token",
        apply=_refusing(_forbidden),
    ),
    Variant(
        name="token-refused-hidden",
        title="Reads outside the grant of a token get 404, and writes 403.",
        latitude=("LOGIN-401-403-404",),
        configuration="token",
        apply=_refusing(_hidden),
    ),
    Variant(
        name="token-for-five-requests",
        title="A token is good for five requests.",
        latitude=("LOGIN-TOKEN-ANSWER",),
        configuration="token",
        apply=_worn_out,
    ),
)
