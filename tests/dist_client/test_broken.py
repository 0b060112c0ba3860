"""Connections that break: what was there is kept, what is missing is fetched or sent, and nothing half is left."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from reference.dist import Client, Options, RegistryError, SyncClient
from tests.clients.images import blobs, reachable
from tests.dist_client.conftest import Made
from tests.dist_client.proxy import proxy
from tests.support.scripted.server import Answer, Asked, serve
from tests.support.servers import Server, reference

_MIB = 1 << 20
_SIZE = 5 * _MIB


def test_pull_goes_on_where_it_broke(
    client: SyncClient, server: Server, repository: str, made: Made, tmp_path: Path
) -> None:
    client.copy(made.at("v1"), f"{server.address}/{repository}:v1")
    with proxy(server.address, down=[_MIB, 2 * _MIB, 3 * _MIB, 4 * _MIB]) as between:
        client.copy(f"{between.address}/{repository}:v1", f"oci:{tmp_path / 'back'}:v1")
        assert between.cuts == 4
        # Ranges: little more than the image went over, although four connections broke with what was under way.
        assert between.sums["down"] < 1.6 * _SIZE
    assert blobs(tmp_path / "back") == reachable(made.layout.folder, made.image["digest"])


def test_push_goes_on_where_it_broke(
    client: SyncClient, server: Server, repository: str, made: Made, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.write_bytes(bytes(range(256)) * (4 * _MIB // 256))
    with proxy(server.address, up=[3 * _MIB // 2, 5 * _MIB // 2]) as between:
        blob = client.push(content, f"{between.address}/{repository}", "text/plain")
        assert between.cuts == 2
        again = between.sums["up"] - blob.size
    assert client.fetch_blob(f"{server.address}/{repository}", blob) == content.read_bytes()
    # Only what was under way in the connections goes twice; the original gives up an upload that broke in a chunk.
    if server.name == "reference":
        assert again < _MIB


def test_copy_over_two_broken_connections(client: SyncClient, server: Server, repository: str, made: Made) -> None:
    client.copy(made.at("v1"), f"{server.address}/{repository}:v1")
    with (
        proxy(server.address, down=[_MIB, 2 * _MIB]) as source,
        proxy(server.address, up=[_MIB, 3 * _MIB]) as target,
    ):
        client.copy(f"{source.address}/{repository}:v1", f"{target.address}/{repository}/other:v1")
        assert (source.cuts, target.cuts) == (2, 2)
    assert client.verify(f"{server.address}/{repository}/other:v1").problems == []


def test_ranges_that_are_not_known(client: SyncClient, tmp_path: Path) -> None:
    content = b"0123456789" * 200_000
    blob = client.push(content, f"oci:{tmp_path / 'layout'}", "text/plain")

    with serve(lambda _: Answer(200, content)) as server, proxy(server.url[7:], down=[_MIB]) as between:
        assert client.fetch_blob(f"{between.address}/any/name", blob) == content
        assert [asked.headers.get("range") is None for asked in server.asked] == [True, False]


def test_it_gives_up_and_leaves_nothing(client: SyncClient, plain: Server, made: Made, tmp_path: Path) -> None:
    client.copy(made.at("v1"), f"{plain.address}/dist/given-up:v1")
    with proxy(plain.address, down=[100_000, *range(100_001, 100_200)]) as between, pytest.raises(RegistryError):
        client.copy(f"{between.address}/dist/given-up:v1", f"oci:{tmp_path / 'back'}:v1")
    assert [
        path for path in (tmp_path / "back").rglob("*") if path.name.startswith(".dist") or path.name == "index.json"
    ] == []


def test_a_registry_that_is_not_ready(client: SyncClient, made: Made) -> None:
    count = iter(range(9))
    manifest = blobs(made.layout.folder)[made.image["digest"]]

    def answer(_: Asked) -> Answer:
        return Answer(200, manifest) if next(count) == 2 else Answer(503, headers=(("Retry-After", "0"),))

    with serve(answer) as server:
        assert client.fetch(f"{server.url}/any/name:v1").body == manifest
        assert len(server.asked) == 3


def test_proxies_of_the_environment(client: SyncClient, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = blobs(made.layout.folder)[made.image["digest"]]
    with serve(lambda _: Answer(200, manifest)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:of-the-proxy@"))
        monkeypatch.delenv("no_proxy", raising=False)
        assert client.fetch("http://registry.example/any/name:v1").body == manifest
        (asked,) = proxy.asked
        assert asked.path == "http://registry.example/v2/any/name/manifests/v1"
        assert asked.headers["proxy-authorization"].startswith("Basic ")


def test_interim_answers_are_passed_over(client: SyncClient, tmp_path: Path, made: Made) -> None:
    with reference(tmp_path, variants=["early-hints"]) as server:
        client.copy(made.at("v1"), f"{server.address}/any/name:v1")
        assert client.verify(f"{server.address}/any/name:v1").problems == []


def test_mounts_that_are_denied(client: SyncClient, tmp_path: Path, made: Made) -> None:
    with reference(tmp_path, variants=["mounts-denied"]) as server:
        client.copy(made.at("v1"), f"{server.address}/one:v1")
        assert client.copy(f"{server.address}/one:v1", f"{server.address}/other:v1").blobs == 6


def test_blobs_that_only_another_repository_has(client: SyncClient, tmp_path: Path, made: Made) -> None:
    with reference(tmp_path, variants=["blobs-registry-wide"]) as server:
        for name in ("one", "other"):
            client.copy(made.at("v1"), f"{server.address}/{name}:v1")
            assert client.verify(f"{server.address}/{name}:v1").problems == []


def test_nobody_listens() -> None:
    # So many retries would take hours; a registry that never answered is given up after the second.
    client = SyncClient(Options(retries=50, pause=0.01))
    with client, pytest.raises(RegistryError, match=r"^127\.0\.0\.1:1: the connection failed \(Connection refused\)$"):
        client.resolve("127.0.0.1:1/any/name:v1")


def test_silence_is_given_up() -> None:
    def answer(_: Asked) -> Answer:
        time.sleep(0.3)
        return Answer(200)

    options = Options(timeout=0.1, retries=1, pause=0)
    with serve(answer) as server, SyncClient(options) as client, pytest.raises(RegistryError, match="in time"):
        client.resolve(f"{server.url}/any/name:v1")


def test_cancelled_copies_stop_and_leave_nothing(plain: Server, made: Made, tmp_path: Path) -> None:
    began = threading.Event()

    async def work() -> None:
        async with Client(progress=lambda *_: began.set()) as client:
            await client.copy(made.at("v1"), f"{plain.address}/dist/cancelled:v1")
            began.clear()
            task = asyncio.create_task(client.copy(f"{plain.address}/dist/cancelled:v1", f"oci:{tmp_path / 'back'}:v1"))
            while not began.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())
    assert not list((tmp_path / "back").rglob(".dist-*"))
    assert not (tmp_path / "back" / "index.json").exists()
