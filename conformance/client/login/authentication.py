"""Answer the target's own challenge: Basic, or Bearer with a token from its token service."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

from conformance.client.http.exchange import Response
from conformance.client.login.challenge import Challenge, parse_challenges
from conformance.client.login.credentials import Credentials
from conformance.client.redaction import Redactor

#: Sends a GET to the token service: URL and headers in, response out.
Fetch = Callable[[str, list[tuple[str, str]]], Response]

_DEFAULT_LIFETIME = 60.0
_LONGEST_LIFETIME = 86_400.0
_MARGIN = 5.0
#: What a request does to a repository; each may need a token of its own, and so may each deletion, by its operation.
PULL, PUSH = "pull", "push"
#: What can stand in a header: visible ASCII.
_TOKEN = re.compile(r"[!-~]+")


class Authenticator:
    """Holds the credentials, and the tokens by scope; knows which challenge the target uses."""

    #: Whether a refusal is answered at all.
    answers = True

    def __init__(self, credentials: Credentials | None, redactor: Redactor, target: str) -> None:
        self.credentials = credentials
        self._redactor = redactor
        self._target = urlsplit(target)
        self._basic_asked = False
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._needs: dict[tuple[str, str], tuple[str, str, str]] = {}
        if credentials is not None:
            redactor.add(credentials.password)
            redactor.add(f"{credentials.username}:{credentials.password}")

    def ahead(self, name: str, action: str) -> str | None:
        """Return the Authorization that earlier answers showed to be wanted, or ``None``."""
        if self._basic_asked and self.credentials:
            return self.credentials.basic()
        key = self._needs.get((name, action))
        pushes = self._needs.get((name, PUSH))
        if key is None and action == PULL and pushes and _pulls(pushes[2], name):
            # A token that lets push and pull is good for both; where it is not, the challenge is answered as ever.
            key = pushes
        return self._cached(key) if key else None

    def answer(
        self, response: Response, name: str, action: str, fetch: Fetch, *, sent: str | None = None, again: bool = False
    ) -> str | None:
        """Return the Authorization that answers a 401's challenge, or ``None`` where none can.

        ``sent`` is what the refused request carried: a token that is refused before its time is not used again.
        ``again`` asks for a token that no other request has used, since tokens may be good for one.
        """
        challenges = parse_challenges(response.headers.all("WWW-Authenticate"), lenient=True) or []
        for challenge in challenges:
            if again and challenge.parameters.get("error") == "insufficient_scope":
                if self._needs.get((name, action)) == self._key(challenge):
                    return None
                # The first challenge did not name all that is needed.
                again = False
            if challenge.scheme == "bearer" and (
                value := self._bearer(challenge, name, action, fetch, sent=sent, again=again)
            ):
                return value
        # A refusal that does not say how to go on is answered as the commonest challenge, so that it can be judged.
        guessed = not challenges and not self._needs
        if self.credentials and (guessed or any(c.scheme == "basic" for c in challenges)):
            self._basic_asked = True
            return self.credentials.basic()
        return None

    def _bearer(
        self, challenge: Challenge, name: str, action: str, fetch: Fetch, *, sent: str | None, again: bool
    ) -> str | None:
        key = self._key(challenge)
        if not key[0]:
            return None
        self._needs[(name, action)] = key
        cached = None if again else self._cached(key)
        return cached if cached and cached != sent else self._fetch(key, fetch, keep=not again)

    def _key(self, challenge: Challenge) -> tuple[str, str, str]:
        """Return what a token is asked for by: where (empty where that is not known), for which service and scope.

        A realm that nobody can ask is judged; the run goes on with that of another challenge.
        """
        realm = challenge.parameters.get("realm", "")
        if not is_address(realm):
            realm = next((known for known, _, _ in self._needs.values()), "")
        return realm, challenge.parameters.get("service", ""), challenge.parameters.get("scope", "")

    def _cached(self, key: tuple[str, str, str]) -> str | None:
        token, until = self._tokens.get(key, ("", 0.0))
        return f"Bearer {token}" if token and time.monotonic() < until else None

    def _fetch(self, key: tuple[str, str, str], fetch: Fetch, keep: bool) -> str | None:
        """Ask the token service with GET (docker/distribution, token authentication, requesting a token)."""
        realm, service, scope = key
        query = [("service", service)] if service else []
        query += [("scope", part) for part in scope.split(" ") if part]
        if self.credentials:
            query.append(("account", self.credentials.username))
        url = realm + ("&" if urlsplit(realm).query else "?") + urlencode(query) if query else realm
        headers = []
        if self.credentials and self._may_learn_password(realm):
            headers.append(("Authorization", self.credentials.basic()))
        answer = fetch(url, headers)
        token, seconds = _read_token(answer)
        if not token:
            return None
        for secret in tokens_in(answer):
            self._redactor.add(secret)
        if keep:
            self._tokens[key] = (token, time.monotonic() + max(seconds - _MARGIN, 0.0))
        return f"Bearer {token}"

    def _may_learn_password(self, realm: str) -> bool:
        """Credentials given for TLS never travel in the clear."""
        return urlsplit(realm).scheme == "https" or self._target.scheme == "http"


class Presented(Authenticator):
    """Sends one Authorization with every request, or none, and answers no challenge."""

    answers = False

    def __init__(self, authorization: str | None, redactor: Redactor, target: str) -> None:
        super().__init__(None, redactor, target)
        self._authorization = authorization

    def ahead(self, name: str, action: str) -> str | None:
        """Return it."""
        return self._authorization

    def answer(self, *_: object, **__: object) -> None:
        """Take a refusal as it is."""


def _pulls(scope: str, name: str) -> bool:
    """Whether the scope of a challenge has the action pull on a repository; that of a mount names two of them."""
    mine = (
        part.removeprefix(f"repository:{name}:") for part in scope.split(" ") if part.startswith(f"repository:{name}:")
    )
    return any("pull" in actions.split(",") for actions in mine)


def is_address(url: str) -> bool:
    """Whether a realm is the URL of a server that can be asked."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read_token(answer: Response) -> tuple[str, float]:
    document = answer.json if answer.ok else None
    if not isinstance(document, dict):
        return "", 0.0
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return "", 0.0
    seconds = document.get("expires_in")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds <= 0:
        seconds = _DEFAULT_LIFETIME
    # A number of JSON may be larger than any of a clock.
    return token, float(min(seconds, _LONGEST_LIFETIME))


def tokens_in(answer: Response) -> Iterator[str]:
    """Give every token of an answer, used or not."""
    document = answer.json if isinstance(answer.json, dict) else {}
    yield from (value for name, value in document.items() if _is_token(name) and isinstance(value, str))


def _is_token(name: str) -> bool:
    """Whether a member has a token, and not its type (RFC 6749, section 5.1; RFC 8693, section 2.2.1)."""
    return "token" in name.lower() and not name.lower().endswith("_type")


def redact_token_body(body: bytes) -> bytes:
    """Return a token service's answer with its tokens removed, for the record."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return b"(removed)" if body else b""
    if not isinstance(document, dict):
        return b"(removed)"
    hidden = {k: _hidden(v) if _is_token(k) else v for k, v in document.items()}
    return json.dumps(hidden).encode()


def _hidden(value: object) -> object:
    """Nothing of a secret but its type, and whether there is any."""
    if isinstance(value, str) and value:
        return "(removed)"
    return type(value)() if isinstance(value, (str, int, float, list, dict)) else None
