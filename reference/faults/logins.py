"""Faults of logins: refusals that do not say how to go on, and credentials that are taken for others."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from reference import errors
from reference.app import Registry
from reference.messages import Request, Response
from reference.modifications import (
    Apply,
    Fault,
    Transform,
    answers,
    both,
    drop_header,
    override,
    set_header,
    set_status,
)

_CHALLENGE = "WWW-Authenticate"
_READS = ("manifest.get", "manifest.head", "blob.get", "blob.head")
_STARTS = ("upload.start", "upload.start-digest", "upload.mount")
Check = Callable[[Request], Awaitable[None]]


def _refusals(*operations: str, change: Transform) -> Apply:
    """Change the 401 of operations."""
    return answers(*operations, status=401, change=change)


def _code(code: str) -> Transform:
    def change(_request: Request, response: Response) -> None:
        response.body = response.body.replace(b"UNAUTHORIZED", code.encode())

    return change


def _text(_request: Request, response: Response) -> None:
    response.headers.set("Content-Type", "text/plain")
    response.body = b"" if not response.body else b"401 Unauthorized\n"
    response.headers.drop("Content-Length")


def _bare_403(_request: Request, response: Response) -> None:
    response.status = 403
    response.headers.drop(_CHALLENGE)


def _rewritten(change: Callable[[str], str]) -> Transform:
    """Change the challenge."""

    def edit(_request: Request, response: Response) -> None:
        response.headers.set(_CHALLENGE, change(response.headers.get(_CHALLENGE)))

    return edit


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


def _gone_once_written(registry: Registry) -> None:
    """The version check is answered 404 to who has no credentials, as soon as something was uploaded."""
    written: list[str] = []

    def note(request: Request, _response: Response) -> None:
        written.append(request.name)

    def forget(request: Request, response: Response) -> None:
        if written and request.method == "GET" and not request.headers.get("authorization"):
            response.status, response.body = 404, errors.no_such_endpoint(request.path).body()

    both(answers(*_STARTS, change=note), answers("base.get", change=forget))(registry)


def _fault(name: str, title: str, breaks: tuple[str, ...], apply: Apply, *also: str, where: str = "htpasswd") -> Fault:
    return Fault(name=name, title=title, breaks=breaks, also=also, configuration=where, apply=apply)


FAULTS = (
    _fault(
        "login-base-without-challenge",
        "The 401 of the version check has no challenge.",
        ("BASE-V2-401-CHALLENGE", "AUTH-CHALLENGE-HEADER", "AUTH-BASE-CHALLENGE"),
        _refusals("base.get", change=drop_header(_CHALLENGE)),
    ),
    _fault(
        "login-pull-without-challenge",
        "The 401 of a pull has no challenge.",
        ("BASE-ERROR-401-PULL", "AUTH-CHALLENGE-HEADER"),
        _refusals(*_READS, change=drop_header(_CHALLENGE)),
    ),
    _fault(
        "login-push-without-challenge",
        "The 401 of an upload has no challenge.",
        ("AUTH-CHALLENGE-HEADER",),
        _refusals(*_STARTS, change=drop_header(_CHALLENGE)),
    ),
    _fault(
        "login-challenge-unbalanced",
        "The realm of a challenge lacks its second quotation mark.",
        ("BASE-V2-401-CHALLENGE-SYNTAX", "AUTH-CHALLENGE-SYNTAX"),
        _refusals(change=_rewritten(lambda challenge: challenge[:-1])),
    ),
    _fault(
        "login-basic-without-realm",
        "The Basic challenge has no realm.",
        ("AUTH-CHALLENGE-BASIC-REALM", "BASE-V2-401-CHALLENGE-SYNTAX"),
        _refusals(change=set_header(_CHALLENGE, "Basic")),
    ),
    _fault(
        "login-base-without-version",
        "The 401 of the version check has no version header.",
        ("BASE-V2-VERSION-HEADER-401", "AUTH-BASE-VERSION-HEADER-401"),
        _refusals("base.get", change=drop_header("Docker-Distribution-Api-Version")),
    ),
    _fault(
        "login-base-in-text",
        "The 401 of the version check has a body of plain text.",
        ("BASE-V2-401-BODY",),
        _refusals("base.get", change=_text),
        "BASE-ERROR-JSON-PRESENT",
    ),
    _fault(
        "login-pull-code-wrong",
        "The 401 of a pull has the code UNSUPPORTED.",
        ("BASE-ERROR-401-PULL", "AUTH-ERROR-UNAUTHORIZED-BODY"),
        _refusals(*_READS, change=_code("UNSUPPORTED")),
    ),
    _fault(
        "login-push-code-wrong",
        "The 401 of an upload has the code UNSUPPORTED.",
        ("AUTH-ERROR-UNAUTHORIZED-BODY",),
        _refusals(*_STARTS, change=_code("UNSUPPORTED")),
    ),
    _fault(
        "login-pull-403",
        "A pull without credentials is answered 403.",
        ("AUTH-CHALLENGE-401",),
        _refusals(*_READS, change=_bare_403),
    ),
    _fault(
        "login-push-403",
        "An upload without credentials is answered 403, with the challenge.",
        ("AUTH-CHALLENGE-401",),
        _refusals(*_STARTS, change=set_status(403)),
    ),
    _fault(
        "login-base-open",
        "The version check needs no credentials, and everything else does.",
        ("AUTH-BASE-CHALLENGE",),
        _checking(_open_base),
    ),
    _fault(
        "login-scheme-as-written",
        "The name of a scheme counts as it is written.",
        ("AUTH-SCHEME-CASE-INSENSITIVE",),
        _checking(_scheme_as_written),
    ),
    _fault(
        "login-wrong-password-accepted",
        "Any password will do.",
        ("AUTH-BASIC-WRONG-PASSWORD-401",),
        _checking(_any_credentials),
        "AUTH-TOKEN-INVALID-REFUSED",
    ),
    _fault(
        "login-wrong-password-403",
        "A wrong password is answered 403.",
        ("AUTH-BASIC-WRONG-PASSWORD-401",),
        _checking(_wrong_password_403),
    ),
    _fault(
        "login-refusals-cached",
        "A pull that was refused to one is refused to the next, whoever that is.",
        ("AUTH-VALID-CREDENTIALS-ACCEPTED",),
        _checking(_refusals_cached),
    ),
    _fault(
        "login-realm-relative",
        "The realm of the Bearer challenge of a pull is a path.",
        ("AUTH-CHALLENGE-BEARER-REALM",),
        _refusals(*_READS, change=_rewritten(lambda challenge: challenge.replace('realm="http:', 'realm="'))),
        where="token",
    ),
    _fault(
        "login-without-service",
        "The Bearer challenge names no service.",
        ("AUTH-CHALLENGE-BEARER-SERVICE",),
        _refusals(change=_rewritten(lambda challenge: re.sub(r',service="[^"]*"', "", challenge))),
        where="token",
    ),
    _fault(
        "version-check-gone-once-written",
        "The version check is answered 404 as soon as something was uploaded.",
        ("BASE-V2-STATUS-SET",),
        _gone_once_written,
        where="memory",
    ),
)
