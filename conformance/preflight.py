"""Before anything is judged: is there a registry, and does it let us in?"""

from __future__ import annotations

import pytest

from .client.challenge import parse_challenges
from .client.exchange import Response
from .session import Session

_HINTS = {
    301: "it redirects elsewhere",
    302: "it redirects elsewhere",
    307: "it redirects elsewhere",
    308: "it redirects elsewhere",
    404: "nothing is there",
}
_REDIRECT = range(300, 400)


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
        hint = "; give --ca-bundle FILE or --insecure" if "not trusted" in answer.failure else ""
        raise pytest.UsageError(f"--registry-url: {url}: {answer.failure}{hint}")
    if answer.status == 401:  # noqa: PLR2004  # Unauthorized
        raise pytest.UsageError(_login_sentence(session, answer))
    if answer.status == 403 and session.settings.credentials:  # noqa: PLR2004  # Forbidden
        raise pytest.UsageError(f"--username: {url} refuses this login (status 403 to /v2/)")
    if answer.status != 200:  # noqa: PLR2004  # OK
        hint = _HINTS.get(answer.status, "the server has a fault" if answer.status >= 500 else "it refuses")  # noqa: PLR2004
        raise pytest.UsageError(f"--registry-url: {url} is not a registry: {hint} (status {answer.status} to /v2/)")
    if answer.media_type == "text/html" and "Docker-Distribution-API-Version" not in answer.headers:
        raise pytest.UsageError(f"--registry-url: {url} is not a registry: it answers /v2/ with a web page")


def _stays(answer: Response, url: str) -> bool:
    location = answer.header("Location") or ""
    return location.startswith(("/v2", url + "/v2"))


def _login_sentence(session: Session, answer: Response) -> str:
    url, credentials = session.settings.url, session.settings.credentials
    if credentials:
        return f"--username: {url} does not accept the user name or password (status 401 to /v2/)"
    challenges = parse_challenges(answer.headers.all("WWW-Authenticate")) or []
    schemes = ", ".join(sorted({c.scheme.capitalize() for c in challenges})) or "no scheme that is understood"
    return (
        f"--username: {url} asks for a login ({schemes}); give --username and REGISTRY_PASSWORD, or --docker-config"
    )
