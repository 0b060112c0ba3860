"""Requests to one registry: authorised, tried again, redirected without the login, and refused in words."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from reference.dist.errors import BrokenError, DeniedError, DistError, NotFoundError, RegistryError, UsageError
from reference.dist.logins import Login
from reference.dist.names import Place
from reference.dist.tokens import Authorizer

Answer = urllib3.BaseHTTPResponse
_HOPS, _INTERIM = 5, 20
_LATER = (429, 500, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
_ERROR_LIMIT = 64 << 10
_LOOPBACK = ("localhost", "127.", "[::1]")
#: The longest wait that a registry may ask for.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How registries are reached.

    Args:
        plain_http: HTTP for hosts without scheme; else HTTPS, but for a loopback address.
        insecure: take any certificate.
        ca_file: certificates of authorities, as PEM; else those of the system.
        logins: the file of logins; else Docker's.
        jobs: how many requests at once.
        retries: how often in a row without progress.
        timeout: seconds until a silent connection is given up.
        pause: seconds before the first retry; each further takes twice as long.
        chunk: bytes of a blob in one request.
    """

    plain_http: bool = False
    insecure: bool = False
    ca_file: Path | None = None
    logins: Path | None = None
    jobs: int = 6
    retries: int = 5
    timeout: float = 60.0
    pause: float = 0.3
    chunk: int = 128 << 20


