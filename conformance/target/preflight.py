"""Before anything is judged: is there a registry, and does it let us in?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from conformance.client.http.exchange import OVERLOADED, Response
from conformance.client.login.challenge import parse_challenges
from conformance.target.session import Session

#: Statuses that say that there are no pushes: of the method, of this client, or to this repository.
_NO_PUSH = frozenset({401, 403, 404, 405, 501})
_REDIRECT = range(300, 400)
#: What may be repeated of a redirect's target: an origin, no path and no query, which may hold a session.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(?=/|\Z)")


def check(session: Session) -> None:
    """Ask for ``/v2/`` as the target's owner would.

    Raises:
        UsageError: one sentence that names the option and the cause.
    """
    url = session.settings.url
    answer = session.registry.base(follow=False)
    if answer.status in _REDIRECT and _stays(answer, url):
        answer = session.registry.base()
    if answer.failure:
        raise pytest.UsageError(f"--registry-url: {url}: {answer.failure}{_advice(answer.failure)}")
    if answer.status == 401:  # Unauthorized
        raise pytest.UsageError(_login_sentence(session, answer))
    if answer.status == 403 and session.settings.credentials:  # Forbidden
        raise pytest.UsageError(f"--username: {url} refuses this login (status 403 to /v2/)")
    if answer.status in OVERLOADED:
        raise pytest.UsageError(
            f"--registry-url: {url} is overloaded, try again later (status {answer.status} to /v2/)"
        )
    if not answer.ok:
        raise pytest.UsageError(
            f"--registry-url: {url} is not a registry: {_cause(answer)} (status {answer.status} to /v2/)"
        )
    if answer.media_type == "text/html" and "Docker-Distribution-API-Version" not in answer.headers:
        raise pytest.UsageError(f"--registry-url: {url} is not a registry: it answers /v2/ with a web page")


def check_push(session: Session, name: str, start: Response) -> None:
    """Look at the answer to the first start of an upload.

    Raises:
        UsageError: the target, or this login, takes no pushes here, so that hardly anything could be decided.
    """
    settings = session.settings
    if settings.existing or start.status not in _NO_PUSH:
        return
    told = f"(status {start.status} to the start of an upload in {name})"
    if start.status in {401, 403}:
        option = "--username" if settings.credentials else "--read-only"
        raise pytest.UsageError(
            f"{option}: {settings.url} takes no push of this client {told}; "
            "give a login that may, name a place with --namespace or --repository, or --read-only --existing NAME:TAG"
        )
    if start.status == 404:  # Not Found
        there = "is not there" if settings.repositories else "is not made by a push"
        raise pytest.UsageError(
            f"--repository: the repository {there} {told}; make repositories, and name each with --repository NAME"
        )
    raise pytest.UsageError(
        f"--read-only: {settings.url} takes no pushes {told}; name content that is there with --existing NAME:TAG, "
        "and give --read-only where no write may be tried"
    )


def _stays(answer: Response, url: str) -> bool:
    location = answer.header("Location") or ""
    return location.startswith(("/v2", url + "/v2"))


def _advice(failure: str) -> str:
    if "not trusted" in failure:
        return "; give --ca-bundle FILE or --insecure"
    return "; perhaps it speaks http:// only" if "handshake" in failure else ""


def _cause(answer: Response) -> str:
    if answer.status in _REDIRECT:
        elsewhere = _ORIGIN.match(answer.header("Location") or "")
        return f"it redirects to {elsewhere[0] if elsewhere else 'another page'}"
    if answer.status == 404:  # Not Found
        return "nothing is there"
    return "the server has a fault" if answer.status >= 500 else "it refuses"  # 5xx


def _login_sentence(session: Session, answer: Response) -> str:
    url, credentials = session.settings.url, session.settings.credentials
    for exchange in answer.trail:
        status = exchange.response.status if exchange.response else 0
        if exchange.operation.startswith("token.") and status not in {400, 401, 403}:
            parts = urlsplit(exchange.request.url)
            service = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            what = exchange.error or (f"status {status}" + (" without a token" if status == 200 else ""))
            return f"--registry-url: the token service {service} of {url} gives no token: {what}"
    if credentials:
        return f"--username: {url} does not accept the user name or password (status 401 to /v2/)"
    challenges = parse_challenges(answer.headers.all("WWW-Authenticate"), lenient=True) or []
    schemes = ", ".join(sorted({c.scheme.capitalize() for c in challenges})) or "no scheme that is understood"
    return f"--username: {url} asks for a login ({schemes}); give --username and REGISTRY_PASSWORD, or --docker-config"
