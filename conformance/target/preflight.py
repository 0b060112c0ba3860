"""Before anything is judged: is there a registry, and does it let us in?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from conformance.client.bare_connection import speaks_tls
from conformance.client.http.exchange import OVERLOADED, Response
from conformance.client.login.challenge import parse_challenges
from conformance.client.registry import Repository
from conformance.target import existing
from conformance.target.content import ANY_MANIFEST
from conformance.target.lists import all_tags
from conformance.target.session import Session
from conformance.verdict.judge import Verdictless

#: Statuses that say that there are no pushes: of the method, of this client, or to this repository.
_NO_PUSH = frozenset({401, 403, 404, 405, 501})
#: Statuses that say of content that it is not there, or not for this client: refusals, but for
#: those of a busy server.
_NOT_THERE = frozenset(range(400, 500)) - {408, 429}
_REDIRECT = range(300, 400)
#: What may be repeated of a redirect's target: an origin, no path and no query, which may hold a
#: session.
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
    if url.startswith("http://") and _may_be_tls(answer) and speaks_tls(url, session.settings.timeout):
        raise pytest.UsageError(f"--registry-url: {url}: the server speaks TLS there; give https:// for http://")
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


def check_existing(session: Session) -> None:
    """Check that the content of ``--existing`` is there: otherwise its name is a mistake.

    Raises:
        UsageError: neither a pull nor a HEAD nor the list of tags shows it.
    """
    for text in dict.fromkeys(session.settings.existing):
        name, reference = existing.split(text)
        repo = Repository(session.registry, name)
        answer = repo.get_manifest(reference, ANY_MANIFEST)
        # What is no refusal is judged by the scenarios; what is refused and yet is there, too.
        if answer.status in _NOT_THERE and not _shown(repo, reference):
            hidden = ", or not for this login" if answer.status in {401, 403} else ""
            raise pytest.UsageError(
                f"--existing: {text} is not there{hidden} (status {answer.status} to the pull of its manifest from "
                f"{session.settings.url}); name what is, as NAME:TAG or NAME@DIGEST"
            )


def _shown(repo: Repository, reference: str) -> bool:
    """Whether something else than the pull of a manifest shows it."""
    if repo.head_manifest(reference, ANY_MANIFEST).ok:
        return True
    try:
        return ":" not in reference and reference in all_tags(repo)
    except Verdictless:
        return False


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


def _may_be_tls(answer: Response) -> bool:
    """Whether a TLS server answers plain HTTP: unreadable bytes, or status 400."""
    if answer.failure:
        return not any(words in answer.failure for words in ("refused", "time-out", "resolve"))
    return answer.status == 400  # Bad Request


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
