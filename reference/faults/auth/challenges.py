"""Faults of the challenge of a 401."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.auth.shared import Check
from reference.faults.shared import answers_401, challenge_rewritten, unauthorized_as
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, drop_header, override, set_header, set_status

_CHALLENGE = "WWW-Authenticate"
_STARTS = ("upload.start", "upload.start-digest", "upload.mount")
_READS = ("manifest.get", "manifest.head", "blob.get", "blob.head")


def _bare_403(_request: Request, response: Response) -> None:
    response.status = 403
    response.headers.drop(_CHALLENGE)


def _checking(around: Callable[[Check], Check]) -> Apply:
    """Put something around the look at credentials."""

    def apply(registry: Registry) -> None:
        if registry.authenticator is None:
            raise AttributeError("this registry has no logins")
        override(registry.authenticator, check=around(registry.authenticator.check))

    return apply


def _open_base(check: Check) -> Check:
    async def changed(request: Request) -> None:
        if request.operation != "base.get":
            await check(request)

    return changed


def _scheme_as_written(check: Check) -> Check:
    async def changed(request: Request) -> None:
        if request.headers.get("authorization").partition(" ")[0] not in ("Basic", "Bearer"):
            request.headers.drop("authorization")
        await check(request)

    return changed


def _any_credentials(check: Check) -> Check:
    async def changed(request: Request) -> None:
        if not request.headers.get("authorization"):
            await check(request)

    return changed


def _wrong_password_403(check: Check) -> Check:
    async def changed(request: Request) -> None:
        try:
            await check(request)
        except errors.RegistryError as error:
            if request.headers.get("authorization"):
                raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),)) from error
            raise

    return changed


def _refusals_cached(check: Check) -> Check:
    """Keep refusals of pulls by URL, as a cache does that does not look at credentials."""
    refused: dict[str, errors.RegistryError] = {}

    async def changed(request: Request) -> None:
        if request.operation == "manifest.get" and request.path in refused:
            raise refused[request.path]
        try:
            await check(request)
        except errors.RegistryError as error:
            if request.operation == "manifest.get":
                refused[request.path] = error
            raise

    return changed


FAULTS = (
    Fault(
        name="deletion-401-without-challenge",
        title="The 401 of a deletion has no challenge.",
        breaks=("AUTH-CHALLENGE-HEADER",),
        configuration="token",
        apply=answers_401("manifest.delete", "blob.delete", change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="manifest-push-401-without-challenge",
        title="The 401 of a push of a manifest has no challenge.",
        breaks=("AUTH-CHALLENGE-HEADER",),
        also=("PUSH-MANIFEST-INDEX-ACCEPTED", "PUSH-MANIFEST-STATUS-201"),
        configuration="token",
        apply=answers_401("manifest.put", change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="tag-list-401-without-challenge",
        title="The 401 of a list of tags has no challenge.",
        breaks=("AUTH-CHALLENGE-HEADER",),
        configuration="token",
        apply=answers_401("tags.list", change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="login-push-without-challenge",
        title="The 401 of an upload has no challenge.",
        breaks=("AUTH-CHALLENGE-HEADER",),
        configuration="htpasswd",
        apply=answers_401(*_STARTS, change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="login-basic-without-realm",
        title="The Basic challenge has no realm.",
        breaks=("AUTH-CHALLENGE-BASIC-REALM", "BASE-V2-401-CHALLENGE-SYNTAX"),
        configuration="htpasswd",
        apply=answers_401(change=set_header(_CHALLENGE, "Basic")),
    ),
    Fault(
        name="login-push-code-wrong",
        title="The 401 of an upload has the code UNSUPPORTED.",
        breaks=("AUTH-ERROR-UNAUTHORIZED-BODY",),
        configuration="htpasswd",
        apply=answers_401(*_STARTS, change=unauthorized_as("UNSUPPORTED")),
    ),
    Fault(
        name="login-pull-403",
        title="A pull without credentials returns 403.",
        breaks=("AUTH-CHALLENGE-401",),
        configuration="htpasswd",
        apply=answers_401(*_READS, change=_bare_403),
    ),
    Fault(
        name="login-push-403",
        title="An upload without credentials returns 403, with the challenge.",
        breaks=("AUTH-CHALLENGE-401",),
        configuration="htpasswd",
        apply=answers_401(*_STARTS, change=set_status(403)),
    ),
    Fault(
        name="version-check-without-login",
        title="The version check needs no credentials, and everything else does.",
        breaks=("AUTH-BASE-CHALLENGE",),
        configuration="htpasswd",
        apply=_checking(_open_base),
    ),
    Fault(
        name="login-scheme-as-written",
        title="The registry compares the scheme of Authorization with regard to case.",
        breaks=("AUTH-SCHEME-CASE-INSENSITIVE",),
        configuration="htpasswd",
        apply=_checking(_scheme_as_written),
    ),
    Fault(
        name="login-wrong-password-accepted",
        title="The registry accepts any password.",
        breaks=("AUTH-BASIC-WRONG-PASSWORD-401",),
        also=("AUTH-TOKEN-INVALID-REFUSED",),
        configuration="htpasswd",
        apply=_checking(_any_credentials),
    ),
    Fault(
        name="login-wrong-password-403",
        title="A wrong password gets 403.",
        breaks=("AUTH-BASIC-WRONG-PASSWORD-401",),
        configuration="htpasswd",
        apply=_checking(_wrong_password_403),
    ),
    Fault(
        name="login-refusals-cached",
        title="A pull that one user was refused is refused to every other user, too.",
        breaks=("AUTH-VALID-CREDENTIALS-ACCEPTED",),
        configuration="htpasswd",
        apply=_checking(_refusals_cached),
    ),
    Fault(
        name="login-realm-relative",
        title="The realm of the Bearer challenge of a pull is a path.",
        breaks=("AUTH-CHALLENGE-BEARER-REALM",),
        configuration="token",
        apply=answers_401(
            *_READS, change=challenge_rewritten(lambda challenge: challenge.replace('realm="http:', 'realm="'))
        ),
    ),
    Fault(
        name="login-without-service",
        title="The Bearer challenge names no service.",
        breaks=("AUTH-CHALLENGE-BEARER-SERVICE",),
        configuration="token",
        apply=answers_401(change=challenge_rewritten(lambda challenge: re.sub(r',service="[^"]*"', "", challenge))),
    ),
)
