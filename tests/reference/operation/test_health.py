"""The checks of health: a service that answers, and one that takes connections."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reference.configuration.reading import read
from reference.health import Check
from reference.health.services import answers, connects, without_login
from reference.launch.registry import make_health
from reference.storage.memory import MemoryStorage
from tests.reference.process.test_command import HEAD, written
from tests.support.obeys import obeys


@dataclass
class Service:
    port: int = 0
    status: int = 200
    heads: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            found.heads.append((self.command, self.path, dict(self.headers)))
            self.send_response(301 if self.path == "/moved" else found.status)
            if self.path == "/moved":
                self.send_header("Location", "/here")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@obeys(
    "health.http[].uri",
    "health.http[].headers",
    "health.http[].statuscode",
    "health.http[].threshold",
    "health.tcp[].addr",
    "health.tcp[].interval",
)
def test_a_configured_service_is_looked_at(service: Service, tmp_path: Path) -> None:
    url, closed = f"http://owner:secret@127.0.0.1:{service.port}/moved", free_port()
    text = (
        f"{HEAD}health:\n  http:\n    - uri: {url}\n      headers: {{X-Key: [a, b]}}\n      statuscode: 204\n"
        f"      threshold: 2\n  tcp:\n    - addr: 127.0.0.1:{service.port}\n    - addr: 127.0.0.1:{closed}\n"
        "      timeout: 1s\n      interval: 30s\n"
    )
    health = make_health(read(written(tmp_path, text), {}), MemoryStorage())
    http, opened, refused = health.checks
    assert (http.threshold, opened.interval, refused.interval) == (2, 10, 30)
    for check in health.checks:
        check.run()
    # The first failure of two does not count yet.
    assert health.failures() == {f"127.0.0.1:{closed}": "Connection refused"}
    http.run()
    assert health.failures()[f"http://127.0.0.1:{service.port}/moved"] == "status 200 instead of 204"
    assert "secret" not in str(health.failures())
    service.status = 204
    http.run()
    assert list(health.failures()) == [f"127.0.0.1:{closed}"]
    method, path, headers = service.heads[0]
    assert (method, path, headers["X-Key"]) == ("HEAD", "/moved", "a, b")
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'owner:secret').decode()}"
    assert (service.heads[1][1], "Authorization" in service.heads[1][2]) == ("/here", False)


@obeys("health.file[].threshold")
def test_a_file_may_be_there_for_some_looks(tmp_path: Path) -> None:
    text = f"{HEAD}health:\n  file:\n    - {{file: {tmp_path}, interval: 2s, threshold: 2}}\n"
    (check,) = make_health(read(written(tmp_path, text), {}), MemoryStorage()).checks
    check.run()
    assert (check.interval, check.failed) == (2, False)
    check.run()
    assert check.failed


def test_a_service_that_does_not_answer_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        connects("127.0.0.1", port, 1)
        check = Check("silent", lambda: answers(f"http://127.0.0.1:{port}/", 200, {}, 0.1))
        check.run()
    assert (check.failed, check.reason) == (True, "timed out")
    check = Check("gone", lambda: answers(f"http://127.0.0.1:{port}/", 200, {}, 1))
    check.run()
    assert (check.failed, check.reason) == (True, "Connection refused")


def test_a_login_is_shown_nowhere() -> None:
    assert without_login("https://a:b@c:1/d?e") == "https://c:1/d?e"
