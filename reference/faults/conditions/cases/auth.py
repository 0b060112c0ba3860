"""Faults of logins after reports about registries that are in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reference import errors
from reference.faults.auth.shared import asked_scopes
from reference.faults.shared import answers_401, challenge_rewritten, where_answer
from reference.messages import Request, Response
from reference.modifications import Fault, override, set_header

if TYPE_CHECKING:
    from reference.tokens.access import Account, Scope
    from reference.tokens.app import TokenService

_CHALLENGE = "WWW-Authenticate"


def _bare(request: Request, response: Response, status: int) -> None:
    """Another status to who has no credentials, without a challenge."""
    if not request.headers.get("authorization"):
        response.status = status
        response.headers.drop(_CHALLENGE)


def _forbidden(request: Request, response: Response) -> None:
    _bare(request, response, 403)


def _range_failed(request: Request, response: Response) -> None:
    if "range" in request.headers:
        _bare(request, response, 500)


def _lacks_scope(_request: Request, response: Response) -> bool:
    return "insufficient_scope" in response.headers.get(_CHALLENGE)


def _all_or_none(service: TokenService) -> None:
    """Several scopes are granted where each has something left of its actions."""
    granted = service.granted

    def changed(account: Account, asked: Sequence[str]) -> list[Scope]:
        scopes = granted(account, asked)
        if len(asked) > 1 and not all(scope.actions for scope in scopes):
            raise errors.RegistryError(403, (errors.ErrorEntry("DENIED"),))
        return scopes

    override(service, granted=changed)


FAULTS = (
    Fault(
        name="open-upload-403-to-strangers",
        title="Status, chunks and end of an open upload get 403 without a login; everything else gets 401.",
        breaks=(
            "AUTH-CHALLENGE-401",
            "PUSH-CANCEL-204",
        ),
        also=(
            "AUTH-CHALLENGE-HEADER",
            "AUTH-ERROR-DENIED-BODY",
            "BASE-ERROR-403-DENIED",
        ),
        configuration="token",
        apply=answers_401("upload.get", "upload.patch", "upload.put", "upload.delete", change=_forbidden),
    ),
    Fault(
        name="blob-range-500-to-strangers",
        title="A range of a blob gets 500 without a login; the whole blob gets 401.",
        breaks=(
            "AUTH-CHALLENGE-401",
            "AUTH-NO-LEAK-READ",
        ),
        configuration="htpasswd",
        apply=answers_401("blob.get", change=_range_failed),
    ),
    Fault(
        name="deletion-without-scope-challenged-basic",
        title="The deletion with a token that lacks the scope for it gets 401 with a Basic challenge.",
        breaks=("AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE",),
        configuration="token",
        apply=answers_401(
            "manifest.delete",
            "blob.delete",
            change=where_answer(_lacks_scope, set_header(_CHALLENGE, 'Basic realm="registry"')),
        ),
    ),
    Fault(
        name="single-post-challenged-for-pull",
        title="The challenge to a POST with a whole blob names the action pull alone.",
        breaks=(
            "AUTH-CHALLENGE-SCOPE-PUSH",
            "PUSH-SINGLE-STATUS-201-OR-202",
        ),
        also=("AUTH-TOKEN-INSUFFICIENT-SCOPE-CHALLENGE",),
        configuration="token",
        apply=answers_401(
            "upload.start-digest",
            change=challenge_rewritten(lambda challenge: challenge.replace(":pull,push", ":pull")),
        ),
    ),
    Fault(
        name="several-scopes-all-or-none",
        title="A request for several scopes gets 403 where one of them may not be had; one alone gets a token.",
        breaks=("AUTH-TOKEN-SUBSET-NOT-ERROR",),
        also=("AUTH-TOKEN-MULTIPLE-SCOPES", "AUTH-MOUNT-SOURCE-SCOPE"),
        configuration="token",
        tokens=_all_or_none,
    ),
    Fault(
        name="third-scope-passed-over",
        title="Of more than two parameters scope the token service grants the first two.",
        breaks=("AUTH-TOKEN-MULTIPLE-SCOPES",),
        configuration="token",
        tokens=asked_scopes(lambda asked: asked[:2]),
    ),
)
