"""Send requests to one target, follow what HTTP asks of every client, and record each exchange."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from conformance.client.http.exchange import OVERLOADED, Exchange, Headers, Request, Response
from conformance.client.http.first_tries import FirstTries
from conformance.client.http.pace import retry_after
from conformance.client.http.transport import Payload, Transport, TransportError, TransportOptions
from conformance.client.login.authentication import PULL, PUSH, Authenticator, redact_token_body
from conformance.client.redaction import REMOVED, Redactor
from spec.model import Withheld

#: Seconds that a target's Retry-After may cost one request with one login.
RETRY_BUDGET = 15.0
_RETRIES = 4
#: How often one request is sent again with other credentials.
_CHALLENGES = 2
#: Seconds to wait after a 429 that does not say how long, at first; then twice as long each time.
_BACKOFF = 0.25
#: Seconds of such waiting in vain, over all requests of a client, after which it waits no more.
_PATIENCE = 10.0
#: Bytes of a list, which has a handful of entries of ours, and of one that may have a hundred thousand of others.
_SHORT, _LONG = 2 * 1024 * 1024, 8 * 1024 * 1024
#: Bytes of a manifest; what registries have to take is shorter.
_MANIFEST = 5 * 1024 * 1024
#: Larger bodies, and those that follow on so many bytes, are recorded by their digest alone: the exchanges of a
#: scenario are kept until its end.
_KEPT, _KEPT_IN_ALL = 1024 * 1024, 8 * 1024 * 1024
_REDIRECTS = 5
_KEEPS_METHOD = frozenset({307, 308})
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "HEAD"})
#: What is before the path of most URLs, whole.
_PLAIN_ORIGIN = re.compile(r"https?://[a-z0-9.:-]+(?=/)")
_OF_THE_TARGET = "another host wants a login, and the credentials are for the target alone"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a scenario, as it means it.

    ``operation`` and ``parameters`` name the operation of the OpenAPI document, ``follow`` whether
    redirects are followed, ``authenticate`` whether credentials may be sent, ``tried`` that a write is sent for
    its refusal, which a target without pushes owes, ``foreign`` that a list may have entries of others.
    """

    method: str
    url: str
    operation: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    payload: Payload = None
    stream: bool = False
    follow: bool = True
    authenticate: bool = True
    max_body: int | None = None
    tried: bool = False
    foreign: bool = False


class WriteForbidden(Exception):
    """A scenario asked for a write that the target's owner did not allow; nothing was sent.

    ``withheld`` is what the owner would have to give.
    """

    def __init__(self, reason: str, withheld: Withheld) -> None:
        super().__init__(reason)
        self.withheld = withheld


