"""What a cache answers, whatever the registry behind it does; and in front of the original."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from reference.app import Options, Registry
from reference.maintenance.fsck import check
from reference.proxy.cache import Cache
from reference.proxy.upstream import Upstream
from reference.settings import Proxy
from reference.storage import Storage
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from tests.reference.conftest import Process, Start
from tests.reference.probe import CONFIG, IMAGE, INDEX, LAYER, Answer, Client, descriptor, digest, image, index
from tests.reference.process.test_command import written
from tests.support.chance import made_up
from tests.support.obeys import obeys
from tests.support.servers import docker_registry
from tests.support.tokens import READER, token_server

BIG = made_up(3_000_000)
PLAIN = image()
LATER = image(annotations={"moved": "yes"})
LOGIN = f"Basic {base64.b64encode(b'reader:secret').decode()}"


class Behind:
    """A registry that does as it is told: what it has by path, and how it treats who asks."""

    def __init__(self) -> None:
        self.url = ""
        self.content: dict[str, tuple[str, bytes]] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.headers: list[dict[str, str]] = []
        #: The status of everything, or how much of a blob is sent before the connection breaks, each time.
        self.status = 0
        self.breaks: list[int] = []
        self.ranges = True
        self.challenge = ""
        self.pause = threading.Event()
        self.pause.set()

    def has(self, name: str, body: bytes, *references: str, kind: str = IMAGE) -> None:
        for reference in (digest(body), *references):
            self.content[f"/v2/{name}/manifests/{reference}"] = kind, body

    def has_blob(self, name: str, body: bytes, claimed: str = "") -> None:
        self.content[f"/v2/{name}/blobs/{claimed or digest(body)}"] = "application/octet-stream", body


def _handler(behind: Behind) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            behind.asked[self.command, self.path] += 1
            behind.headers.append(dict(self.headers))
            if self.path.startswith("/token"):
                body = json.dumps({"token": "good"} if self.headers.get("Authorization") == LOGIN else {}).encode()
                return self.answer(200, "application/json", body)
            if self.path == "/elsewhere":
                return self.answer(200, "application/octet-stream", LAYER)
            if behind.challenge and self.headers.get("Authorization") != "Bearer good":
                return self.answer(401, "application/json", b"{}", ("WWW-Authenticate", behind.challenge))
            if behind.status:
                return self.answer(behind.status, "text/plain", b"no", ("Location", "/lost"))
            kind, body = behind.content.get(self.path, ("", b""))
            if not kind:
                return self.answer(404, "application/json", b'{"errors": []}')
            if kind == "elsewhere":
                return self.answer(307, "text/plain", b"", ("Location", f"{behind.url}/elsewhere"))
            if "/blobs/" in self.path:
                return self.blob(body)
            return self.answer(200, kind, body, ("Docker-Content-Digest", digest(body)))

        do_HEAD = do_GET

        def blob(self, body: bytes) -> None:
            behind.pause.wait(10)
            start = int(self.headers["Range"][6:-1]) if "Range" in self.headers and behind.ranges else 0
            rest, many = body[start:], behind.breaks.pop(0) if behind.breaks else None
            self.answer(206 if start else 200, "application/octet-stream", rest, cut=many)

        def answer(self, status: int, kind: str, body: bytes, *more: tuple[str, str], cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[:cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def behind() -> Iterator[Behind]:
    found = Behind()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(found)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture(params=["memory", "filesystem", "distribution"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "memory":
        return MemoryStorage()
    return (FilesystemStorage if request.param == "filesystem" else DistributionStorage)(tmp_path / "root", "never")


@asynccontextmanager
async def cache(storage: Storage, behind: Behind, ttl: float = 0) -> AsyncIterator[tuple[Client, Cache]]:
    registry = Registry(storage, Options(read_only=True))
    made = Cache(registry, Upstream(Proxy(behind.url, "reader", "secret")), ttl)
    yield Client(registry), made


async def get(client: Client, path: str, method: str = "GET", **headers: str) -> Answer:
    return await client.call(method, f"/v2/{path}", fields=tuple(headers.items()))


def test_a_tag_is_that_of_the_upstream_as_long_as_it_answers(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        behind.has("a", PLAIN, "v1")
        async with cache(storage, behind) as (client, _):
            assert (await get(client, "a/manifests/v1")).body == PLAIN
            assert (await get(client, "a/manifests/v1", "HEAD")).get("docker-content-digest") == digest(PLAIN)
            manifest = "/v2/a/manifests/v1"
            assert (behind.asked["GET", manifest], behind.asked["HEAD", manifest]) == (1, 2)
            assert (await get(client, f"a/manifests/{digest(PLAIN)}")).body == PLAIN
            assert behind.asked["GET", f"/v2/a/manifests/{digest(PLAIN)}"] == 0
            behind.has("a", LATER, "v1")
            assert (await get(client, "a/manifests/v1")).body == LATER
            for status in (500, 503, 429, 302):
                behind.status = status
                assert (await get(client, "a/manifests/v1")).body == LATER
                # Nobody knows whether it exists.
                for path in ("a/manifests/v2", f"a/manifests/{digest(b'x')}", f"a/blobs/{digest(b'x')}", "a/tags/list"):
                    assert (await get(client, path)).status == 503
                assert (await get(client, f"a/blobs/{digest(b'x')}", "HEAD")).status == 503
            behind.status = 403
            assert (await get(client, "a/manifests/v1")).status == 403
            behind.status = 0
            del behind.content[manifest]
            assert (await get(client, "a/manifests/v1")).status == 404
            assert storage.tags("a") == []
            assert (await get(client, f"a/manifests/{digest(LATER)}")).status == 200
            assert (await get(client, "a/manifests/.bad")).status == 400
            pushed = await client.manifest("a", "v1", PLAIN)
            assert (pushed.status, b"read-only" in pushed.body) == (405, True)

    asyncio.run(check_it())


def test_a_blob_is_fetched_once_for_all_who_want_it(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        behind.has_blob("a", BIG)
        behind.pause.clear()
        path = f"a/blobs/{digest(BIG)}"
        async with cache(storage, behind) as (client, _):
            head = asyncio.create_task(get(client, path, "HEAD"))
            wanting = [asyncio.create_task(get(client, path)) for _ in range(8)]
            part = asyncio.create_task(get(client, path, range="bytes=10-19"))
            await asyncio.sleep(0.1)
            behind.pause.set()
            assert [answer.body == BIG for answer in await asyncio.gather(*wanting)] == [True] * 8
            assert ((await part).status, (await part).body) == (206, BIG[10:20])
            assert ((await head).status, (await head).get("content-length")) == (200, str(len(BIG)))
            assert (await get(client, path)).body == BIG
            assert behind.asked["GET", f"/v2/{path}"] == 1
            assert (await get(client, f"a/blobs/{digest(b'none')}")).status == 404
            assert storage.open_uploads() == 0

    asyncio.run(check_it())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_blob_that_breaks_off_goes_on(storage: Storage, behind: Behind, ranges: bool) -> None:
    async def check_it() -> None:
        behind.has_blob("a", BIG)
        behind.ranges, behind.breaks = ranges, [1_200_000, 1_500_000 if ranges else 2_000_000]
        async with cache(storage, behind) as (client, _):
            assert (await get(client, f"a/blobs/{digest(BIG)}")).body == BIG
        assert behind.asked["GET", f"/v2/a/blobs/{digest(BIG)}"] == 3

    asyncio.run(check_it())


def test_nobody_takes_wrong_content_for_whole(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        wanted = digest(BIG)
        behind.has_blob("a", BIG[:-1] + b"x", wanted)
        behind.content[f"/v2/a/manifests/{digest(PLAIN)}"] = IMAGE, LATER
        behind.content["/v2/a/manifests/broken"] = IMAGE, b"{"
        async with cache(storage, behind) as (client, _):
            answer = await get(client, f"a/blobs/{wanted}")
            assert len(answer.body) < len(BIG)
            assert answer.get("content-length") == str(len(BIG))
            assert (await get(client, f"a/manifests/{digest(PLAIN)}")).status == 503
            assert (await get(client, "a/manifests/broken")).status == 503
            assert storage.open_uploads() == 0
        assert not storage.has_blob("a", wanted)
        assert storage.manifests("a") == []

    asyncio.run(check_it())


def test_lists_are_those_of_the_upstream(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        listed = json.dumps({"name": "a", "tags": ["v1"]}).encode()
        behind.content["/v2/a/tags/list?n=1"] = "application/json", listed
        behind.content[f"/v2/a/referrers/{digest(PLAIN)}"] = INDEX, index()
        async with cache(storage, behind) as (client, _):
            assert (await get(client, "a/tags/list?n=1")).body == listed
            referrers = await get(client, f"a/referrers/{digest(PLAIN)}")
            assert (referrers.body, referrers.get("content-type")) == (index(), INDEX)
            assert (await get(client, "b/tags/list")).status == 404
            # What is wrong with a request is told as well.
            behind.status = 400
            assert (await get(client, "a/tags/list?n=x")).status == 400
            assert (await get(client, "a/manifests/v1")).status == 503

    asyncio.run(check_it())


def test_a_token_is_asked_for_once_and_goes_nowhere_else(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        behind.has("a", PLAIN, "v1", "v2")
        behind.challenge = f'Bearer realm="{behind.url}/token",service="s",scope="repository:a:pull"'
        async with cache(storage, behind) as (client, _):
            for tag in ("v1", "v2"):
                assert (await get(client, f"a/manifests/{tag}")).body == PLAIN
            behind.content[f"/v2/a/blobs/{digest(LAYER)}"] = "elsewhere", b" "
            assert (await get(client, f"a/blobs/{digest(LAYER)}")).body == LAYER
        assert behind.asked["GET", "/token?service=s&scope=repository%3Aa%3Apull"] == 1
        # The password goes to the token service alone, and nothing is tried without a token twice.
        assert sum(headers.get("Authorization") == LOGIN for headers in behind.headers) == 1
        assert sum("Authorization" not in headers for headers in behind.headers) == 2

    asyncio.run(check_it())


def test_what_was_fetched_too_long_ago_goes(storage: Storage, behind: Behind) -> None:
    async def check_it() -> None:
        behind.has("a", PLAIN, "v1")
        behind.has_blob("a", LAYER)
        async with cache(storage, behind, ttl=0.3) as (client, made):
            for path in ("manifests/v1", f"blobs/{digest(LAYER)}"):
                await get(client, f"a/{path}")
            await made.expire()
            assert storage.blobs("a") == [digest(LAYER)]
            await asyncio.sleep(0.4)
            await made.expire()
            assert (storage.blobs("a"), storage.manifests("a"), storage.tags("a")) == ([], [], [])
            assert (await get(client, f"a/blobs/{digest(LAYER)}")).body == LAYER

    asyncio.run(check_it())


NAME = "some/image"
LARGE = made_up(2_500_000)
WHOLE = image(layers=[descriptor(LARGE)])


@contextmanager
def guarded(folder: Path, login: str) -> Iterator[str]:
    """The original with an image that nobody but a reader may pull; its URL."""
    with docker_registry(folder, filesystem=True) as original:
        url = f"{original.url}/v2/{NAME}"
        for content in (CONFIG, LARGE):
            location = requests.post(f"{url}/blobs/uploads/", timeout=10).headers["Location"]
            done = requests.put(location, params={"digest": digest(content)}, data=content, timeout=10)
            assert done.status_code == 201
        done = requests.put(f"{url}/manifests/v1", data=WHOLE, headers={"Content-Type": IMAGE}, timeout=10)
        assert done.status_code == 201
    if login == "password":
        with docker_registry(folder, filesystem=True, users={READER.name: READER.password}) as original:
            yield original.url
    else:
        with (
            token_server(folder, READER) as tokens,
            docker_registry(folder, filesystem=True, extra={"auth": tokens.auth}) as original,
        ):
            yield original.url


@obeys("proxy.remoteurl", "proxy.username", "proxy.password")
@pytest.mark.needs("docker-registry")
@pytest.mark.parametrize("login", ["password", "token"])
def test_a_cache_of_the_original(starter: Start, tmp_path: Path, login: str) -> None:
    def started(upstream: str, password: str, root: str) -> Process:
        text = (
            f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path / root}\n"
            f"proxy:\n  remoteurl: {upstream}\n  username: {READER.name}\n  password: {password}\n"
        )
        return starter(str(written(tmp_path, text)), "--addr", "127.0.0.1:0")

    def got(path: str) -> requests.Response:
        return requests.get(f"{process.url}/v2/{NAME}/{path}", headers={"Accept": IMAGE}, timeout=20)

    with guarded(tmp_path, login) as upstream:
        process = started(upstream, READER.password, "cache")
        with ThreadPoolExecutor(4) as threads:
            assert got("manifests/v1").content == WHOLE
            pulls = [threads.submit(got, f"blobs/{digest(LARGE)}") for _ in range(4)]
            assert all(pull.result().content == LARGE for pull in pulls)
        assert got("tags/list").json() == {"name": NAME, "tags": ["v1"]}
        assert got("manifests/v2").status_code == 404
        other = started(upstream, "wrong", "other")
        refused = requests.get(f"{other.url}/v2/{NAME}/manifests/v1", timeout=10)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "DENIED")
    assert got("manifests/v1").content == WHOLE
    assert got(f"blobs/{digest(LARGE)}").content == LARGE
    for path in ("manifests/v2", f"blobs/{digest(CONFIG)}", "tags/list"):
        assert got(path).status_code == 503
    assert (process.stop(), other.stop()) == (0, 0)
    assert READER.password not in process.log.read_text()
    assert check(tmp_path / "cache", partial_images=True).found == []
    assert "lacks blob" in " ".join(map(str, check(tmp_path / "cache").found))
