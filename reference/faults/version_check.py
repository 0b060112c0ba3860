"""Faults of the version check: its status, its challenge, and what else its 401 says."""

from __future__ import annotations

from collections.abc import Callable

from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, drop_header, set_header


def from_the_second(
    change: Callable[[Request, Response], object], operation: str = "base.get", status: int | None = None
) -> Apply:
    """Change every such answer but the first, which lets a client in."""

    def apply(registry: Registry) -> None:
        seen = False

        def later(request: Request, response: Response) -> None:
            nonlocal seen
            if seen:
                change(request, response)
            seen = True

        answers(operation, change=later, status=status)(registry)

    return apply


_DENIED = b'{"errors": [{"code": "DENIED", "message": "not for you"}]}'
_UNSUPPORTED = b'{"errors": [{"code": "UNSUPPORTED", "message": "not here"}]}'


def _forbidden(request: Request, response: Response) -> None:
    if request.headers.get("authorization"):
        response.status, response.body = 403, _DENIED


def _gone(_request: Request, response: Response) -> None:
    response.status, response.body = 404, _UNSUPPORTED


def _to_the_bare_path(request: Request, response: Response) -> Response | None:
    return Response(301, [("Location", "/v2")]) if request.path == "/v2/" else None


def _another_code(_request: Request, response: Response) -> None:
    response.body = response.body.replace(b"UNAUTHORIZED", b"DENIED")


def _not_forbidden(request: Request, response: Response) -> None:
    if not request.headers.get("authorization"):
        response.status, response.body = 403, _DENIED
        response.headers.drop("WWW-Authenticate")


FAULTS = (
    Fault(
        name="version-check-forbidden",
        title="A user who asks for /v2/ again is answered 403.",
        breaks=("BASE-V2-200",),
        # What is asked of logins is asked there, too.
        also=("AUTH-BASE-CHALLENGE", "AUTH-VALID-CREDENTIALS-ACCEPTED"),
        configuration="htpasswd",
        apply=from_the_second(_forbidden, status=200),
    ),
    Fault(
        name="version-check-gone",
        title="/v2/ is answered 404 from the second time on.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=from_the_second(_gone),
    ),
    Fault(
        name="version-check-forbidden-to-strangers",
        title="/v2/ without a login is answered 403 from the second time on.",
        breaks=("BASE-V2-STATUS-SET",),
        also=("AUTH-CHALLENGE-401",),
        configuration="htpasswd",
        apply=from_the_second(_not_forbidden, status=401),
    ),
    Fault(
        name="version-check-redirected",
        title="/v2/ is redirected to /v2.",
        breaks=("BASE-V2-NO-REDIRECT",),
        apply=answers("base.get", change=_to_the_bare_path),
    ),
    Fault(
        name="challenge-without-version-header",
        title="The 401 of /v2/ has no version header.",
        breaks=("BASE-V2-VERSION-HEADER-401",),
        # What is asked of logins says the same.
        also=("AUTH-BASE-VERSION-HEADER-401",),
        configuration="htpasswd",
        apply=answers("base.get", status=401, change=drop_header("Docker-Distribution-Api-Version")),
    ),
    Fault(
        name="version-check-without-challenge",
        title="Only the first 401 of /v2/ has a challenge.",
        breaks=("BASE-V2-401-CHALLENGE",),
        also=("AUTH-CHALLENGE-HEADER", "AUTH-BASE-CHALLENGE"),
        configuration="htpasswd",
        apply=from_the_second(drop_header("WWW-Authenticate"), status=401),
    ),
    Fault(
        name="version-check-challenge-malformed",
        title="The challenge of /v2/ ends within its quotation marks from the second time on.",
        breaks=("BASE-V2-401-CHALLENGE-SYNTAX",),
        also=("AUTH-CHALLENGE-SYNTAX",),
        configuration="htpasswd",
        apply=from_the_second(set_header("WWW-Authenticate", 'Basic realm="registry'), status=401),
    ),
    Fault(
        name="version-check-code-wrong",
        title="The 401 of /v2/ has the code DENIED.",
        breaks=("BASE-V2-401-BODY",),
        configuration="htpasswd",
        apply=answers("base.get", status=401, change=_another_code),
    ),
    Fault(
        name="pull-401-code-wrong",
        title="The 401 to a pull of a manifest has the code DENIED.",
        breaks=("BASE-ERROR-401-PULL",),
        configuration="htpasswd",
        apply=answers("manifest.get", status=401, change=_another_code),
    ),
)
