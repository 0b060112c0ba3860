"""The client: tokens by scope, credentials for the target only, bounded throttling."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from conformance.client.client import Call, Client
from conformance.client.http.exchange import Headers, Response
from conformance.client.http.transport import Transport, TransportOptions
from conformance.client.login.authentication import PULL, PUSH, Authenticator
from conformance.client.login.credentials import Credentials
from conformance.client.redaction import Redactor
from tests.support.scripted.server import Answer, Asked, serve
from tests.support.scripted.tokens import TOKEN, Guarded, guarded

_OPEN = "http://127.0.0.1:1/token"
_ANN = Credentials("ann", "c4nary")


@contextmanager
def client_of(url: str, credentials: Credentials | None = _ANN, **options: object) -> Iterator[Client]:
    """A client of a server."""
    redactor = Redactor()
    transport = Transport(TransportOptions(timeout=5, **options), "tests")  # type: ignore[arg-type]  # passed through
    try:
        yield Client(url, transport, Authenticator(credentials, redactor, url), redactor)
    finally:
        transport.close()


@pytest.fixture
def registry() -> Iterator[Guarded]:
    """A registry behind tokens that answers anything else with 200."""
    with serve(lambda asked: Answer(200, b"ok")) as behind, guarded(behind.url, {"ann": "c4nary"}) as server:
        yield server


def pull(client: Client, name: str, method: str = "GET") -> Response:
    """Ask for a manifest of a repository."""
    return client.send(Call(method, f"{client.url}/v2/{name}/manifests/x", "manifest.get", {"name": name}))


def test_a_closed_transport_asks_on_another_connection() -> None:
    """Looks at what holds on another connection were on one that was kept, as urllib3 closes no pool that is known."""
    places: list[object] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _remembering(places)) as server:
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with client_of(f"http://127.0.0.1:{server.server_address[1]}", None) as client:
            for _ in range(2):
                pull(client, "a")
                pull(client, "a")
                client.close()
        server.shutdown()
    assert len(places) == 4
    assert places[0] == places[1] != places[2] == places[3]


def test_percent_encoded_octets_go_out_as_they_are() -> None:
    """urllib3 writes them in capitals, and no look at small letters could fail."""
    with serve(lambda asked: Answer(200, b"ok")) as server, client_of(server.url, None) as client:
        for path in ("/v2/a%3ab/x?digest=sha256%3aff", "/v2/a%3Ab/%7e"):
            client.send(Call("GET", f"{client.url}{path}", "blob.get"))
        assert [asked.path for asked in server.asked] == ["/v2/a%3ab/x?digest=sha256%3aff", "/v2/a%3Ab/%7e"]


def _remembering(places: list[object]) -> type[BaseHTTPRequestHandler]:
    """A handler that notes from where each request comes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            places.append(self.client_address)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def test_a_token_is_asked_with_service_and_scope_and_kept_by_scope(registry: Guarded) -> None:
    with client_of(registry.url) as client:
        statuses = [pull(client, name, method).status for name in ("a", "a", "b/c") for method in ("GET", "PUT")]
    assert statuses == [200] * 6
    queries = [parse_qs(urlsplit(asked.path).query) for asked in registry.service.asked]
    scopes = ["repository:a:pull", "repository:a:pull,push", "repository:b/c:pull", "repository:b/c:pull,push"]
    assert [query["scope"] for query in queries] == [[scope] for scope in scopes]
    assert all(query["service"] == ["tests"] and query["account"] == ["ann"] for query in queries)
    assert all(asked.headers["authorization"].startswith("Basic ") for asked in registry.service.asked)
    sent = [asked.headers.get("authorization", "") for asked in registry.registry.asked]
    assert all(not value or value.startswith(f"Bearer {TOKEN}") for value in sent)
    # Six requests, and one refusal for each token.
    assert len(sent) == 10


def test_a_token_that_has_run_out_is_replaced() -> None:
    with (
        serve(lambda asked: Answer(200)) as behind,
        guarded(behind.url, {"ann": "c4nary"}, lifetime=1) as registry,
        client_of(registry.url) as client,
    ):
        assert [pull(client, "a").status for _ in range(2)] == [200, 200]
        assert len(registry.scopes) == 2


def test_a_token_that_is_refused_before_its_time_is_replaced(registry: Guarded) -> None:
    with client_of(registry.url) as client:
        assert pull(client, "a").status == 200
        registry.scopes.clear()
        registry.scopes["another"] = ""
        assert pull(client, "a").status == 200
    assert len(registry.service.asked) == 2


def test_a_wrong_password_is_tried_once(registry: Guarded) -> None:
    with client_of(registry.url, Credentials("ann", "wrong")) as client:
        assert pull(client, "a").status == 401
    assert len(registry.service.asked) == 1


def test_without_credentials_a_token_is_asked_for_nobody(registry: Guarded) -> None:
    with client_of(registry.url, None) as client:
        assert pull(client, "a").status == 401
    assert "authorization" not in registry.service.asked[0].headers
    assert "account" not in registry.service.asked[0].path


