"""Several processes that answer as one registry."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.reference.conftest import Process, Start
from tests.reference.probe import CONFIG, DISK, IMAGE, LAYER, digest, image
from tests.support.chance import made_up
from tests.support.obeys import obeys
from tests.support.scripted.server import Answer, Asked, serve

COUNT = 2
WAIT = 10.0
MANY = f"http:\n  workers: {COUNT}\n"


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def replaced(process: subprocess.Popen[bytes], seen: list[int]) -> bool:
    """Whether other children are there than those that were seen, or the process is at its end."""
    if process.poll() is not None:
        return True
    now = children(process.pid)
    return now != seen and len(now) == len(seen)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, also where nobody asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def owner(local: tuple[str, int], pids: list[int]) -> int | None:
    """The process that has the other end of a connection from an address."""
    where = f"{int.from_bytes(socket.inet_aton(local[0]), 'little'):08X}:{local[1]:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    inodes = [f"socket:[{row[9]}]" for row in rows if row[2] == where]
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if str(descriptor.readlink()) in inodes:
                    return pid
            except FileNotFoundError:
                continue
    return None


@dataclass
class Together:
    """A registry with workers, and a connection to each of them."""

    process: Process
    root: Path
    told: list[dict[str, Any]] = field(default_factory=list)
    opened: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_error: object) -> None:
        for connection in self.opened:
            connection.close()

    def sockets(self) -> dict[int, socket.socket]:
        """A connection to each worker."""
        found: dict[int, socket.socket] = {}
        pids = children(self.process.process.pid)

        def one() -> bool:
            connection = socket.create_connection(self.process.host, timeout=WAIT)
            self.opened.append(connection)
            assert Worker(connection)("GET", "/v2/").status_code == 200
            pid = owner(connection.getsockname(), pids)
            assert pid is not None
            found.setdefault(pid, connection)
            return len(found) == COUNT

        until(one)
        return found

    def sessions(self) -> list[Worker]:
        """The same for requests."""
        return [Worker(connection) for connection in self.sockets().values()]


class Worker:
    """Requests over one connection, which stay at one worker."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> requests.Response:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines])
        self.connection.sendall(head.encode() + b"\r\n\r\n" + body)
        return self.answer(method)

    def begin(self, method: str, path: str, body: bytes, length: int) -> None:
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        self.connection.sendall(head.encode() + body)

    def answer(self, method: str = "GET") -> requests.Response:
        raw = HTTPResponse(self.connection, method=method)
        raw.begin()
        answer = requests.Response()
        answer.status_code = raw.status
        answer.headers.update(raw.getheaders())
        answer._content = raw.read()
        return answer

    def upload(self, name: str) -> str:
        answer = self("POST", f"/v2/{name}/blobs/uploads/")
        assert answer.status_code == 202
        return answer.headers["Location"]

    def push(self, name: str, content: bytes) -> int:
        return self("PUT", f"{self.upload(name)}?digest={digest(content)}", content).status_code

    def tags(self, name: str) -> list[str]:
        found: list[str] = self("GET", f"/v2/{name}/tags/list").json()["tags"]
        return found


