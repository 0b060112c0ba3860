"""What a request of a registry is authorised by: basic logins, and bearer tokens for each scope."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from reference.dist.errors import DeniedError, DistError
from reference.dist.logins import Login

_SCHEME = re.compile(r"(?:^|,)\s*(basic|bearer)(?:\s+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
#: A token that says nothing lasts so long, by the specification of Docker; each is renewed a little earlier.
_LASTS, _EARLIER = 60, 10
_CLIENT = "dist"

#: Sends method, URL, headers and body to a token service; gives status and body.
Send = Callable[[str, str, dict[str, str], bytes | None], tuple[int, bytes]]


class Authorizer:
    """The header ``Authorization`` for one registry; several threads may ask at once.

    Args:
        origin: scheme, host and port of the registry.
        name: how the registry is called in errors.
        find: finds the login, when it is first needed.
        send: asks a token service.
    """

    def __init__(self, origin: str, name: str, find: Callable[[], Login | None], send: Send) -> None:
        self._origin, self._name, self._find, self._send = origin, name, find, send
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._looked = False
        self._scheme = ""
        self._asked: dict[str, str] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def header(self, scope: str) -> str | None:
        """The value for a request with a scope, or None while the registry wants none."""
        with self._lock:
            if self._scheme == "basic":
                return self._basic()
            if self._scheme != "bearer":
                return None
            token, until = self._tokens.get(scope, ("", 0.0))
            return f"Bearer {token if time.monotonic() < until else self._fetch(scope, scope)}"

    def challenged(self, header: str, scope: str, used: str | None) -> None:
        """Do what a 401 asks for; ``used`` was sent, and did not do.

        Raises:
            DeniedError: there is no login, or it was refused.
        """
        challenges = _challenges(header)
        with self._lock:
            if "bearer" in challenges:
                self._scheme, self._asked = "bearer", challenges["bearer"]
                if used and used != f"Bearer {self._tokens.get(scope, ('', 0.0))[0]}":
                    return  # another thread has a newer one
                wanted = [*scope.split(), *self._asked.get("scope", "").split()]
                self._fetch(scope, " ".join(dict.fromkeys(wanted)))
                return
            if "basic" not in challenges:
                raise DeniedError(f"{self._name}: 401 without a challenge of Basic or Bearer")
            self._scheme = "basic"
            if used or self._basic() is None:
                raise self._refused()

    def _known(self) -> Login | None:
        if not self._looked:
            self._login, self._looked = self._find(), True
        return self._login

    def _basic(self) -> str | None:
        login = self._known()
        if login is None or login.identity:
            return None
        return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()

    def _refused(self) -> DeniedError:
        if self._known() is None:
            return DeniedError(f"{self._name}: a login is needed: dist login {self._name}")
        return DeniedError(f"{self._name}: the login was refused")

    def _fetch(self, scope: str, wanted: str) -> str:
        """Get a token for a scope, and keep it."""
        realm = self._asked.get("realm", "")
        if urlsplit(realm).scheme not in ("http", "https"):
            raise DeniedError(f"{self._name}: the challenge names no token service")
        login = self._known()
        if login and self._origin.startswith("https:") and not realm.startswith("https:"):
            raise DeniedError(f"{self._name}: the token service has no TLS, so it does not get the login")
        query = [("service", self._asked["service"])] if "service" in self._asked else []
        headers, body = {}, None
        if login and login.identity:
            form = [*query, ("client_id", _CLIENT), ("grant_type", "refresh_token")]
            form += [("scope", wanted), ("refresh_token", login.identity)]
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        else:
            query += [("scope", part) for part in wanted.split()]
            if basic := self._basic():
                query.append(("account", login.user if login else ""))
                headers["Authorization"] = basic
            realm += ("&" if "?" in realm else "?") + urlencode(query)
        status, answer = self._send("POST" if body else "GET", realm, headers, body)
        if status in (400, 401, 403):
            raise self._refused()
        if status != 200:
            raise DistError(f"{self._name}: the token service answered with {status}")
        token, lasts = _token(answer)
        if not token:
            raise DistError(f"{self._name}: no token came from the token service")
        self._tokens[scope] = (token, time.monotonic() + max(lasts - _EARLIER, 1))
        return token


def _token(body: bytes) -> tuple[str, float]:
    try:
        document = json.loads(body)
    except ValueError:
        return "", 0
    members: Mapping[str, Any] = document if isinstance(document, dict) else {}
    token, lasts = members.get("token") or members.get("access_token"), members.get("expires_in")
    good = isinstance(token, str) and token.isascii() and token.isprintable()
    return str(token) if good else "", lasts if isinstance(lasts, int) else _LASTS


def _challenges(header: str) -> dict[str, dict[str, str]]:
    """The parameters of each scheme of a ``WWW-Authenticate``."""
    found = list(_SCHEME.finditer(header))
    ends = [match.start() for match in found[1:]] + [len(header)]
    result = {}
    for match, end in zip(found, ends, strict=True):
        pairs = _PARAMETER.findall(header[match.end() : end])
        result[match[1].lower()] = {k.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for k, quoted, plain in pairs}
    return result
