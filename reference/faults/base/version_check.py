"""Faults of the version check."""

from __future__ import annotations

from collections.abc import Callable

from reference import errors
from reference.app import Registry
from reference.faults.base.shared import another_code
from reference.faults.shared import answers_401, challenge_rewritten, no_content
from reference.messages import Request, Response
from reference.modifications import Apply, Fault, answers, both, drop_header, on, set_header, set_status

_CHALLENGE = "WWW-Authenticate"
_STARTS = ("upload.start", "upload.start-digest", "upload.mount")
_DENIED = b'{"errors": [{"code": "DENIED", "message": "not for you"}]}'
_UNSUPPORTED = b'{"errors": [{"code": "UNSUPPORTED", "message": "not here"}]}'


def _text(_request: Request, response: Response) -> None:
    response.headers.set("Content-Type", "text/plain")
    response.body = b"" if not response.body else b"401 Unauthorized\n"
    response.headers.drop("Content-Length")


def _gone_once_written(registry: Registry) -> None:
    """After an upload, the version check without credentials is answered 404."""
    written: list[str] = []

    def note(request: Request, _response: Response) -> None:
        written.append(request.name)

    def forget(request: Request, response: Response) -> None:
        if written and request.method == "GET" and not request.headers.get("authorization"):
            response.status, response.body = 404, errors.no_such_endpoint(request.path).body()

    both(answers(*_STARTS, change=note), answers("base.get", change=forget))(registry)


def _from_the_second(
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


def _forbidden(request: Request, response: Response) -> None:
    if request.headers.get("authorization"):
        response.status, response.body = 403, _DENIED


def _gone(_request: Request, response: Response) -> None:
    response.status, response.body = 404, _UNSUPPORTED


def _not_forbidden(request: Request, response: Response) -> None:
    if not request.headers.get("authorization"):
        response.status, response.body = 403, _DENIED
        response.headers.drop("WWW-Authenticate")


def _to_the_bare_path(request: Request, response: Response) -> Response | None:
    return Response(301, [("Location", "/v2")]) if request.path == "/v2/" else None


FAULTS = (
    Fault(
        name="version-header-wrong",
        title="The version header names another version.",
        breaks=("BASE-V2-VERSION-HEADER-TRUE",),
        apply=answers(change=set_header("Docker-Distribution-Api-Version", "registry/1.0")),
    ),
    Fault(
        name="version-check-head-404",
        title="HEAD of the version check returns 404.",
        breaks=("BASE-V2-HEAD",),
        apply=on(
            "base.get",
            change=lambda request, response: set_status(404)(request, response) if request.method == "HEAD" else None,
        ),
    ),
    Fault(
        name="login-base-without-challenge",
        title="The 401 of the version check has no challenge.",
        breaks=("BASE-V2-401-CHALLENGE", "AUTH-CHALLENGE-HEADER", "AUTH-BASE-CHALLENGE"),
        configuration="htpasswd",
        apply=answers_401("base.get", change=drop_header(_CHALLENGE)),
    ),
    Fault(
        name="login-challenge-unbalanced",
        title="The realm of a challenge lacks its second quotation mark.",
        breaks=("BASE-V2-401-CHALLENGE-SYNTAX", "AUTH-CHALLENGE-SYNTAX"),
        configuration="htpasswd",
        apply=answers_401(change=challenge_rewritten(lambda challenge: challenge[:-1])),
    ),
    Fault(
        name="login-base-without-version",
        title="The 401 of the version check has no version header.",
        breaks=("BASE-V2-VERSION-HEADER-401", "AUTH-BASE-VERSION-HEADER-401"),
        configuration="htpasswd",
        apply=answers_401("base.get", change=drop_header("Docker-Distribution-Api-Version")),
    ),
    Fault(
        name="login-base-in-text",
        title="The 401 of the version check has a body of plain text.",
        breaks=("BASE-V2-401-BODY",),
        also=("BASE-ERROR-JSON-PRESENT",),
        configuration="htpasswd",
        apply=answers_401("base.get", change=_text),
    ),
    Fault(
        name="version-check-gone-once-written",
        title="The version check returns 404 as soon as something was uploaded.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=_gone_once_written,
    ),
    Fault(
        name="base-get-answered-203",
        title="The base endpoint returns 203.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=on("base.get", status=200, change=set_status(203)),
    ),
    Fault(
        name="base-get-answered-204",
        title="The base endpoint returns 204.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=on("base.get", status=200, change=no_content),
    ),
    Fault(
        name="base-get-always-203",
        title="The base endpoint returns 203, also where it is refused.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=answers("base.get", change=set_status(203)),
    ),
    Fault(
        name="version-check-without-version-header",
        title="The version check has no version header.",
        breaks=("BASE-V2-VERSION-HEADER-200",),
        apply=answers(change=drop_header("Docker-Distribution-API-Version")),
    ),
    Fault(
        name="version-check-forbidden",
        title="A user who asks for /v2/ again gets 403.",
        breaks=("BASE-V2-200",),
        # What is asked of logins is asked there, too.
        also=("AUTH-BASE-CHALLENGE", "AUTH-VALID-CREDENTIALS-ACCEPTED"),
        configuration="htpasswd",
        apply=_from_the_second(_forbidden, status=200),
    ),
    Fault(
        name="version-check-gone",
        title="/v2/ gets 404 from the second time on.",
        breaks=("BASE-V2-STATUS-SET",),
        apply=_from_the_second(_gone),
    ),
    Fault(
        name="version-check-forbidden-to-strangers",
        title="/v2/ without a login gets 403 from the second time on.",
        breaks=("BASE-V2-STATUS-SET",),
        also=("AUTH-CHALLENGE-401",),
        configuration="htpasswd",
        apply=_from_the_second(_not_forbidden, status=401),
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
        apply=_from_the_second(drop_header("WWW-Authenticate"), status=401),
    ),
    Fault(
        name="version-check-challenge-malformed",
        title="The challenge of /v2/ ends within its quotation marks from the second time on.",
        breaks=("BASE-V2-401-CHALLENGE-SYNTAX",),
        also=("AUTH-CHALLENGE-SYNTAX",),
        configuration="htpasswd",
        apply=_from_the_second(set_header("WWW-Authenticate", 'Basic realm="registry'), status=401),
    ),
    Fault(
        name="version-check-code-wrong",
        title="The 401 of /v2/ has the code DENIED.",
        breaks=("BASE-V2-401-BODY",),
        configuration="htpasswd",
        apply=answers("base.get", status=401, change=another_code),
    ),
)