@pytest.fixture(scope="module")
def together(starter: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    folder = tmp_path_factory.mktemp("together")
    told: list[dict[str, Any]] = []

    def take(asked: Asked) -> Answer:
        told.extend(json.loads(asked.body)["events"])
        return Answer(200)

    with serve(take) as listener:
        path = folder / "config.yml"
        path.write_text(
            DISK.format(root=folder / "root")
            + f"http:\n  addr: 127.0.0.1:0\n  workers: {COUNT}\n"
            + "  debug:\n    addr: 127.0.0.1:0\n    prometheus:\n      enabled: true\n"
            + f"health:\n  file:\n    - file: {folder / 'stop'}\n      interval: 100ms\n"
            + f"notifications:\n  queue:\n    rootdirectory: {folder / 'queue'}\n"
            + f"  endpoints:\n    - name: here\n      url: {listener.url}/\n"
        )
        with Together(starter(str(path)), folder / "root", told) as running:
            yield running


def lone(starter: Start, folder: Path, more: str = "") -> Together:
    path = folder / "config.yml"
    path.write_text(DISK.format(root=folder / "root") + MANY + more)
    return Together(starter(str(path), "--addr", "127.0.0.1:0"), folder / "root")


@obeys("http.workers")
def test_an_upload_goes_on_at_any_worker(together: Together) -> None:
    one, other = together.sessions()
    content = made_up(3000)
    path = one.upload("a/upload")
    assert other("PATCH", path, content[:1000]).headers["Range"] == "0-999"
    assert one("PATCH", path, content[1000:2000], content_range="1000-1999").headers["Range"] == "0-1999"
    assert other("GET", path).headers["Range"] == "0-1999"
    assert other("PATCH", path, b"x", content_range="1000-1000").status_code == 416
    assert one("PUT", f"{path}?digest={digest(content)}", content[2000:]).status_code == 201
    assert other("GET", path).status_code == 404
    assert other("GET", f"/v2/a/upload/blobs/{digest(content)}").content == content
    path = one.upload("a/upload")
    assert one("PATCH", path, content).status_code == 202
    assert other("DELETE", path).status_code == 204
    assert [each("GET", path).status_code for each in (one, other)] == [404, 404]


def test_a_session_has_one_request_at_a_time(together: Together) -> None:
    one, other = together.sessions()
    path = one.upload("a/turn")
    one.begin("PATCH", path, b"first", 10)
    until(lambda: other("GET", path).status_code == 204)
    with ThreadPoolExecutor(1) as beside:
        time.sleep(0.1)
        waiting = beside.submit(other, "PATCH", path, b"third")
        time.sleep(0.3)
        assert not waiting.done()
        one.connection.sendall(b"again")
        assert one.answer().headers["Range"] == "0-9"
        assert waiting.result(WAIT).headers["Range"] == "0-14"
    assert one("PUT", f"{path}?digest={digest(b'firstagainthird')}").status_code == 201


def test_commits_and_deletions_of_one_digest_do_not_meet(together: Together) -> None:
    workers = together.sessions()
    content = made_up(2000)
    path = f"blobs/{digest(content)}"

    def work(worker: Worker, name: str) -> set[int]:
        found = set()
        for _ in range(15):
            found.add(worker.push(name, content))
            found.add(worker("GET", f"/v2/{name}/{path}").status_code)
            found.add(worker("DELETE", f"/v2/{name}/{path}").status_code)
        return found | {worker.push("a/same", content)}

    with ThreadPoolExecutor(COUNT) as beside:
        done = [beside.submit(work, worker, f"a/own{number}") for number, worker in enumerate(workers)]
        assert [each.result(WAIT) for each in done] == [{200, 201, 202}] * COUNT
    assert workers[0]("GET", f"/v2/a/same/{path}").content == content
    assert workers[1]("DELETE", f"/v2/a/same/{path}").status_code == 202
    assert list(together.root.glob(f"blobs/sha256/*/{digest(content)[7:]}")) == []
    assert list(together.root.glob("uploads/*.part")) == []


def test_tags_lists_and_deletions_agree_at_once(together: Together) -> None:
    one, other = together.sessions()
    for content in (CONFIG, LAYER):
        assert one.push("a/tags", content) == 201
    manifest = image()
    for number in range(20):
        first, second = (one, other) if number % 2 else (other, one)
        path = f"/v2/a/tags/manifests/t{number}"
        assert first("PUT", path, manifest, content_type=IMAGE).status_code == 201
        assert second.tags("a/tags") == sorted(f"t{each}" for each in range(number + 1))
        assert second("GET", path).content == manifest
    assert "a/tags" in other("GET", "/v2/_catalog").json()["repositories"]
    assert one.push("a/later", CONFIG) == 201
    assert "a/later" in other("GET", "/v2/_catalog").json()["repositories"]
    assert other("DELETE", "/v2/a/tags/manifests/t3").status_code == 202
    assert "t3" not in one.tags("a/tags")
    assert one("DELETE", f"/v2/a/tags/manifests/{digest(manifest)}").status_code == 202
    assert other.tags("a/tags") == []
    assert other("GET", "/v2/a/tags/manifests/t1").status_code == 404


def test_a_worker_that_is_killed_is_replaced(together: Together) -> None:
    connections = together.sockets()
    victim, rest = list(connections)
    path = Worker(connections[victim]).upload("a/killed")
    assert Worker(connections[victim])("PATCH", path, b"kept").status_code == 202
    Worker(connections[victim]).begin("PATCH", path, b"", 10)
    os.kill(victim, signal.SIGKILL)
    assert Worker(connections[rest])("PUT", f"{path}?digest={digest(b'kept')}").status_code == 201
    until(lambda: len(children(together.process.process.pid)) == COUNT + 1)
    line = rf"ERROR the worker \d \(process {victim}\) was killed by SIGKILL; another one takes its place\n"
    assert re.search(line, together.process.log.read_text())
    assert victim not in together.sockets()


def test_one_process_tells_of_all(together: Together) -> None:
    found = re.search(r"debug server on (\S+)", together.process.log.read_text())
    assert found is not None
    page = f"http://{found[1]}/metrics"

    def count() -> int:
        text = requests.get(page, timeout=5).text
        line = re.search(r'^registry_http_requests_total\{code="404",handler="tags",method="get"\} (\d+)', text, re.M)
        assert "registry_uploads_open " in text and "process_cpu_seconds_total " in text
        return int(line[1]) if line else 0

    before = count()
    for worker in together.sessions():
        assert worker("GET", "/v2/no/such/tags/list").status_code == 404
    until(lambda: count() == before + COUNT)
    stop = together.root.parent / "stop"
    workers = together.sessions()
    stop.touch()
    until(lambda: {worker("GET", "/v2/").status_code for worker in workers} == {503})
    stop.unlink()
    until(lambda: {worker("GET", "/v2/").status_code for worker in workers} == {200})


def test_one_process_sends_what_all_do(together: Together) -> None:
    for number, worker in enumerate(together.sessions()):
        assert worker.push("a/told", f"told {number}".encode()) == 201

    def names() -> list[object]:
        return [event["action"] for event in together.told if event["target"]["repository"] == "a/told"]

    until(lambda: names() == ["push"] * COUNT)
    assert len({event["source"]["instanceID"] for event in together.told}) == 1


def test_a_stranger_is_still_refused(together: Together, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    command = [sys.executable, "-m", "reference", "serve", str(path), "--workers", "2", "--addr"]
    for root, address, says in (
        (together.root, "127.0.0.1:0", f"rootdirectory: {together.root}: another process uses it"),
        (tmp_path / "root", together.process.address, f"{together.process.address}: Address already in use"),
    ):
        path.write_text(DISK.format(root=root))
        done = subprocess.run([*command, address], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 4
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_a_signal_has_all_end_what_is_open(starter: Start, tmp_path: Path) -> None:
    with lone(starter, tmp_path) as registry:
        workers = registry.sessions()
        pids = children(registry.process.process.pid)
        for worker in workers:
            worker.begin("PATCH", worker.upload("a/b"), b"half", 8)
        time.sleep(0.2)
        registry.process.process.send_signal(signal.SIGTERM)
        # A service manager tells all of them.
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)
        for worker in workers:
            worker.connection.sendall(b"done")
            assert worker.answer().headers["Range"] == "0-7"
    assert registry.process.process.wait(WAIT) == 0
    assert all(map(is_gone, pids))
    text = registry.process.log.read_text()
    assert text.count("stopping on SIGTERM") == text.count("INFO stopped") == text.count("listening on") == 1


def test_workers_that_die_again_and_again_end_the_registry(starter: Start, tmp_path: Path) -> None:
    registry = lone(starter, tmp_path)
    pid = registry.process.process.pid
    for _ in range(6):
        seen = children(pid)
        os.kill(seen[-1], signal.SIGKILL)
        until(partial(replaced, registry.process.process, seen))
    assert registry.process.process.wait(WAIT) == 4
    text = registry.process.log.read_text()
    assert "registry: http.workers: 6 processes died within 60 seconds; the last one, the worker" in text


def test_all_end_where_the_one_that_watches_is_killed(starter: Start, tmp_path: Path) -> None:
    registry = lone(starter, tmp_path)
    pids = children(registry.process.process.pid)
    registry.process.stop(signal.SIGKILL)
    until(lambda: all(map(is_gone, pids)))
    lone(starter, tmp_path).process.stop()