class Client:
    """A session with one target; never asserts, never retries but for 401, 429, 503 and a dead connection."""

    def __init__(self, url: str, transport: Transport, authenticator: Authenticator, redactor: Redactor) -> None:
        self.url = url.rstrip("/")
        self.redactor = redactor
        self.exchanges: list[Exchange] = []
        #: No write is ever sent.
        self.read_only = False
        #: The target takes no pushes: no write is sent but for its refusal.
        self.pull_only = False
        #: Header fields that the owner wants with each request to the target; their values are kept secret.
        self.extra: tuple[tuple[str, str], ...] = ()
        self._origin = _origin(self.url)
        self._transport = transport
        self.authenticator = authenticator
        self._started = time.monotonic()
        self._in_vain = 0.0
        self._broken, self._put_off = FirstTries(), FirstTries()
        #: Bytes of the bodies that are kept.
        self._kept = 0

    def send(self, call: Call) -> Response:
        """Send a call and return the final response; status 0 where none came.

        Raises:
            WriteForbidden: the target may only be read, and the method is none that only reads.
        """
        writes = call.method not in _REPEATABLE and call.operation != "token.post"
        if writes and (self.read_only or (self.pull_only and not call.tried)):
            raise WriteForbidden("the target is read-only", Withheld.WRITING)
        trail: list[Exchange] = []
        response = self._attempt(call, trail)
        seen = 0
        while call.follow and response.status in _REDIRECT and "Location" in response.headers and seen < _REDIRECTS:
            following = _next(call, response)
            if following is None:
                break
            seen += 1
            call = following
            response = self._attempt(call, trail)
        response.trail = tuple(trail)
        return response

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    @property
    def over(self) -> bool:
        """Whether the time of the run is over."""
        return self._transport.over

    @property
    def options(self) -> TransportOptions:
        """How the target is reached."""
        return self._transport.options

    @property
    def timeout(self) -> float:
        """Seconds for one request."""
        return self._transport.options.timeout

    def authorization(self, name: str) -> str | None:
        """Return the Authorization for a read in a repository, as far as earlier answers showed one to be wanted."""
        return self.authenticator.ahead(name, PULL)

    def _attempt(self, call: Call, trail: list[Exchange]) -> Response:
        """Send to one URL; challenges are answered."""
        name, action = call.parameters.get("name", ""), _action(call)
        own = call.authenticate and _origin(call.url) == self._origin
        authorization = self.authenticator.ahead(name, action) if own else None
        tokens: list[Response] = []
        for challenged in range(_CHALLENGES + 1):
            response = self._patiently(call, authorization, trail)
            answered = len(trail)
            if not own or challenged == _CHALLENGES:
                break
            challenge = self._challenge(call, response, authorization, trail)
            if challenge is None:
                break
            fresh = self.authenticator.answer(
                challenge,
                name,
                action,
                lambda u, h: self._token(u, h, trail, tokens),
                sent=authorization,
                again=challenged + 1 == _CHALLENGES,
            )
            if fresh is None or fresh == authorization:
                break
            authorization = fresh
        if response.status == 403:
            # Another login was looked for in vain: the refusal is the answer, and its request the last of the trail.
            del trail[answered:]
        if response.status == 401 and call.authenticate:
            response.withheld = _tokenless(tokens) if own else _OF_THE_TARGET
        return response

    def _patiently(self, call: Call, authorization: str | None, trail: list[Exchange]) -> Response:
        """Send to one URL with one login; throttling is obeyed within a budget.

        Who puts off the first of each request to one operation, and only there, has not too much to do.
        """
        waited = 0.0
        put_off: Response | None = None
        for attempt in range(1, _RETRIES + 1):
            response = self._repeatable(call, authorization, trail)
            if attempt == 1:
                put_off = response if response.status == 503 else None  # Service Unavailable
                self._put_off.count(call.operation, failed=put_off is not None)
            pause = retry_after(response)
            if pause is None and response.status == 429 and self._in_vain < _PATIENCE:  # Too Many Requests
                pause = max(_BACKOFF, waited)
            if pause is None or attempt == _RETRIES:
                break
            if waited + pause > RETRY_BUDGET or time.monotonic() + pause > self._transport.until:
                break
            waited += pause
            time.sleep(pause)
        if response.status == 429:
            self._in_vain += waited
        if put_off is not None and response.status not in OVERLOADED and self._put_off.fail_often(call.operation):
            put_off.repeated, response = True, put_off
        return response

    def _challenge(
        self, call: Call, response: Response, authorization: str | None, trail: list[Exchange]
    ) -> Response | None:
        """Return the answer that says which credentials a request needs, or ``None`` where there is none.

        A 403 to a token may mean that it was got for something else (RFC 6750, 3.1); without it, a 401 says for what.
        """
        if not self.authenticator.answers:
            return None
        if response.status == 403 and authorization and authorization.startswith("Bearer "):  # Forbidden
            response = self._patiently(call, None, trail)
        return response if response.status == 401 else None  # Unauthorized

    def _repeatable(self, call: Call, authorization: str | None, trail: list[Exchange]) -> Response:
        """A pooled connection may have died unnoticed: what is safe to repeat is tried twice.

        What fails twice in the same way is the server's doing, unless it answers nothing at all; and so is what
        fails at first again and again.
        """
        response = self._once(call, authorization, trail)
        if call.method not in _REPEATABLE:
            return response
        self._broken.count(call.operation, failed=bool(response.failure))
        if not response.failure or self._own_limit(call, response.failure):
            return response
        first, response = response, self._once(call, authorization, trail)
        if response.failure:
            response.repeated = response.failure == first.failure and self._lives(call.url)
        elif self._broken.fail_often(call.operation, lived=bool(first.status)):
            first.repeated, response = True, first
        return response

    def _own_limit(self, call: Call, failure: str) -> bool:
        """Whether a request failed by a limit of ours, which another attempt would meet again."""
        return self._transport.over or "time-out" in failure or ("longer than" in failure and _is_short(call))

    def _lives(self, url: str) -> bool:
        """Return whether a server answers the simplest of all requests, in whichever way."""
        parts = urlsplit(url)
        simplest = f"{self.url}/v2/" if _origin(url) == self._origin else f"{parts.scheme}://{parts.netloc}/"
        self._transport.pace.wait(self._transport.until)
        try:
            self._transport.send("GET", simplest, self._extra(simplest))
        except TransportError:
            return False
        return True

    def _token(
        self, url: str, headers: list[tuple[str, str]], trail: list[Exchange], answers: list[Response]
    ) -> Response:
        call = Call("GET", url, operation="token.get", headers=(*headers, ("Accept", "application/json")))
        answers.append(self._patiently(call, None, trail))
        return answers[-1]

    def _once(self, call: Call, authorization: str | None, trail: list[Exchange]) -> Response:
        headers = [*call.headers]
        if authorization:
            headers.append(("Authorization", authorization))
        extra = self._extra(call.url)
        self._transport.pace.wait(self._transport.until)
        started = time.monotonic()
        failure = ""
        try:
            response = self._transport.send(
                call.method, call.url, [*headers, *extra], call.payload, stream=call.stream, max_body=_most(call)
            )
        except TransportError as error:
            failure = str(error)
            response = error.partial or Response(0, "", Headers())
            response.failure = failure
        self._transport.pace.heard(response)
        response.url = call.url
        exchange = self._record(call, response, [*headers, *((name, REMOVED) for name, _ in extra)], started)
        trail.append(exchange)
        self.exchanges.append(exchange)
        return response

    def _extra(self, url: str) -> tuple[tuple[str, str], ...]:
        """Return what the owner wants with a request to a URL: nothing where it is another host's."""
        return self.extra if self.extra and _origin(url) == self._origin else ()

    def _keeps(self, size: int) -> bool:
        """Return whether there is room for one more body beside those of the exchanges so far."""
        if not self.exchanges:
            self._kept = 0
        if size > _KEPT or self._kept + size > _KEPT_IN_ALL:
            return False
        self._kept += size
        return True

    def _record(self, call: Call, response: Response, headers: Iterable[tuple[str, str]], started: float) -> Exchange:
        clean = self.redactor
        shown = Headers((name, clean.field(name, value)) for name, value in headers)
        body = call.payload if isinstance(call.payload, bytes) else None
        recorded = response
        if call.operation.startswith("token."):
            recorded = Response(response.status, response.reason, response.headers, redact_token_body(response.body))
        elif not self._keeps(len(response.body)):
            recorded = Response(
                response.status,
                response.reason,
                response.headers,
                size=len(response.body),
                digest=response.content_digest(),
                streamed=True,
            )
        return Exchange(
            operation=call.operation,
            parameters=call.parameters,
            request=Request(call.method, clean.sent(call.url), shown, body, len(body or b"")),
            response=recorded if response.status else None,
            error=response.failure or None,
            started_ms=(started - self._started) * 1000,
            elapsed_ms=(elapsed := time.monotonic() - started) * 1000,
            started_at=time.time() - elapsed,
        )


