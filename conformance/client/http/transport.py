"""Send one request and read one response: pooled connections, bounded reads, total time limits."""

from __future__ import annotations

import hashlib
import math
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import requests
import urllib3
from requests.hooks import default_hooks
from requests.utils import get_environ_proxies, select_proxy

from conformance.client.http.adapter import Adapter, Fields
from conformance.client.http.exchange import Headers, Response
from conformance.client.http.interim import lift
from conformance.client.http.pace import Pace

#: What a scenario sends: bytes, nothing, or a function that gives the pieces anew for each attempt.
Payload = bytes | Callable[[], Iterable[bytes]] | None

#: More than this of a response is never read into memory, and more than that of one that is not kept never at all.
MAX_BODY = 16 * 1024 * 1024
_MAX_STREAM = 80 * 1024 * 1024
#: Bytes of an error, which has a few sentences.
_MAX_ERROR = 1024 * 1024
#: What is said of a request for which the run had no time left.
OVER = "the time of --max-time was over"
_PIECE = 64 * 1024


class TransportError(Exception):
    """No whole response could be had: the sentence says why, without credentials.

    ``partial`` is what had come where the body ended before its announced end.
    """

    def __init__(self, reason: str, partial: Response | None = None) -> None:
        super().__init__(reason)
        self.partial = partial


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to reach the target: seconds for a request, and which certificates to trust."""

    timeout: float = 10.0
    ca_bundle: str | None = None
    insecure: bool = False
    pool: int = 16


def unusable_authorities(path: str) -> str:
    """Return in a few words why no certificates to trust can be read from a file; empty where they can."""
    try:
        if not Path(path).is_dir():  # a folder of hashed certificates is only looked into when one is wanted
            ssl.create_default_context(cafile=path)
    except OSError as error:
        # ssl.SSLError is one too, and has no message of the operating system.
        return "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else str(error.strerror)
    return ""


class Transport:
    """HTTP over pooled connections of ``requests``; no cookies, no redirects, no decoding."""

    def __init__(self, options: TransportOptions, user_agent: str) -> None:
        self.options = options
        #: The moment of the monotonic clock after which nothing is sent.
        self.until = math.inf
        #: How fast requests are sent; who sends one waits for its turn before.
        self.pace = Pace()
        self._user_agent = user_agent
        self.reconnect()
        self._proxies: dict[str, dict[str, str]] = {}
        if options.insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def reconnect(self) -> None:
        """Forget all connections without a word on them, as a process must that was forked: they are another's."""
        self._adapter = Adapter(pool_connections=8, pool_maxsize=self.options.pool, max_retries=0)

    @property
    def over(self) -> bool:
        """Whether the time of the run is over."""
        return time.monotonic() > self.until

    def close(self) -> None:
        """Close all pooled connections."""
        self._adapter.close()

    def send(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        payload: Payload = None,
        *,
        stream: bool = False,
        max_body: int | None = None,
    ) -> Response:
        """Send a request to an absolute URL, taken as it stands, and read the whole response.

        With ``stream`` the body is digested piece by piece and not kept.

        Raises:
            TransportError: no connection, a broken or endless answer, or no time.
        """
        if self.over:
            raise TransportError(OVER)
        if max_body is None:
            max_body = _MAX_STREAM if stream else MAX_BODY
        prepared = self._prepare(method, url, headers, payload)
        deadline = time.monotonic() + self.options.timeout
        try:
            raw = self._adapter.send_raw(
                prepared, timeout=self.options.timeout, verify=self._verify(), proxies=self._proxies_for(url)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise TransportError(explain(error)) from None
        try:
            return self._read(raw, stream=stream, max_body=max_body, deadline=deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if lift(raw):
                raise TransportError("the time-out passed before the response body ended") from None
            raise TransportError(explain(error)) from None
        finally:
            lift(raw)
            raw.close()
            raw.release_conn()

    def _prepare(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], payload: Payload
    ) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        fields = Fields(headers)
        fields.add("Accept-Encoding", "identity")
        fields.add("User-Agent", self._user_agent)
        body: bytes | Iterator[bytes] | None
        if callable(payload):
            body = iter(payload())
        else:
            body = payload
            if payload is not None or method in {"POST", "PUT", "PATCH"}:
                fields.add("Content-Length", str(len(payload or b"")))
                body = payload or b""
        # Set member by member: requests' own preparation would rewrite the URL and merge headers.
        prepared.method, prepared.url, prepared.body = method, url, body  # type: ignore[assignment]  # see above
        prepared.headers = fields  # type: ignore[assignment]  # keeps repeated fields apart
        prepared.hooks = default_hooks()
        return prepared

    def _verify(self) -> bool | str:
        if self.options.insecure:
            return False
        return self.options.ca_bundle or True

    def _proxies_for(self, url: str) -> dict[str, str]:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        if origin not in self._proxies:
            proxies = get_environ_proxies(url)
            self._proxies[origin] = proxies if select_proxy(url, proxies) else {}
        return self._proxies[origin]

    @staticmethod
    def _read(source: urllib3.BaseHTTPResponse, *, stream: bool, max_body: int, deadline: float) -> Response:
        if source.status >= 400:
            max_body = min(max_body, _MAX_ERROR)
        pieces: list[bytes] = []
        size = 0
        digest = hashlib.sha256()
        cut = ""
        while True:
            try:
                piece = source.read1(_PIECE, decode_content=False)
            except urllib3.exceptions.ProtocolError as error:
                cut = explain(error)
                break
            if not piece:
                break
            size += len(piece)
            if time.monotonic() > deadline:
                raise TransportError(f"the time-out passed before the response body ended ({size} bytes had come)")
            if size > max_body:
                raise TransportError(f"the response body is longer than {max_body} bytes")
            if stream:
                digest.update(piece)
            else:
                pieces.append(piece)
            if source.length_remaining == 0:
                break
        if lift(source):
            raise TransportError(f"the time-out passed before the response body ended ({size} bytes had come)")
        missing = getattr(source, "length_remaining", None) or 0
        response = Response(
            status=source.status,
            reason=source.reason or "",
            headers=Headers(source.headers.items()),
            body=b"".join(pieces),
            size=size,
            digest="sha256:" + digest.hexdigest() if stream else "",
            streamed=stream,
        )
        if missing:
            raise TransportError(f"the body ended {missing} bytes before its Content-Length", response)
        if cut:
            raise TransportError("the body broke off before its end", response)
        return response


def proxy_secrets() -> Iterator[str]:
    """Give the passwords in the URLs of the proxies that the environment names, well formed or not."""
    for url in getproxies().values():
        name, colon, password = url.rpartition("@")[0].rpartition("//")[2].partition(":")
        if colon:
            yield password
            yield unquote(password)
            yield f"{unquote(name)}:{unquote(password)}"


def explain(error: BaseException) -> str:
    """Return one sentence on a failure of the connection; never a URL, which might hold a secret."""
    text = f"{type(error).__name__} {error}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of the server is not trusted ({cause.verify_message})"
        if isinstance(cause, TransportError):
            return str(cause)
        cause = _inner(cause)
    if "NameResolutionError" in text or "gaierror" in text or "Name or service not known" in text:
        return "the host name does not resolve"
    if "Connection refused" in text:
        return "the connection was refused"
    if "timed out" in text.lower():
        return "the time-out passed without an answer"
    if "SSL" in text:
        return "the TLS handshake failed"
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.ProtocolError, OSError)):
        return "the connection broke before a whole answer had come"
    return f"the answer could not be read ({type(error).__name__})"


def _inner(error: BaseException) -> BaseException | None:
    """Return the next error behind this one: its cause, its reason, or its first argument."""
    for candidate in (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__):
        if isinstance(candidate, BaseException) and candidate is not error:
            return candidate
    return None
