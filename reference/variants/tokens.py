"""Variants of logins with the token service: other scopes, other refusals, tokens of another kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Variant, override

if TYPE_CHECKING:
    # Its libraries take time to load, and most variants are none of its.
    from reference.auth.token import Scope, Tokens
    from reference.auth.trust import Verified
    from reference.tokens.app import TokenService

_USES = 5
Refusal = Callable[[Request, str], errors.RegistryError | None]


def _tokens(registry: Registry) -> Tokens:
    tokens: Any = registry.authenticator
    if tokens is None or not hasattr(tokens, "trust"):
        raise AttributeError("this registry has no logins by token")
    found: Tokens = tokens
    return found


def _actions(named: Mapping[tuple[str, ...], tuple[str, ...]]) -> Apply:
    """Need other actions than usual."""

    def apply(registry: Registry) -> None:
        tokens = _tokens(registry)
        actions = tokens.actions

        def changed(request: Request) -> tuple[str, ...]:
            usual = actions(request)
            return named.get(usual, usual)

        override(tokens, actions=changed)

    return apply


def _refusing(other: Refusal) -> Apply:
    """Refuse a token in another way, where there is one; the second argument is the error of the challenge."""

    def apply(registry: Registry) -> None:
        tokens = _tokens(registry)
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
    trust = _tokens(registry).trust
    verify, used = trust.verify, Counter[str]()

    def changed(token: str) -> Verified:
        used[token] += 1
        return verify(token if used[token] <= _USES else "worn out")

    override(trust, verify=changed)


def _plain(service: TokenService) -> None:
    """Knows GET alone, and gives access_token and no other member."""
    service.config.oauth = False
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        return document({"access_token": value["token"]} if "token" in value else value, status)

    override(service, document=changed)


def _talkative(service: TokenService) -> None:
    """Further members, a time with a fraction, and a refresh token that is none."""
    document = service.document

    def changed(value: Mapping[str, Any], status: int = 200) -> Response:
        more = {"issued_at": value["issued_at"].replace("Z", ".123456789Z")} if "issued_at" in value else {}
        return document({**value, **more, "id": 7, "realm": {"name": "tests"}}, status)

    override(service, document=changed)


def _variant(name: str, title: str, *latitude: str, **more: Any) -> Variant:
    return Variant(name=name, title=title, latitude=latitude, configuration="token", **more)


VARIANTS = (
    _variant(
        "token-actions-apart",
        "A push needs push alone, a deletion a star.",
        "LOGIN-SCOPE-VARIES",
        apply=_actions({("pull", "push"): ("push",), ("delete",): ("*",)}),
    ),
    _variant(
        "token-refused-403",
        "A token that does not suffice, or is bad, is answered 403 without a challenge.",
        "LOGIN-401-403-404",
        apply=_refusing(_forbidden),
    ),
    _variant(
        "token-refused-hidden",
        "Outside the grant of a token reads are answered 404 and writes 403.",
        "LOGIN-401-403-404",
        apply=_refusing(_hidden),
    ),
    _variant("token-worn-out", "A token is good for five requests.", "LOGIN-TOKEN-ANSWER", apply=_worn_out),
    _variant(
        "token-service-plain",
        "The token service knows GET alone; its answer has access_token and no other member.",
        "LOGIN-TOKEN-ANSWER",
        "LOGIN-OAUTH-PARTS-ABSENT",
        tokens=_plain,
    ),
    _variant(
        "token-service-talkative",
        "The token service adds members, and fractions to its times.",
        "LOGIN-TOKEN-ANSWER",
        "JSON-EXTRA-MEMBERS",
        tokens=_talkative,
    ),
)