def _tokenless(answers: list[Response]) -> str:
    """Say that the token service gave nothing to log in with, and denied nothing either; empty where it did."""
    last = answers[-1] if answers else None
    if last is None or (not last.failure and (last.ok or (last.refused and last.status != 429))):
        return ""
    return f"the token service gave no token: {last.failure or f'status {last.status}'}"


def _action(call: Call) -> str:
    """Return what a request does to a repository, as far as it may need another token than the rest."""
    if call.method == "DELETE":
        return call.operation
    # The status of an upload is part of a push: the token for it may not be one to pull with.
    return PULL if call.method in _REPEATABLE and not call.operation.startswith("upload.") else PUSH


def _next(call: Call, response: Response) -> Call | None:
    """Return the call that a redirect asks for, without the operation: its answer belongs to none."""
    try:
        target = urljoin(response.url, response.headers.all("Location")[0])
        if _origin(target)[0] not in {"http", "https"}:
            return None
    except ValueError:
        return None
    method, payload = call.method, call.payload
    if response.status not in _KEEPS_METHOD and method not in {"GET", "HEAD"}:
        if response.status != 303:  # See Other asks for a GET, 301 and 302 of a write are ambiguous
            return None
        method, payload = "GET", None
    same = _origin(target) == _origin(call.url)
    secret = {"authorization", "cookie"}
    return Call(
        method,
        target,
        parameters=call.parameters,
        headers=tuple(f for f in call.headers if same or f[0].lower() not in secret),
        payload=payload,
        stream=call.stream,
        authenticate=call.authenticate and same,
        max_body=_most(call),
        foreign=call.foreign,
    )


def _most(call: Call) -> int | None:
    """Return how many bytes of a body are read, ``None`` where the transport's own limit will do."""
    if call.max_body is not None:
        return call.max_body
    if _is_short(call):
        return _LONG if call.foreign else _SHORT
    return _MANIFEST if call.operation.startswith("manifest.") else None


def _is_short(call: Call) -> bool:
    """Whether no more is wanted than a list or a token; those of ours are short, if others' are not."""
    return call.operation.endswith(".list") or call.operation.startswith(("token.", "ext."))


def _origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port (RFC 6454); a port that is left out is the scheme's own."""
    plain = _PLAIN_ORIGIN.match(url)
    return _origin_of(plain[0] if plain else url)


@lru_cache(maxsize=64)
def _origin_of(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.scheme, parts.hostname or "", port
