"""The registry over HTTP: streams, broken connections, limits, login, and odd requests."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
import requests

from tests.reference.conftest import Process, Start
from tests.reference.probe import CONFIG, IMAGE, LAYER, digest, image
from tests.support.chance import made_up
from tests.support.obeys import obeys

PIECE = made_up(1 << 20)
names = (f"test/r{number}" for number in itertools.count())


@pytest.fixture
def name() -> str:
    return next(names)


def start(process: Process, name: str) -> str:
    answer = requests.post(f"{process.url}/v2/{name}/blobs/uploads/", timeout=10)
    assert answer.status_code == 202
    return process.url + answer.headers["Location"]


def push(process: Process, name: str, content: bytes) -> str:
    location = start(process, name)
    assert requests.put(location, params={"digest": digest(content)}, data=content, timeout=20).status_code == 201
    return digest(content)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def raw(process: Process, request: bytes) -> bytes:
    """What comes back over a connection of its own, until it is closed or nothing more comes."""
    with socket.create_connection(process.host, timeout=2) as connection:
        connection.sendall(request)
        received = b""
        try:
            while data := connection.recv(1 << 16):
                received += data
                if b"Connection: close" not in request and received.endswith((b"\r\n\r\n", b"}")):
                    break
        except TimeoutError:
            pass
        return received


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_blob_streams_both_ways(file_registry: tuple[Process, Path], name: str, chunked: bool) -> None:
    process, _ = file_registry
    count = 64
    expected = hashlib.sha256(PIECE * count)
    before = process.memory()
    location = start(process, name)
    connection = http.client.HTTPConnection(*process.host, timeout=30)
    path = f"{location.removeprefix(process.url)}?digest=sha256:{expected.hexdigest()}"
    headers = {} if chunked else {"Content-Length": str(count << 20)}
    connection.request("PUT", path, (PIECE for _ in range(count)), headers, encode_chunked=chunked)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201
    connection.request("GET", answer.headers["Location"])
    pulled, received = connection.getresponse(), hashlib.sha256()
    while data := pulled.read(1 << 20):
        received.update(data)
    connection.close()
    assert received.digest() == expected.digest()
    assert process.memory() - before < 24 << 20


def test_a_wrong_digest_leaves_nothing_behind(file_registry: tuple[Process, Path], name: str) -> None:
    process, root = file_registry
    push(process, name, CONFIG)
    before = files_below(root)
    wrong = {"digest": digest(b"something else")}
    for _ in range(2):
        assert requests.put(start(process, name), params=wrong, data=PIECE * 2, timeout=20).status_code == 400
    url = f"{process.url}/v2/{name}/blobs/uploads/"
    assert requests.post(url, params=wrong, data=PIECE, timeout=20).status_code == 400
    assert files_below(root) == before


def test_content_is_kept_once_and_given_up_with_its_last_holder(file_registry: tuple[Process, Path], name: str) -> None:
    process, root = file_registry
    content = made_up(1000)
    for where in (name, f"{name}/other"):
        push(process, where, content)
    stored = root / "blobs" / "sha256" / digest(content)[7:9] / digest(content)[7:]
    assert stored.read_bytes() == content
    assert stored.stat().st_nlink == 3
    for where in (name, f"{name}/other"):
        assert stored.exists()
        url = f"{process.url}/v2/{where}/blobs/{digest(content)}"
        assert requests.delete(url, timeout=5).status_code == 202
    assert not stored.exists()


@obeys("storage.filesystem.rootdirectory")
def test_a_restart_keeps_content_and_open_sessions(starter: Start, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/r\nhttp:\n  addr: :0\n")
    arguments = (str(config), "--addr", "127.0.0.1:0")
    process = starter(*arguments)
    push(process, "a", CONFIG)
    push(process, "a", LAYER)
    url = f"{process.url}/v2/a/manifests/v1"
    assert requests.put(url, data=image(), headers={"Content-Type": IMAGE}, timeout=5).status_code == 201
    location = start(process, "a")
    assert requests.patch(location, data=b"before ", timeout=5).status_code == 202
    assert process.stop() == 0
    process, path = starter(*arguments), location.removeprefix(process.url)
    assert requests.get(process.url + path, timeout=5).headers["Range"] == "0-6"
    done = requests.put(process.url + path, params={"digest": digest(b"before after")}, data=b"after", timeout=5)
    assert done.status_code == 201
    pulled = requests.get(f"{process.url}/v2/a/manifests/v1", timeout=5)
    assert pulled.content == image()
    assert pulled.headers["Content-Type"] == IMAGE


def test_a_put_that_breaks_off_leaves_no_blob(file_registry: tuple[Process, Path], name: str) -> None:
    process, _ = file_registry
    content = made_up(200_000)
    location = start(process, name)
    path = location.removeprefix(process.url)
    head = f"PUT {path}?digest={digest(content)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(process.host, timeout=5) as connection:
        connection.sendall(head.encode() + content[:100_000])
    for _ in range(50):
        status = requests.get(location, timeout=5)
        if status.headers["Range"] == "0-0":
            break
        time.sleep(0.02)
    for claimed in (content, content[:100_000]):
        url = f"{process.url}/v2/{name}/blobs/{digest(claimed)}"
        assert requests.head(url, timeout=5).status_code == 404
    assert requests.put(location, params={"digest": digest(content)}, data=content, timeout=5).status_code == 201


def test_a_patch_that_breaks_off_can_be_resumed(registry: Process, name: str) -> None:
    content = made_up(300_000)
    location = start(registry, name)
    head = f"PATCH {location.removeprefix(registry.url)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(registry.host, timeout=5) as connection:
        connection.sendall(head.encode() + content[:150_000])
    received = 0
    for _ in range(50):
        received = int(requests.get(location, timeout=5).headers["Range"].partition("-")[2]) + 1
        if received == 150_000:
            break
        time.sleep(0.02)
    assert received == 150_000
    headers = {"Content-Range": f"{received}-{len(content) - 1}"}
    assert requests.patch(location, data=content[received:], headers=headers, timeout=5).status_code == 202
    assert requests.put(location, params={"digest": digest(content)}, timeout=5).status_code == 201


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("INVENTED /v2/", 501),
        ("TRACE /v2/", 405),
        ("OPTIONS /v2/x/tags/list", 405),
        ("GET /v2/a%2Fb/tags/list", 404),
        ("GET /v2/a%40b/tags/list", 400),
        ("GET /v2/a//b/tags/list", 400),
        ("GET /v2/x/manifests/", 400),
        ("GET /v2/x/manifests/a+b", 400),
        ("GET /v2/x/blobs/sha256+b64u:LCa0a2j_xo", 404),
        ("GET /v2/x/blobs/sha256%3Aabc", 400),
        ("GET /v2/x/manifests/%ff%00", 400),
        (f"GET /v2/x/blobs/multihash+base58:{'Q' * 300}", 404),
        (f"GET /v2/x/referrers/multihash+base58:{'Q' * 300}", 200),
        ("GET /v2/x/blobs/uploads/../../../etc/passwd", 404),
        ("GET /v2/x/blobs/uploads/..%2F..%2Fx", 404),
        ("GET /v3/", 404),
        ("GET /", 404),
    ],
)
def test_odd_requests_are_refused_and_the_server_goes_on(registry: Process, line: str, status: int) -> None:
    answer = raw(registry, f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert requests.get(f"{registry.url}/v2/", timeout=5).status_code == 200


def test_head_and_204_have_no_body_and_the_connection_goes_on(registry: Process, name: str) -> None:
    known = push(registry, name, b"content")
    location = start(registry, name).removeprefix(registry.url)
    one = f"HEAD /v2/{name}/blobs/{known} HTTP/1.1\r\nHost: x\r\n\r\n"
    two = f"HEAD /v2/{name}/blobs/{digest(b'none')} HTTP/1.1\r\nHost: x\r\n\r\n"
    three = f"GET {location} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    heads = raw(registry, (one + two + three).encode()).split(b"\r\n\r\n")
    assert [head.split()[1] for head in heads[:3]] == [b"200", b"404", b"204"]
    assert heads[3:] == [b""]
    assert b"content-length: 7" in heads[0]


def test_expect_is_answered_before_the_body(registry: Process, name: str) -> None:
    location = start(registry, name).removeprefix(registry.url)
    head = f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(registry.host, timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert connection.recv(1000).startswith(b"HTTP/1.1 202 ")


def test_sessions_at_the_same_time_do_not_mix(file_registry: tuple[Process, Path], name: str) -> None:
    process, _ = file_registry
    locations = [start(process, name) for _ in range(4)]
    for turn in range(3):
        for number, location in enumerate(locations):
            part = bytes([number]) * 1000
            headers = {"Content-Range": f"{turn * 1000}-{turn * 1000 + 999}"}
            assert requests.patch(location, data=part, headers=headers, timeout=5).status_code == 202
    for number, location in enumerate(locations):
        whole = digest(bytes([number]) * 3000)
        assert requests.put(location, params={"digest": whole}, timeout=5).status_code == 201


@pytest.fixture(scope="module")
def guarded(starter: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("guarded")
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"# users\nalice:{hashed}\n")
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nstorage:\n  inmemory:\n  maintenance:\n    readonly:\n      enabled: true\n"
        f"http:\n  addr: 127.0.0.1:0\nauth:\n  htpasswd:\n    realm: a realm\n    path: {folder / 'htpasswd'}\n"
    )
    yield starter(str(config))


@obeys("auth.htpasswd.realm", "auth.htpasswd.path")
def test_htpasswd_challenges_and_lets_in(guarded: Process) -> None:
    anonymous = requests.get(f"{guarded.url}/v2/", timeout=5)
    assert anonymous.status_code == 401
    assert anonymous.headers["WWW-Authenticate"] == 'Basic realm="a realm"'
    assert anonymous.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert anonymous.json()["errors"][0]["code"] == "UNAUTHORIZED"
    for auth, status in ((("alice", "secret"), 200), (("alice", "wrong"), 401), (("bob", "secret"), 401)):
        for _ in range(2):
            assert requests.get(f"{guarded.url}/v2/", auth=auth, timeout=5).status_code == status
    for broken in ("Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer x"):
        answer = requests.get(f"{guarded.url}/v2/", headers={"Authorization": broken}, timeout=5)
        assert answer.status_code == 401


@obeys("storage.maintenance.readonly.enabled")
def test_a_read_only_registry_refuses_to_write(guarded: Process) -> None:
    url = f"{guarded.url}/v2/a/blobs/uploads/"
    answer = requests.post(url, auth=("alice", "secret"), timeout=5)
    assert answer.status_code == 405
    assert answer.json()["errors"][0]["code"] == "UNSUPPORTED"


def test_header_names_in_turning_case(starter: Start) -> None:
    process = starter("--memory", "--addr", "127.0.0.1:0", "--variant", "header-names-cased")
    answer = raw(process, b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"cOnTeNt-tYpE: application/json" in answer
    assert requests.get(f"{process.url}/v2/", timeout=5).json() == {}
