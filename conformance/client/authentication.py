"""Answer the target's own challenge: Basic, or Bearer with a token from its token service."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from .challenge import Challenge, parse_challenges
from .credentials import Credentials
from .exchange import Response
from .redaction import Redactor

#: Sends a GET to the token service: URL and headers in, response out.
Fetch = Callable[[str, list[tuple[str, str]]], Response]

_DEFAULT_LIFETIME = 60.0
_MARGIN = 5.0
#: What can stand in a header: visible ASCII.
_TOKEN = re.compile(r"[!-~]+")


class Authenticator:
    """Holds the credentials, and the tokens by scope; knows which challenge the target uses."""

    def __init__(self, credentials: Credentials | None, redactor: Redactor, target: str) -> None:
        self.credentials = credentials
        self._redactor = redactor
        self._target = urlsplit(target)
        self._basic_asked = False
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._needs: dict[tuple[str, bool], tuple[str, str, str]] = {}
        if credentials is not None:
            redactor.add(credentials.password)
            redactor.add(f"{credentials.username}:{credentials.password}")

    def ahead(self, name: str, writes: bool) -> str | None:
        """Return the Authorization that earlier answers showed to be wanted, or ``None``."""
        if self._basic_asked and self.credentials:
            return self.credentials.basic()
        key = self._needs.get((name, writes))
        return self._cached(key) if key else None

    def answer(self, response: Response, name: str, writes: bool, fetch: Fetch, sent: str | None = None) -> str | None:
        """Return the Authorization that answers a 401's challenge, or ``None`` where none can.

        ``sent`` is what the refused request carried: a token that is refused before its time is not used again.
        """
        challenges = parse_challenges(response.headers.all("WWW-Authenticate"), lenient=True) or []
        for challenge in challenges:
            if challenge.scheme == "bearer" and (value := self._bearer(challenge, name, writes, fetch, sent)):
                return value
        if self.credentials and any(c.scheme == "basic" for c in challenges):
            self._basic_asked = True
            return self.credentials.basic()
        return None

    def _bearer(self, challenge: Challenge, name: str, writes: bool, fetch: Fetch, sent: str | None) -> str | None:
        realm = challenge.parameters.get("realm", "")
        if not _is_address(realm):
            return None
        key = (realm, challenge.parameters.get("service", ""), challenge.parameters.get("scope", ""))
        self._needs[(name, writes)] = key
        cached = self._cached(key)
        return cached if cached and cached != sent else self._fetch(key, fetch)

    def _cached(self, key: tuple[str, str, str]) -> str | None:
        token, until = self._tokens.get(key, ("", 0.0))
        return f"Bearer {token}" if token and time.monotonic() < until else None

    def _fetch(self, key: tuple[str, str, str], fetch: Fetch) -> str | None:
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
        self._redactor.add(token)
        self._tokens[key] = (token, time.monotonic() + max(seconds - _MARGIN, 0.0))
        return f"Bearer {token}"

    def _may_learn_password(self, realm: str) -> bool:
        """Credentials given for TLS never travel in the clear."""
        return urlsplit(realm).scheme == "https" or self._target.scheme == "http"


def _is_address(url: str) -> bool:
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
    lifetime = float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else _DEFAULT_LIFETIME
    return token, lifetime


def redact_token_body(body: bytes) -> bytes:
    """Return a token service's answer with its tokens removed, for the record."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return b"(removed)" if body else b""
    if not isinstance(document, dict):
        return b"(removed)"
    hidden = {k: "(removed)" if "token" in k.lower() else v for k, v in document.items()}
    return json.dumps(hidden).encode()
