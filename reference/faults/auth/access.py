"""Faults of access with and without a login."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import Check, checking, unchecked
from reference.messages import Request
from reference.modifications import Apply, Fault, override
from reference.modifications.shared import tokens_of

if TYPE_CHECKING:
    from reference.auth.token import Scope
    from reference.tokens.access import Account
    from reference.tokens.access import Scope as Asked
    from reference.tokens.app import TokenService


def _done_before(*operations: str) -> Apply:
    """Do an operation, and look at credentials then."""

    def around(registry: Registry, check: Check) -> Check:
        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError:
                if request.operation in operations:
                    with suppress(errors.RegistryError):
                        await registry.handlers[request.operation](request)
                raise

        return changed

    return checking(around)


def _source_free(registry: Registry) -> None:
    """What a mount is from is not asked for."""
    override(tokens_of(registry), source=lambda _request: None)


def _any_push_goes_on(registry: Registry) -> None:
    """An upload goes on with the right to push to any repository."""

    def around(registry: Registry, check: Any) -> Any:
        trust, token = tokens_of(registry).trust, tokens_of(registry).token

        async def changed(request: Request) -> None:
            try:
                await check(request)
            except errors.RegistryError:
                text = token(request)
                session = request.operation in ("upload.patch", "upload.put", "upload.get", "upload.delete")
                if not session or text is None:
                    raise
                if not any("push" in actions for actions in trust.verify(text).grants.values()):
                    raise

        return changed

    checking(around)(registry)


def _readers_push(service: TokenService) -> None:
    """Who may pull gets the right to push as well."""
    granted = service.granted

    def changed(account: Account, asked: Any) -> list[Asked]:
        from reference.tokens.access import Scope as Made  # noqa: PLC0415  as above

        found = granted(account, asked)
        return [Made(s.kind, s.name, ("pull", "push")) if "pull" in s.actions else s for s in found]

    override(service, granted=changed)


def _refusing(change: Callable[[errors.RegistryError, str], None]) -> Apply:
    """Change refusals; the second argument is the error of the challenge, empty without a token."""

    def apply(registry: Registry) -> None:
        tokens = tokens_of(registry)
        refusal = tokens.refusal

        def changed(request: Request, scopes: list[Scope], error: str = "") -> errors.RegistryError:
            refused = refusal(request, scopes, error)
            change(refused, error)
            return refused

        override(tokens, refusal=changed)

    return apply


def _lacking_403_elsewise(refused: errors.RegistryError, error: str) -> None:
    if error == "insufficient_scope":
        refused.status, refused.entries, refused.headers = 403, (errors.ErrorEntry("UNSUPPORTED"),), []


FAULTS = (
    Fault(
        name="chunks-from-everybody",
        title="Anybody who knows the Location of an upload can send chunks without a login.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="htpasswd",
        apply=unchecked("upload.patch"),
    ),
    Fault(
        name="closing-by-everybody",
        title="Anybody who knows the Location of an upload can close it without a login.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="htpasswd",
        apply=unchecked("upload.put"),
    ),
    Fault(
        name="status-for-everybody",
        title="Anybody who knows the Location of an upload can ask for its status without a login.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="htpasswd",
        apply=unchecked("upload.get"),
    ),
    Fault(
        name="cancelled-by-everybody",
        title="Anybody who knows the Location of an upload can cancel it without a login.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="htpasswd",
        apply=unchecked("upload.delete"),
    ),
    Fault(
        name="refused-cancel-cancels",
        title="The cancellation of an upload is refused, and done.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="htpasswd",
        apply=_done_before("upload.delete"),
    ),
    Fault(
        name="refused-push-pushes",
        title="A push of a manifest is refused, and done.",
        breaks=("AUTH-REFUSED-WRITE-NO-EFFECT",),
        configuration="htpasswd",
        apply=_done_before("manifest.put"),
    ),
    Fault(
        name="refused-deletion-deletes",
        title="A deletion is refused, and done.",
        breaks=("AUTH-REFUSED-WRITE-NO-EFFECT",),
        configuration="htpasswd",
        apply=_done_before("manifest.delete"),
    ),
    Fault(
        name="refused-upload-uploads",
        title="An upload in one request is refused, and done.",
        breaks=("AUTH-REFUSED-WRITE-NO-EFFECT",),
        configuration="htpasswd",
        apply=_done_before("upload.start-digest"),
    ),
    Fault(
        name="mounts-for-everybody",
        title="A mount needs no login.",
        breaks=("AUTH-MOUNT-SOURCE-SCOPE",),
        configuration="htpasswd",
        apply=unchecked("upload.mount"),
    ),
    Fault(
        name="refused-mount-mounts",
        title="A mount is refused, and done.",
        breaks=("AUTH-MOUNT-SOURCE-SCOPE",),
        configuration="htpasswd",
        apply=_done_before("upload.mount"),
    ),
    Fault(
        name="mount-without-rights-on-source",
        title="A mount asks for no right on the repository that it is from.",
        breaks=("AUTH-MOUNT-SOURCE-SCOPE", "PUSH-MOUNT-NO-READ-ACCESS"),
        configuration="token",
        apply=_source_free,
    ),
    Fault(
        name="upload-goes-on-elsewhere",
        title="An upload goes on with a token that is for another repository.",
        breaks=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="token",
        apply=_any_push_goes_on,
    ),
    Fault(
        name="readers-push",
        title="A user who may only pull gets tokens to push.",
        breaks=("AUTH-WRITE-DENIED", "AUTH-TOKEN-SUBSET-NOT-ERROR"),
        also=("AUTH-UPLOAD-SESSION-PROTECTED",),
        configuration="token",
        tokens=_readers_push,
    ),
    Fault(
        name="starts-for-readers",
        title="A user who may only pull can start an upload.",
        breaks=("AUTH-WRITE-DENIED",),
        also=(
            "AUTH-TOKEN-INSUFFICIENT-SCOPE-REFUSED",
            "AUTH-TOKEN-SUBSET-NOT-ERROR",
            "AUTH-TOKEN-OTHER-REPO-REFUSED",
            "AUTH-TOKEN-INVALID-REFUSED",
        ),
        configuration="token",
        apply=unchecked("upload.start", when=lambda request: bool(request.headers.get("authorization"))),
    ),
    Fault(
        name="token-lacking-403-unsupported",
        title="A token that does not suffice gets 403 with the code UNSUPPORTED.",
        breaks=("AUTH-ERROR-DENIED-BODY",),
        also=("BASE-ERROR-403-DENIED",),
        configuration="token",
        apply=_refusing(_lacking_403_elsewise),
    ),
)
