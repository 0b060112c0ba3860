"""Faults of logins by token: rights that one route does not ask for, and tokens that should open nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import jwt

from reference import errors
from reference.app import Registry
from reference.auth.trust import TokenError
from reference.faults.auth.shared import unchecked
from reference.messages import Request
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope
    from reference.auth.trust import Grants, Verified
    from reference.tokens.access import Account
    from reference.tokens.access import Scope as AskedScope
    from reference.tokens.app import TokenService

_PULL = ("pull",)
_SESSION = ("upload.patch", "upload.put", "upload.get", "upload.delete")


class _Anywhere(str):
    """The name of a repository whose place any other one takes."""

    __slots__ = ()


def _with_the_right_to_pull(operation: str) -> Apply:
    """Ask for no more than the right to pull."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        actions = tokens.actions
        override(tokens, actions=lambda request: _PULL if request.operation == operation else actions(request))

    return apply


def _push_anywhere(registry: Registry) -> None:
    tokens = tokens_of(registry)
    scopes, granted = tokens.scopes, tokens.granted

    def needed(request: Request) -> list[Scope]:
        found = scopes(request)
        if request.operation != "manifest.put":
            return found
        return [(kind, _Anywhere(name), actions) for kind, name, actions in found]

    def enough(grants: Grants, scope: Scope) -> bool:
        kind, name, actions = scope
        if isinstance(name, _Anywhere):
            return any(known == kind and having.issuperset(actions) for (known, _), having in grants.items())
        return granted(grants, scope)

    override(tokens, scopes=needed, granted=enough)


def _from_anywhere(registry: Registry) -> None:
    mounted = registry.uploads.mounted
    storage = registry.storage

    def changed(source: str | None, name: str, digest: str) -> bool:
        if not source:
            source = next((known for known in storage.repositories() if storage.has_blob(known, digest)), None)
        return mounted(source, name, digest)

    override(registry.uploads, mounted=changed)


def _none_in_capitals(registry: Registry) -> None:
    trust = tokens_of(registry).trust
    verify = trust.verify

    def changed(token: str) -> Verified:
        try:
            return verify(token)
        except TokenError:
            try:
                algorithm = str(jwt.get_unverified_header(token).get("alg"))
                if algorithm == "none" or algorithm.lower() != "none":
                    raise
                return trust.read(jwt.decode(token, options={"verify_signature": False}))
            except (jwt.PyJWTError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise TokenError(type(error).__name__) from error

    override(trust, verify=changed)


def _session_challenged_for_pull(registry: Registry) -> None:
    tokens = tokens_of(registry)
    challenge = tokens.challenge

    def changed(request: Request, scopes: list[Scope], error: str = "") -> str:
        if request.operation in _SESSION:
            scopes = [(kind, name, _PULL) for kind, name, _ in scopes]
        return challenge(request, scopes, error)

    override(tokens, challenge=changed)


def _catalog_or_nothing(service: TokenService) -> None:
    granted = service.granted

    def changed(account: Account, asked: Sequence[str]) -> list[AskedScope]:
        found = granted(account, asked)
        if any(scope.kind == "registry" and not scope.actions for scope in found):
            raise errors.RegistryError(403)
        return found

    override(service, granted=changed)


FAULTS = (
    Fault(
        name="blob-deletion-with-the-right-to-pull",
        title="The deletion of a blob asks for no more than the right to pull.",
        breaks=("AUTH-WRITE-DENIED",),
        also=(
            "AUTH-REFUSED-WRITE-NO-EFFECT",
            "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED",
        ),
        configuration="token",
        apply=_with_the_right_to_pull("blob.delete"),
    ),
    Fault(
        name="single-post-with-the-right-to-pull",
        title="A blob in a single POST is taken from who may only pull; the start of an upload is refused.",
        breaks=("AUTH-WRITE-DENIED", "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED"),
        also=(
            "AUTH-CHALLENGE-SCOPE-PUSH",
            "AUTH-REFUSED-WRITE-NO-EFFECT",
        ),
        configuration="token",
        apply=_with_the_right_to_pull("upload.start-digest"),
    ),
    Fault(
        name="manifest-push-with-a-token-for-another-repository",
        title="A manifest is taken with the right to push to any repository; an upload needs that of its own.",
        breaks=("AUTH-TOKEN-OTHER-REPO-REFUSED",),
        configuration="token",
        apply=_push_anywhere,
    ),
    Fault(
        name="referrers-open-to-everybody",
        title="The list of referrers needs no login.",
        breaks=("AUTH-NO-LEAK-READ", "AUTH-CHALLENGE-401"),
        also=(
            "AUTH-TOKEN-OTHER-REPO-REFUSED",
            "AUTH-NO-LEAK-EXISTENCE",
        ),
        configuration="token",
        apply=unchecked("referrers.list"),
    ),
    Fault(
        name="mount-without-from-out-of-private-repositories",
        title="A mount without from gives a blob that only a repository has which the client may not read.",
        breaks=("AUTH-MOUNT-SOURCE-SCOPE", "PUSH-MOUNT-NO-READ-ACCESS"),
        configuration="token",
        apply=_from_anywhere,
    ),
    Fault(
        name="unsigned-token-of-none-with-a-capital",
        title="A token without signature is trusted where its alg is None; with none it is refused.",
        breaks=("AUTH-TOKEN-INVALID-REFUSED",),
        configuration="token",
        apply=_none_in_capitals,
    ),
    Fault(
        name="open-upload-challenged-for-pull",
        title="The challenge to a chunk, or to the end of an upload, names the action pull alone.",
        breaks=("AUTH-CHALLENGE-SCOPE-PUSH",),
        # Who follows the challenge may not cancel.
        also=("AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE", "PUSH-CANCEL-204"),
        configuration="token",
        apply=_session_challenged_for_pull,
    ),
    Fault(
        name="catalog-scope-out-of-reach-an-error",
        title="The token service answers 403 to who asks for the catalog beside a repository and may not have it.",
        breaks=("AUTH-TOKEN-SUBSET-NOT-ERROR",),
        configuration="token",
        tokens=_catalog_or_nothing,
    ),
)
