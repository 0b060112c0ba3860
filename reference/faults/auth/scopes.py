"""Faults of scopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference.app import Registry
from reference.faults.auth.shared import challenging
from reference.faults.shared import answers_401
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope
    from reference.auth.trust import Grants, Verified

_CHALLENGE = "WWW-Authenticate"
_Granted = Callable[["Grants", "Scope"], bool]


def _scoped(change: Callable[[str, Request], str], *operations: str, missing: bool = False) -> Apply:
    """Write the scope of challenges in another way; with ``missing`` only without a token."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        challenge, write = tokens.challenge, tokens.scope_text

        def changed(request: Request, scopes: list[Scope], error: str = "") -> str:
            text = challenge(request, scopes, error)
            if request.operation not in operations or (missing and error):
                return text
            return text.replace(f'scope="{write(scopes)}"', change(write(scopes), request))

        override(tokens, challenge=changed)

    return apply


def _other_case(_request: Request, response: Response) -> None:
    response.headers.set(_CHALLENGE, response.headers.get(_CHALLENGE).replace("pull", "read"))


def _as(spell: Callable[[str], str]) -> Callable[[str, Request], str]:
    return lambda text, _request: f'scope="{spell(text)}"'


def _apart(text: str, request: Request) -> str:
    """A parameter for each action."""
    return f'scope="repository:{request.name}:pull",scope="repository:{request.name}:push"'


def _push_in_first_place(registry: Registry) -> None:
    """The right to push counts only where it is the first of a token."""
    trust = tokens_of(registry).trust
    read = trust.read

    def changed(claims: Any) -> Verified:
        first, *rest = claims.get("access") or [{}]
        kept = [entry for entry in rest if "push" not in (entry.get("actions") or [])]
        return read({**claims, "access": [first, *kept] if first else []})

    override(trust, read=changed)


def _granting(around: Callable[[_Granted], _Granted]) -> Apply:
    """Compare scopes in another way."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        override(tokens, granted=around(tokens.granted))

    return apply


def _whatever_action(_granted: _Granted) -> _Granted:
    return lambda grants, scope: any(key == scope[:2] and actions for key, actions in grants.items())


def _by_prefix(granted: _Granted) -> _Granted:
    def changed(grants: Grants, scope: Scope) -> bool:
        kind, name, actions = scope
        return granted(grants, scope) or any(
            key[0] == kind and name.startswith(key[1]) and found.issuperset(actions) for key, found in grants.items()
        )

    return changed


def _by_first_part(granted: _Granted) -> _Granted:
    """Compare what stands before the last slash."""

    def changed(grants: Grants, scope: Scope) -> bool:
        kind, name, actions = scope
        space = name.rpartition("/")[0]
        return granted(grants, scope) or any(
            space and key[0] == kind and key[1].startswith(f"{space}/") and found.issuperset(actions)
            for key, found in grants.items()
        )

    return changed


FAULTS = (
    Fault(
        name="scope-of-pull-missing",
        title="The challenge to a HEAD of a manifest has no scope.",
        breaks=("AUTH-CHALLENGE-SCOPE-PULL",),
        configuration="token",
        apply=_scoped(lambda _text, _request: "", "manifest.head", missing=True),
    ),
    Fault(
        name="scope-of-pull-is-read",
        title="The challenge to a pull of a blob names the action read.",
        breaks=("AUTH-CHALLENGE-SCOPE-PULL",),
        configuration="token",
        apply=answers_401("blob.head", change=_other_case),
    ),
    Fault(
        name="scope-of-pull-without-namespace",
        title="The challenge to a pull of a manifest names the last part of the repository alone.",
        breaks=("AUTH-CHALLENGE-SCOPE-PULL",),
        configuration="token",
        apply=_scoped(_as(lambda text: f"repository:{text.rpartition('/')[2]}"), "manifest.get", missing=True),
    ),
    Fault(
        name="scope-of-push-is-pull",
        title="The challenge to a push of a manifest names pull alone.",
        breaks=("AUTH-CHALLENGE-SCOPE-PUSH",),
        configuration="token",
        apply=_scoped(_as(lambda text: text.replace(",push", "")), "manifest.put", missing=True),
    ),
    Fault(
        name="scope-of-catalog-without-actions",
        title="The challenge of the catalogue has no actions.",
        breaks=("AUTH-CHALLENGE-SCOPE-GRAMMAR",),
        configuration="token",
        apply=_scoped(_as(lambda _text: "registry:catalog"), "catalog.list", missing=True),
    ),
    Fault(
        name="scope-with-semicolons",
        title="The challenge to a push of a manifest has its actions apart by semicolons.",
        breaks=("AUTH-CHALLENGE-SCOPE-GRAMMAR",),
        also=("AUTH-CHALLENGE-SCOPE-PUSH",),
        configuration="token",
        apply=_scoped(_as(lambda text: text.replace(",", ";")), "manifest.put", missing=True),
    ),
    Fault(
        name="scope-repeated",
        title="The challenge to a push of a manifest has a parameter scope for each action.",
        breaks=("AUTH-CHALLENGE-SCOPE-ONCE",),
        configuration="token",
        apply=_scoped(_apart, "manifest.put", missing=True),
    ),
    Fault(
        name="scope-of-mount-without-source",
        title="The challenge to a mount without a token names the target alone.",
        breaks=("AUTH-MOUNT-CHALLENGE-SCOPES",),
        configuration="token",
        apply=_scoped(_as(lambda text: text.split(" ", maxsplit=1)[0]), "upload.mount", missing=True),
    ),
    Fault(
        name="mount-refused-to-both",
        title="The right to push counts only where it is the first of a token.",
        breaks=(
            "AUTH-MOUNT-BOTH-SCOPES",
            "AUTH-TOKEN-MULTIPLE-SCOPES",
        ),
        configuration="token",
        apply=_push_in_first_place,
    ),
    Fault(
        name="token-actions-ignored",
        title="A token to pull lets push and delete.",
        breaks=("AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED",),
        # The account that may only pull may push with it.
        also=(
            "AUTH-WRITE-DENIED",
            "AUTH-TOKEN-SUBSET-NOT-ERROR",
            "AUTH-UPLOAD-SESSION-PROTECTED",
            "AUTH-REFUSED-WRITE-NO-EFFECT",
        ),
        configuration="token",
        apply=_granting(_whatever_action),
    ),
    Fault(
        name="token-name-by-prefix",
        title="A token for a repository opens each whose name begins alike.",
        breaks=("AUTH-TOKEN-OTHER-REPO-REFUSED",),
        configuration="token",
        apply=_granting(_by_prefix),
    ),
    Fault(
        name="token-name-by-space",
        title="A token for a repository opens the other repositories below the same name.",
        breaks=("AUTH-TOKEN-OTHER-REPO-REFUSED",),
        # What is another's is read, written and mounted.
        also=(
            "AUTH-MOUNT-SOURCE-SCOPE",
            "AUTH-NO-LEAK-READ",
            "AUTH-UPLOAD-SESSION-PROTECTED",
            "PUSH-MOUNT-NO-READ-ACCESS",
        ),
        configuration="token",
        apply=_granting(_by_first_part),
    ),
    Fault(
        name="token-lacking-without-scope",
        title="The challenge to a token that does not suffice has no scope, but for a mount.",
        breaks=("AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE",),
        configuration="token",
        apply=challenging(lambda scopes, error: (scopes if not error or len(scopes) > 1 else [], error)),
    ),
)