def test_what_is_recorded_has_no_secret(registry: Guarded) -> None:
    with client_of(registry.url) as client:
        pull(client, "a")
        recorded = str([client.redactor.scrub(exchange.record()) for exchange in client.exchanges])
    assert "repository:a:pull" in recorded
    assert "c4nary" not in recorded


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "\u00fcmlaut", 5, None, ["t"]])
def test_a_token_that_is_none(token: object) -> None:
    fetched = Response(200, "", Headers())
    fetched._json, fetched._parsed = {"token": token}, True
    challenged = Response(401, "", Headers([("WWW-Authenticate", f'Bearer realm="{_OPEN}"')]))
    authenticator = Authenticator(_ANN, Redactor(), "http://127.0.0.1:1")
    assert authenticator.answer(challenged, "a", PULL, lambda url, headers: fetched) is None


@pytest.mark.parametrize(
    ("target", "realm", "sent"),
    [
        ("https://r.example", "http://t.example/token", False),
        ("https://r.example", "https://t.example/token", True),
        ("http://r.example", "http://t.example/token", True),
    ],
)
def test_a_password_given_for_tls_never_travels_in_the_clear(target: str, realm: str, sent: bool) -> None:
    asked: list[tuple[str, list[tuple[str, str]]]] = []

    def fetch(url: str, headers: list[tuple[str, str]]) -> Response:
        asked.append((url, headers))
        return Response(401, "", Headers())

    challenged = Response(401, "", Headers([("WWW-Authenticate", f'Bearer realm="{realm}"')]))
    Authenticator(_ANN, Redactor(), target).answer(challenged, "a", PULL, fetch)
    assert [bool(headers) for _, headers in asked] == [sent]
    assert "c4nary" not in asked[0][0]


@pytest.mark.parametrize("realm", ["", "/token", "ftp://t/token", "http://[t/token", "http://t:port/token", "http://"])
def test_a_realm_that_is_no_address(realm: str) -> None:
    challenged = Response(401, "", Headers([("WWW-Authenticate", f'Bearer realm="{realm}", Basic realm="x"')]))
    authenticator = Authenticator(_ANN, Redactor(), "http://127.0.0.1:1")
    answer = authenticator.answer(challenged, "a", PULL, lambda url, headers: pytest.fail(f"asked {url}"))
    assert answer is None or answer.startswith("Basic ")


def test_a_realm_that_is_no_address_beside_one_that_is() -> None:
    """Where the token service is known from another challenge, the login goes on there, with the scope of this one."""
    fetched = Response(200, "", Headers())
    fetched._json, fetched._parsed = {"token": "t"}, True
    asked: list[str] = []

    def fetch(url: str, headers: list[tuple[str, str]]) -> Response:
        asked.append(url)
        return fetched

    authenticator = Authenticator(_ANN, Redactor(), "http://127.0.0.1:1")
    for realm, scope in ((_OPEN, "x"), ("http://t:%!s(<nil>)/token", "y")):
        challenged = Response(401, "", Headers([("WWW-Authenticate", f'Bearer realm="{realm}",scope="{scope}"')]))
        assert authenticator.answer(challenged, "a", scope, fetch) == "Bearer t"
    assert [url.partition("&")[0] for url in asked] == [f"{_OPEN}?scope=x", f"{_OPEN}?scope=y"]


def _basic(asked: Asked, then: Answer) -> Answer:
    wanted = asked.headers.get("authorization") == _ANN.basic()
    return then if wanted else Answer(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))


def test_credentials_stay_with_the_target() -> None:
    """A redirect to another host carries no Authorization, even after a challenge."""
    with serve(lambda asked: _basic(asked, Answer(200))) as other:
        places = {"/away": f"{other.url}/there", "/home": "/there", "/there": ""}

        def answer(asked: Asked) -> Answer:
            place = places[asked.path]
            return _basic(asked, Answer(307, headers=(("Location", place),)) if place else Answer(200))

        with serve(answer) as target, client_of(target.url) as client:
            away = client.send(Call("GET", f"{target.url}/away", headers=(("Authorization", "mine"),)))
            home = client.send(Call("GET", f"{target.url}/home"))
    assert (away.status, home.status) == (401, 200)
    assert ["authorization" in asked.headers for asked in other.asked] == [False]


def test_the_port_of_the_scheme_is_the_same_place() -> None:
    from conformance.client.client import _origin  # noqa: PLC0415  # private, and of this test alone

    assert _origin("https://R.example:443/a") == _origin("https://r.example/b")
    assert _origin("https://r.example:80") != _origin("http://r.example:80")


@pytest.mark.parametrize("location", ["http://[x", "ftp://x/", "mailto:x", ""])
def test_a_redirect_to_nowhere_is_left_alone(location: str) -> None:
    with serve(lambda asked: Answer(307, headers=(("Location", location),))) as target, client_of(target.url) as client:
        answer = client.send(Call("GET", f"{target.url}/", payload=None))
    assert answer.status in {0, 307}


