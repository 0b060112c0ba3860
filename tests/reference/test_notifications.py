"""Notifications of the reference: one at a time, repeated until delivered, without delay."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from reference.notifications.events import envelope
from reference.notifications.publisher import Notifications
from reference.notifications.sender import Sender
from reference.settings import Endpoint
from tests.reference.conftest import STOP_LIMIT, Start
from tests.reference.probe import digest
from tests.support.obeys import obeys

WAIT = 10.0


@dataclass
class Listener:
    """An endpoint that answers what it is told: a status, or seconds to wait before 200."""

    url: str
    answers: list[int | float] = field(default_factory=list)
    got: queue.Queue[tuple[float, str, dict[str, str], Any]] = field(default_factory=queue.Queue)

    def next(self) -> tuple[float, str, dict[str, str], Any]:
        return self.got.get(timeout=WAIT)

    def event(self) -> Any:
        (event,) = self.next()[3]["events"]
        return event


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.got.put((time.monotonic(), self.path, dict(self.headers), json.loads(body or b"null")))
            answer = found.answers.pop(0) if found.answers else 200
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            self.send_response(answer)
            if answer in {301, 307}:
                self.send_header("Location", "/other")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def senders() -> Iterator[list[Sender]]:
    started: list[Sender] = []
    yield started
    for sender in started:
        sender.close(0.1)


def sender(senders: list[Sender], listener: Listener, **settings: Any) -> Sender:
    made = Sender(Endpoint("a", listener.url, **{"timeout": 5.0, "backoff": 0.1, **settings}))
    made.start()
    senders.append(made)
    return made


def numbers(body: Any) -> list[int]:
    return [event["id"] for event in body["events"]]


def test_events_are_sent_in_order_each_until_it_is_delivered(listener: Listener, senders: list[Sender]) -> None:
    listener.answers = [500, 404, 202, 204, 304]
    made = sender(senders, listener, headers={"Authorization": ["Bearer a"], "X-Many": ["1", "2"]})
    for number in range(3):
        made.put({"id": number})

    got = [listener.next() for _ in range(5)]

    assert [numbers(body) for *_, body in got] == [[0], [0], [0], [1], [2]]
    for _, path, headers, _ in got:
        assert path == "/hook"
        assert headers["Content-Type"] == "application/vnd.docker.distribution.events.v2+json"
        assert headers["Authorization"] == "Bearer a"
        assert headers["X-Many"] in {"1", "2"}


def test_no_answer_in_time_is_a_failure(listener: Listener, senders: list[Sender]) -> None:
    listener.answers = [0.5]
    sender(senders, listener, timeout=0.1).put({"id": 0})
    assert [numbers(listener.next()[3]) for _ in range(2)] == [[0], [0]]


def test_it_backs_off_where_too_much_failed(listener: Listener, senders: list[Sender]) -> None:
    listener.answers = [500, 500, 500]
    sender(senders, listener, threshold=2, backoff=0.2).put({"id": 0})
    times = [listener.next()[0] for _ in range(4)]
    assert times[1] - times[0] < 0.2
    assert times[2] - times[1] >= 0.2
    assert times[3] - times[2] >= 0.2


@pytest.mark.parametrize(("status", "kept"), [(301, False), (307, True)])
def test_redirects_are_followed(status: int, kept: bool, listener: Listener, senders: list[Sender]) -> None:
    listener.answers = [status]
    made = sender(senders, listener)
    made.put({"id": 0})
    made.put({"id": 1})
    first, second, third = (listener.next() for _ in range(3))
    assert (first[1], second[1], third[1]) == ("/hook", "/other", "/hook")
    assert second[3] == (first[3] if kept else None)
    assert numbers(third[3]) == [1]


def test_what_waits_is_sent_before_the_end(listener: Listener, senders: list[Sender]) -> None:
    made = sender(senders, listener)
    for number in range(20):
        made.put({"id": number})
    made.close(5.0)
    assert [numbers(listener.next()[3]) for _ in range(20)] == [[number] for number in range(20)]
    assert made.lost == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://127.0.0.1:1", "https://127.0.0.1:1/"])
def test_an_endpoint_that_is_not_there_does_not_hinder_the_end(url: str) -> None:
    made = Sender(Endpoint("a", url, threshold=1, backoff=60.0))
    made.start()
    for number in range(3):
        made.put({"id": number})
    started = time.monotonic()
    made.close(2.0)
    assert time.monotonic() - started < 1.5
    assert made.lost == 3


def test_ignored_and_disabled() -> None:
    endpoints = [
        Endpoint("a", "http://h/", ignored_media_types=frozenset({"a/b"})),
        Endpoint("b", "http://h/", ignored_actions=frozenset({"pull"})),
        Endpoint("c", "http://h/", disabled=True),
    ]
    made = Notifications(endpoints, None)  # type: ignore[arg-type]  # no event is made here
    put: dict[str, list[Any]] = {"a": [], "b": []}
    for each in made.senders:
        each.put = put[each.endpoint.name].append  # type: ignore[assignment,method-assign]  # nothing is sent here
    pull, push = ({"action": action, "target": {"mediaType": "a/b"}} for action in ("pull", "push"))
    deleted = {"action": "delete", "target": {}}
    for event in (pull, push, deleted):
        made.publish(event)
    assert put == {"a": [deleted], "b": [push, deleted]}


def test_an_envelope() -> None:
    assert json.loads(envelope([{"id": "1"}, {"id": "2"}])) == {"events": [{"id": "1"}, {"id": "2"}]}


def configuration(folder: Path, listener: Listener, more: str = "") -> str:
    path = folder / "config.yml"
    path.write_text(
        "version: 0.1\nstorage:\n  inmemory: {}\nhttp:\n  addr: 127.0.0.1:0\n"
        "notifications:\n  endpoints:\n    - name: a\n"
        f"      url: {listener.url}\n      timeout: 60s\n      threshold: 3\n      backoff: 100ms\n{more}"
    )
    return str(path)


@obeys("notifications.endpoints[].name", "notifications.endpoints[].url")
def test_the_registry_tells_what_it_did(listener: Listener, starter: Start, tmp_path: Path) -> None:
    process = starter(configuration(tmp_path, listener))
    base = f"{process.url}/v2/some/name/blobs"
    with requests.Session() as session:
        session.headers["User-Agent"] = "an-agent/1"
        assert session.post(f"{base}/uploads/?digest={digest(b'a')}", data=b"b", timeout=WAIT).status_code == 400
        assert session.post(f"{base}/uploads/?digest={digest(b'a')}", data=b"a", timeout=WAIT).status_code == 201
        assert session.head(f"{base}/{digest(b'a')}", timeout=WAIT).status_code == 200
        assert session.get(f"{base}/{digest(b'a')}", timeout=WAIT).status_code == 200
        query = f"mount={digest(b'a')}&from=some/name"
        mounted = session.post(f"{process.url}/v2/other/blobs/uploads/?{query}", timeout=WAIT)
        assert mounted.status_code == 201
        assert session.delete(f"{base}/{digest(b'a')}", timeout=WAIT).status_code == 202

    push, pull, mount, delete = (listener.event() for _ in range(4))

    whole = {"mediaType": "application/octet-stream", "digest": digest(b"a"), "size": 1, "length": 1}
    here = {"repository": "some/name", "url": f"{base}/{digest(b'a')}"}
    there = {"repository": "other", "url": f"{process.url}/v2/other/blobs/{digest(b'a')}"}
    assert (push["action"], push["target"]) == ("push", whole | here)
    assert (pull["action"], pull["target"]) == ("pull", whole | here)
    assert (mount["action"], mount["target"]) == ("mount", whole | there | {"fromRepository": "some/name"})
    assert (delete["action"], delete["target"]) == ("delete", {"digest": digest(b"a"), "repository": "some/name"})
    assert push["request"].items() >= {"method": "POST", "useragent": "an-agent/1", "host": process.address}.items()
    assert push["actor"] == {}
    assert push["source"] == delete["source"]
    assert len({event["id"] for event in (push, pull, mount, delete)}) == 4


def test_an_endpoint_that_hangs_is_in_nobodys_way(listener: Listener, starter: Start, tmp_path: Path) -> None:
    listener.answers = [60.0]
    process = starter(configuration(tmp_path, listener))
    started = time.monotonic()
    for number in range(3):
        content = b"%d" % number
        answer = requests.post(
            f"{process.url}/v2/a/blobs/uploads/?digest={digest(content)}", data=content, timeout=WAIT
        )
        assert answer.status_code == 201
    assert time.monotonic() - started < 5
    listener.next()
    stopping = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - stopping < STOP_LIMIT / 2
    assert "3 events were not delivered" in process.log.read_text()


@obeys("notifications.events.includereferences")
def test_the_actor_is_the_login_and_references_are_told(listener: Listener, starter: Start, tmp_path: Path) -> None:
    import bcrypt  # noqa: PLC0415  # this test alone

    users = tmp_path / "users"
    users.write_text("ann:" + bcrypt.hashpw(b"secret-word", bcrypt.gensalt(4)).decode() + "\n")
    more = f"  events:\n    includereferences: true\nauth:\n  htpasswd:\n    realm: r\n    path: {users}\n"
    process = starter(configuration(tmp_path, listener, more))
    with requests.Session() as session:
        session.auth = ("ann", "secret-word")
        child = {"mediaType": "a/b", "digest": digest(b"a"), "size": 1}
        url = f"{process.url}/v2/a/blobs/uploads/?digest={digest(b'a')}"
        assert session.post(url, data=b"a", timeout=WAIT).status_code == 201
        image = {"schemaVersion": 2, "config": child, "layers": [child]}
        kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
        url = f"{process.url}/v2/a/manifests/latest"
        assert session.put(url, json=image, headers=kind, timeout=WAIT).status_code == 201
        assert session.delete(url, timeout=WAIT).status_code == 202

    blob, manifest, tag = (listener.event() for _ in range(3))

    assert blob["actor"] == manifest["actor"] == {"name": "ann"}
    assert manifest["target"]["references"] == [child, child]
    assert manifest["target"]["tag"] == "latest"
    assert tag["target"] == {"repository": "a", "tag": "latest"}