class _Response(http.client.HTTPResponse):
    """Passes over 103 and other interim answers, as RFC 9110 wants it; http.client knows but 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # it is not in the stubs
            if not 100 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("interim answers without end")


class _Plain(urllib3.HTTPConnectionPool):
    class ConnectionCls(HTTPConnection):
        response_class = _Response


class _Secure(urllib3.HTTPSConnectionPool):
    class ConnectionCls(HTTPSConnection):
        response_class = _Response


class Transport:
    """One registry, over connections that are kept; several threads may use it at once."""

    def __init__(self, place: Place, options: Options, find: Callable[[str], Login | None]) -> None:
        plain = options.plain_http or (
            place.address.startswith(_LOOPBACK) and not options.ca_file and not options.insecure
        )
        self.origin = f"{place.scheme or ('http' if plain else 'https')}://{place.address}"
        self.name, self.options, self._met = place.host, options, False
        if options.ca_file and not options.ca_file.is_file():
            raise UsageError(f"--ca-file: {options.ca_file}: no such file")
        try:
            context = ssl.create_default_context(cafile=options.ca_file)
        except ssl.SSLError:
            raise UsageError(f"--ca-file: {options.ca_file}: no certificates in PEM") from None
        if options.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._pool = _manager(
            self.origin,
            num_pools=8,
            maxsize=options.jobs,
            timeout=urllib3.Timeout(connect=min(options.timeout, 10), read=options.timeout),
            ssl_context=context,
            headers={"User-Agent": "dist", "Accept-Encoding": "identity"},
        )
        self._pool.pool_classes_by_scheme = {"http": _Plain, "https": _Secure}
        self._auth = Authorizer(self.origin, self.name, lambda: find(place.host), self._token)

    def request(
        self,
        method: str,
        target: str,
        *,
        scope: str,
        ok: Sequence[int] = (200,),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request that may be repeated; the answer's body is not read yet.

        Raises:
            DeniedError: 401 or 403.
            NotFoundError: 404.
            RegistryError: another answer than those of ``ok``, or none.
        """
        for attempt in range(self.options.retries + 1):
            last = attempt == self.options.retries
            try:
                answer = self._follow(method, target, scope, dict(headers or {}), body)
            except (HTTPError, OSError) as error:
                # Who never answered is given up soon: the host may be mistyped.
                if last or _final(error) or (attempt and not self._met):
                    raise BrokenError(f"{self.name}: {_words(error)}") from None
            else:
                self._met = True
                if answer.status in ok:
                    return answer
                if last or answer.status not in _LATER:
                    raise self.refusal(answer, f"{method} {urlsplit(target).path}")
                self._wait(answer)
                drop(answer)
            time.sleep(self.pause(attempt))
        raise AssertionError

    def stream(
        self, method: str, target: str, *, scope: str, headers: Mapping[str, str], body: Iterable[bytes]
    ) -> Answer:
        """Send a body that cannot be repeated here.

        Raises:
            BrokenError: the connection broke, or the request has to be sent again.
        """
        url, extra = urljoin(self.origin, target), dict(headers)
        used = self._auth.header(scope) if self._own(url) else None
        if used:
            extra["Authorization"] = used
        try:
            answer = self._send(method, url, extra, body)
        except (HTTPError, OSError) as error:
            raise BrokenError(f"{self.name}: {_words(error)}") from None
        if answer.status == 401 and self._own(url):
            drop(answer)
            self._auth.challenged(answer.headers.get("WWW-Authenticate", ""), scope, used)
            raise BrokenError(f"{self.name}: the login was refused during an upload")
        if answer.status in _LATER:
            self._wait(answer)
            drop(answer)
            raise BrokenError(f"{self.name}: {method} {urlsplit(target).path} was answered with {answer.status}")
        return answer

    def read(self, answer: Answer, limit: int, what: str) -> bytes:
        """Read a body to its end; raise RegistryError where it is longer than a limit in bytes, or breaks."""
        try:
            body = bytearray()
            while block := answer.read(min(limit + 1 - len(body), 1 << 20)):
                body += block
                if len(body) > limit:
                    answer.close()
                    raise RegistryError(f"{self.name}: {what} has more than {limit} bytes")
        except (HTTPError, OSError) as error:
            raise BrokenError(f"{self.name}: {what}: {_words(error)}") from None
        return bytes(body)

    def refusal(self, answer: Answer, what: str) -> DistError:
        """An error for an answer, with what the registry says of it."""
        try:
            errors = json.loads(answer.read(_ERROR_LIMIT) or b"null")["errors"]
            told = "; ".join(f"{one.get('code')}: {one.get('message')}" for one in errors[:3])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, HTTPError, OSError):
            told = ""
        answer.close()
        told = "".join(c if c.isprintable() else "?" for c in told[:500])
        kind = {401: DeniedError, 403: DeniedError, 404: NotFoundError}.get(answer.status, RegistryError)
        return kind(f"{self.name}: {what} was answered with {answer.status}{f' ({told})' if told else ''}")

    def pause(self, attempt: int) -> float:
        """How long to wait after a failure, in seconds."""
        return min(self.options.pause * 2.0**attempt, _PATIENCE)

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _follow(self, method: str, target: str, scope: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """Send it, after a challenge once more, and after redirects where they lead to."""
        url, challenged = urljoin(self.origin, target), False
        for _ in range(_HOPS + 1):
            sent = dict(headers)
            used = self._auth.header(scope) if self._own(url) else None
            if used:
                sent["Authorization"] = used
            answer = self._send(method, url, sent, body)
            if answer.status == 401 and self._own(url) and (not challenged or (used or "").startswith("Basic")):
                challenged = True
                drop(answer)
                self._auth.challenged(answer.headers.get("WWW-Authenticate", ""), scope, used)
            elif answer.status in _MOVED and "Location" in answer.headers:
                if answer.status < 307 and method not in ("GET", "HEAD"):
                    return answer
                drop(answer)
                url = self.joined(url, answer.headers["Location"])
            else:
                return answer
        raise RegistryError(f"{self.name}: {method} {urlsplit(target).path} is redirected without end")

    def joined(self, url: str, location: str) -> str:
        """Where a Location leads; raise RegistryError where that is no HTTP, or gives TLS up."""
        try:
            found = urljoin(url, location)
            parts = urlsplit(found)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise RegistryError(f"{self.name}: a Location leads to what is not followed")
        if url.startswith("https:") and parts.scheme == "http":
            raise RegistryError(f"{self.name}: a Location leads from https:// to http://, which is not followed")
        return found

    def _own(self, url: str) -> bool:
        parts, own = urlsplit(url), urlsplit(self.origin)
        default = {"http": 80, "https": 443}
        return (parts.scheme, parts.hostname, parts.port or default.get(parts.scheme)) == (
            own.scheme,
            own.hostname,
            own.port or default[own.scheme],
        )

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | Iterable[bytes] | None) -> Answer:
        return self._pool.request(
            method,
            url,
            headers={**self._pool.headers, **headers},
            body=body,
            preload_content=False,
            decode_content=False,
            redirect=False,
            retries=False,
        )

    def _token(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
        for attempt in range(self.options.retries + 1):
            try:
                answer = self._send(method, url, headers, body)
                told = self.read(answer, 1 << 20, "a token")
                if answer.status not in _LATER or attempt == self.options.retries:
                    return answer.status, told
                self._wait(answer)
            except (HTTPError, OSError, BrokenError) as error:
                if attempt == self.options.retries:
                    raise RegistryError(f"{self.name}: the token service: {_words(error)}") from None
            time.sleep(self.pause(attempt))
        raise AssertionError

    def _wait(self, answer: Answer) -> None:
        after = answer.headers.get("Retry-After", "")
        if after.isascii() and after.isdigit():
            time.sleep(min(float(after), _PATIENCE))


def _manager(origin: str, **how: Any) -> urllib3.PoolManager:
    """Connections to a registry; through the proxy of the environment, if it names one for it."""
    parts = urlsplit(origin)
    proxy = getproxies().get(parts.scheme)
    if not proxy or parts.netloc.startswith(_LOOPBACK) or proxy_bypass(parts.netloc):
        return urllib3.PoolManager(**how)
    try:
        login = urllib3.util.parse_url(proxy).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **how)
    except (HTTPError, ValueError):
        raise UsageError(f"{parts.scheme}_proxy: the address of the proxy is wrong") from None


def drop(answer: Answer) -> None:
    """Let an answer go whose body is not wanted; its connection is kept where that costs little."""
    with suppress(HTTPError, OSError):
        answer.read(_ERROR_LIMIT)
    answer.close()


def _final(error: BaseException) -> bool:
    """Whether trying again cannot help."""
    return isinstance(error, urllib3.exceptions.SSLError | urllib3.exceptions.LocationValueError | ssl.SSLError)


def _words(error: BaseException) -> str:
    """An error of the network without addresses and queries, which may have secrets."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and seen.reason:
            return f"TLS failed ({getattr(seen, 'verify_message', '') or seen.reason})"
        if isinstance(seen, urllib3.exceptions.NameResolutionError):
            return "there is no such host"
        if isinstance(seen, OSError) and seen.strerror:
            return f"the connection failed ({seen.strerror})"
        seen = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer came in time"
    return "the connection broke"