def test_redirects_come_to_an_end() -> None:
    with (
        serve(lambda asked: Answer(302, headers=(("Location", asked.path + "x"),))) as target,
        client_of(target.url) as c,
    ):
        assert c.send(Call("GET", f"{target.url}/")).status == 302
    assert len(target.asked) < 12


@pytest.mark.parametrize(
    ("status", "wait", "asked", "final"),
    [
        (429, "0", 2, 200),
        (503, "0", 2, 200),
        (429, "1", 2, 200),
        (429, "999999", 1, 429),
        (503, "99999999999999999999", 1, 503),
        (503, "", 1, 503),
        (429, "soon", 2, 200),
        (429, "-1", 2, 200),
        (429, "\u00b2", 2, 200),
        (503, "Thu, 01 Jan 2099 00:00:00 GMT", 1, 503),
        (503, "Thu, 01 Jan 1970 00:00:00 GMT", 2, 200),
        (503, "Mon, 01 Jan 0001 00:00:00 -0000", 2, 200),
        (500, "0", 1, 500),
    ],
)
def test_throttling(status: int, wait: str, asked: int, final: int) -> None:
    """Retry-After is obeyed up to the bound, and not beyond."""

    def answer(_: Asked) -> Answer:
        return Answer(status, headers=(("Retry-After", wait),)) if len(target.asked) == 1 else Answer(200)

    with serve(answer) as target, client_of(target.url) as client:
        begin = time.monotonic()
        response = client.send(Call("GET", f"{target.url}/"))
        seconds = time.monotonic() - begin
    assert response.status == final
    assert len(target.asked) == asked
    assert (wait == "1") <= seconds < 5


def test_throttling_without_end() -> None:
    with serve(lambda asked: Answer(429, headers=(("Retry-After", "0"),))) as target, client_of(target.url) as client:
        assert client.send(Call("GET", f"{target.url}/")).status == 429
    assert len(target.asked) < 6


def test_throttling_of_a_login() -> None:
    """Requests that are challenged are not given up sooner: what was throttled is counted apart."""

    def answer(asked: Asked) -> Answer:
        throttled = Answer(429, headers=(("Retry-After", "0"),))
        return _basic(asked, Answer(200)) if len(target.asked) in {4, 8} else throttled

    with serve(answer) as target, client_of(target.url) as client:
        assert client.send(Call("GET", f"{target.url}/")).status == 200
    assert len(target.asked) == 8


@pytest.mark.needs("openssl")
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates(tls_files: tuple[Path, Path]) -> None:
    with serve(lambda asked: Answer(200), tls=tls_files) as target:
        for options, status in (({}, 0), ({"ca_bundle": str(tls_files[0])}, 200), ({"insecure": True}, 200)):
            with client_of(target.url, **options) as client:
                answer = client.send(Call("GET", f"{target.url}/"))
            assert answer.status == status, answer.failure
            assert bool(answer.failure) == (status == 0)


def test_a_refusal_without_challenge_is_answered_as_a_basic_one() -> None:
    bare, token = Response(401, "", Headers()), Response(200, "", Headers())
    token._json, token._parsed = {"token": "t"}, True
    bearer = Response(401, "", Headers([("WWW-Authenticate", f'Bearer realm="{_OPEN}"')]))
    for first, second, wanted in ((bare, bare, "Basic"), (bearer, bare, None), (bare, bearer, "Bearer")):
        authenticator = Authenticator(_ANN, Redactor(), "http://127.0.0.1:1")
        authenticator.answer(first, "a", PULL, lambda url, headers: token)
        answer = authenticator.answer(second, "b", PULL, lambda url, headers: token)
        assert (answer.partition(" ")[0] if answer else None) == wanted


def test_a_token_that_is_refused_gives_way_to_one_of_its_own() -> None:
    given = iter(["first", "second"])

    def fetch(_url: str, _headers: list[tuple[str, str]]) -> Response:
        answer = Response(200, "", Headers())
        answer._json, answer._parsed = {"token": next(given)}, True
        return answer

    def refused(error: str) -> Response:
        scope = "repository:a:pull,push"
        challenge = f'Bearer realm="{_OPEN}",scope="{scope}",error="{error}"'
        return Response(401, "", Headers([("WWW-Authenticate", challenge)]))

    authenticator = Authenticator(_ANN, Redactor(), "http://127.0.0.1:1")
    assert authenticator.answer(refused(""), "a", PUSH, fetch) == "Bearer first"
    assert authenticator.ahead("a", PULL) == "Bearer first"
    assert authenticator.ahead("a", "manifest.delete") is None
    assert authenticator.answer(refused("insufficient_scope"), "a", PUSH, fetch, again=True) is None
    assert authenticator.answer(refused("invalid_token"), "a", PUSH, fetch, again=True) == "Bearer second"
    assert authenticator.ahead("a", PUSH) == "Bearer first"
