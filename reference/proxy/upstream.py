"""Requests to the registry behind a cache, with its login."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from reference.health.services import Redirects
from reference.settings import Proxy

#: Seconds without a byte after which the upstream is taken for gone.
_TIMEOUT = 15.0
_THREADS = 16
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_TOKEN_BYTES = 1 << 20
#: Seconds before its end when a token is no longer used, and its life where none is told.
_LEEWAY, _LIFE = 10.0, 60.0
#: Repositories whose challenges and tokens are kept.
_REMEMBERED = 1000

T = TypeVar("T")


class Unreachable(Exception):
    """The upstream gave no answer that says anything; the message says what it gave."""


class Refused(Exception):
    """The token service of the upstream does not know the login."""


class Answer(Protocol):
    """What came back: a success or not."""

    status: int
    headers: Any

    def read(self, amount: int = -1, /) -> bytes:
        """The next bytes of the body."""

    def close(self) -> None:
        """Give the connection up."""


class Upstream:
    """One registry. Credentials go to it and to its token service, and to no host that it redirects to."""

    def __init__(self, proxy: Proxy) -> None:
        self._url = proxy.url.rstrip("/")
        self._login = f"{proxy.username}:{proxy.password}" if proxy.username else ""
        self._opener = urllib.request.build_opener(Redirects)
        self._threads = ThreadPoolExecutor(_THREADS, "upstream")
        #: Values of Authorization, and until when they are good, by challenge.
        self._tokens: dict[str, tuple[str, float]] = {}
        #: The challenge that a path was answered with last.
        self._challenges: dict[str, str] = {}

    async def do(self, work: Callable[[], T]) -> T:
        """Do what waits for the upstream, in a thread.

        Raises:
            Unreachable: it gave no answer.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except urllib.error.URLError as error:
            raise Unreachable(str(error.reason)) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def request(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to one request, after a login where one is asked for.

        Raises:
            Refused: the token service does not know the login.
            Unreachable: there was none, or an error of the server.
        """
        answer = await self.do(partial(self._request, method, path, dict(headers or {})))
        if answer.status >= 500:
            answer.close()
            raise Unreachable(f"status {answer.status}")
        return answer

    def _request(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        place = path.partition("?")[0].rsplit("/", 2)[0]
        answer = self._open(method, path, headers, self._authorization(self._challenges.get(place, "")))
        challenge = answer.headers.get("WWW-Authenticate") or ""
        if answer.status != 401 or not challenge:
            return answer
        answer.close()
        if len(self._challenges) >= _REMEMBERED:
            self._challenges.clear()
            self._tokens.clear()
        self._challenges[place] = challenge
        self._tokens.pop(challenge, None)
        return self._open(method, path, headers, self._authorization(challenge))

    def _open(self, method: str, path: str, headers: dict[str, str], authorization: str) -> Answer:
        request = urllib.request.Request(self._url + path, method=method, headers=headers)  # noqa: S310 - http alone
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        try:
            return self._opener.open(request, timeout=_TIMEOUT)  # type: ignore[no-any-return]  # it is for http
        except urllib.error.HTTPError as error:
            return error  # type: ignore[return-value]  # an error is an answer as well, with a status

    def _authorization(self, challenge: str) -> str:
        scheme = challenge.partition(" ")[0].lower()
        if scheme == "basic":
            return self._basic()
        if scheme != "bearer":
            return ""
        token, end = self._tokens.get(challenge, ("", 0.0))
        if time.monotonic() >= end:
            token, life = self._token(dict(_PARAMETER.findall(challenge)))
            self._tokens[challenge] = token, time.monotonic() + life - _LEEWAY
        return f"Bearer {token}"

    def _basic(self) -> str:
        return f"Basic {base64.b64encode(self._login.encode()).decode()}" if self._login else ""

    def _token(self, given: Mapping[str, str]) -> tuple[str, float]:
        """A token by the parameters of a challenge, and its life in seconds."""
        realm = given.get("realm", "")
        if urlsplit(realm).scheme not in ("https", urlsplit(self._url).scheme):
            raise OSError("the token service of the upstream is less secure than itself")
        query = urlencode({key: given[key] for key in ("service", "scope") if key in given})
        request = urllib.request.Request(f"{realm}{'&' if '?' in realm else '?'}{query}")  # noqa: S310 - as above
        if self._login:
            request.add_unredirected_header("Authorization", self._basic())
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                told = json.loads(answer.read(_TOKEN_BYTES))
                return str(told.get("token") or told["access_token"]), float(told.get("expires_in") or _LIFE)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (400, 401, 403):
                raise Refused from error
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OSError("the token service of the upstream gave no token") from error
