"""What no image needs goes, what one needs stays, and a client that pushes meanwhile is not troubled."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from reference.__main__ import main
from reference.app import Registry
from reference.configuration.reading import ConfigError, read
from reference.maintenance.collection import Collector
from reference.maintenance.contents import Contents
from reference.storage import Storage
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from tests.reference.conftest import Start
from tests.reference.probe import CONFIG, INDEX, LAYER, Client, descriptor, digest, image, index
from tests.reference.process.test_command import HEAD, written
from tests.support.obeys import obeys

OTHER = b"another layer"
UNKNOWN = "application/vnd.example.bundle+json"
PLAIN, SECOND = image(), image(layers=[descriptor(OTHER)], annotations={"n": "2"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "filesystem", "distribution"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "memory":
        return MemoryStorage()
    return (FilesystemStorage if request.param == "filesystem" else DistributionStorage)(tmp_path / "root", "never")


async def fill(client: Client, name: str = "a", *blobs: bytes) -> None:
    for content in (CONFIG, LAYER, OTHER, *blobs):
        assert (await client.blob(name, content)).status == 201


async def push(client: Client, reference: str, body: bytes, media_type: str = "", name: str = "a") -> None:
    given = media_type or str(json.loads(body)["mediaType"])
    assert (await client.manifest(name, reference, body, given)).status == 201


def left(storage: Storage, name: str = "a") -> set[str]:
    return {*storage.blobs(name), *storage.manifests(name)}


def digests(*contents: bytes) -> set[str]:
    return {digest(content) for content in contents}


def test_blobs_that_no_manifest_names_go(storage: Storage) -> None:
    async def check() -> None:
        client = Client(Registry(storage))
        bundle = json.dumps({"parts": [{"deep": [{"digest": digest(b"bundled")}]}]}).encode()
        await fill(client, "a", b"bundled", b"nobody's")
        await client.blob("a/b", LAYER)
        await push(client, digest(PLAIN), PLAIN)
        await push(client, "bundle", bundle, UNKNOWN)
        for dry_run in (True, False):
            done = await Collector(storage, age=0, dry_run=dry_run).collect()
            assert {name for name, _ in done.blobs} == {"a", "a/b"}
            assert (str(done).partition(",")[0], done.obstacles) == ("0 manifests and 3 blobs", [])
        assert left(storage) == digests(CONFIG, LAYER, b"bundled", PLAIN, bundle)
        assert left(storage, "a/b") == set()
        assert (await client.call("GET", f"/v2/a/blobs/{digest(LAYER)}")).body == LAYER
        assert (await client.call("GET", f"/v2/a/blobs/{digest(OTHER)}")).status == 404
        assert str(await Collector(storage, age=0).collect()) == "0 manifests and 0 blobs"

    asyncio.run(check())


def test_untagged_manifests_go_with_what_is_about_them(storage: Storage) -> None:
    """Children of an index that stays, and referrers of what stays, stay; a referrer keeps no subject."""

    async def check() -> None:
        client = Client(Registry(storage))
        child, lone = image(annotations={"n": "child"}), SECOND
        about_child = image(subject=descriptor(child, "a/b"), artifactType="a/sig")
        about_that = image(subject=descriptor(about_child, "a/b"), artifactType="a/sig")
        about_lone = image(subject=descriptor(lone, "a/b"), artifactType="a/sig")
        tagged_about_lone = image(subject=descriptor(lone, "a/b"), artifactType="a/other")
        kept, dropped = index(child), index(lone, annotations={"n": "untagged"})
        await fill(client)
        for body in (child, about_child, about_that, lone, about_lone, dropped):
            await push(client, digest(body), body)
        await push(client, "kept", kept, INDEX)
        await push(client, "signature", tagged_about_lone)
        done = await Collector(storage, age=0, untagged=True).collect()
        order = [known for _, known in done.manifests]
        assert set(order) == digests(lone, about_lone, dropped)
        assert order.index(digest(dropped)) < order.index(digest(lone))
        stay = digests(child, about_child, about_that, kept, tagged_about_lone)
        assert left(storage) == stay | digests(CONFIG, LAYER)
        assert storage.referrers("a", digest(lone)) == [digest(tagged_about_lone)]
        assert storage.tags("a") == ["kept", "signature"]

    asyncio.run(check())


def test_what_somebody_asks_for_stays_for_another_while(storage: Storage) -> None:
    async def check() -> None:
        clock, registry = Clock(), Registry(storage)
        collector = registry.collector = Collector(storage, age=60, untagged=True, clock=clock)
        client = Client(registry)
        await fill(client)
        await push(client, digest(SECOND), SECOND)
        for later, asked in ((0, ""), (59, ""), (2, digest(LAYER)), (59, ""), (2, "")):
            clock.now += later
            if asked:
                assert (await client.call("HEAD", f"/v2/a/blobs/{asked}")).status == 200
            await collector.collect()
            found = left(storage)
            # Nobody asks for the untagged manifest and its parts; it goes after a minute, the asked blob later.
            assert (digest(SECOND) in found) is (clock.now < 1060)
            assert (digest(CONFIG) in found) is (clock.now < 1060)
            assert (digest(LAYER) in found) is (clock.now < 1122)
        assert left(storage) == set()

    asyncio.run(check())


@pytest.mark.parametrize("late", ["manifest", "tag"])
def test_what_is_needed_at_the_last_moment_stays(storage: Storage, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    """A push comes after the storage was read, and before anything is taken."""

    async def check() -> None:
        client = Client(Registry(storage))
        await fill(client)
        about = [image(subject=descriptor(PLAIN, "a/b"), artifactType=f"a/sig{number}") for number in range(5)]
        if late == "tag":
            for body in (PLAIN, *about):
                await push(client, digest(body), body)
        collector = Collector(storage, age=0, untagged=True)
        whole = Contents.read

        def slow(*arguments: object) -> Contents:
            found = whole(*arguments)  # type: ignore[arg-type]  # they are handed on
            asyncio.run_coroutine_threadsafe(push(client, "late", PLAIN), loop).result(10)
            return found

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(Contents, "read", slow)
        await collector.collect()
        assert left(storage) == digests(CONFIG, LAYER, PLAIN, *(about if late == "tag" else ()))
        assert (await client.call("GET", "/v2/a/manifests/late")).body == PLAIN

    asyncio.run(check())


def test_an_index_may_be_about_what_it_names(storage: Storage) -> None:
    async def check() -> None:
        client = Client(Registry(storage))
        about_itself = index(PLAIN, subject=descriptor(PLAIN, "a/b"))
        await fill(client)
        for body in (PLAIN, about_itself):
            await push(client, digest(body), body)
        done = await Collector(storage, age=0, untagged=True).collect()
        assert [known for _, known in done.manifests] == [digest(about_itself), digest(PLAIN)]
        assert left(storage) == set()

    asyncio.run(check())


def test_much_goes_in_steps_between_which_others_have_their_turn(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reference.maintenance.collection._MOMENT", 0)

    async def check() -> None:
        client = Client(Registry(storage))
        for number in range(250):
            await client.blob("a", b"%d" % number)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while storage.blobs("a"):
                turns += len(storage.blobs("a")) < 250
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        assert len((await Collector(storage, age=0).collect()).blobs) == 250
        await beside
        assert turns >= 2

    asyncio.run(check())


def test_nothing_goes_where_a_manifest_went_bad(tmp_path: Path) -> None:
    async def check() -> None:
        storage = FilesystemStorage(tmp_path)
        client = Client(Registry(storage))
        for name in ("a", "b"):
            await fill(client, name)
        await push(client, "v1", PLAIN)
        (stored,) = (tmp_path / "repositories/a/_manifests/sha256").glob("[0-9a-f]" * 64)
        stored.write_bytes(PLAIN.replace(digest(LAYER).encode(), digest(OTHER).encode()))
        done = await Collector(storage, age=0, untagged=True).collect()
        assert done.obstacles == [
            f"repository a: manifest {digest(PLAIN)} is not what its digest says; nothing in it is collected"
        ]
        assert left(storage) == digests(CONFIG, LAYER, OTHER, PLAIN)
        assert left(storage, "b") == set()

    asyncio.run(check())


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """The command, in this process: five starts would take most of the time."""
    return Done(main(list(arguments)), *capsys.readouterr())


def configured(folder: Path, more: str = "") -> Path:
    root = folder / "root"
    return written(folder, f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\n{more}")


def test_the_command_collects_where_no_registry_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(configured(tmp_path))
    missing = run(capsys, "garbage-collect", config)
    assert (missing.returncode, missing.stderr) == (
        4,
        f"registry: storage.filesystem.rootdirectory: {tmp_path / 'root'}: no such directory\n",
    )
    storage = FilesystemStorage(tmp_path / "root")

    async def filled() -> None:
        client = Client(Registry(storage))
        await fill(client)
        await push(client, digest(PLAIN), PLAIN)

    asyncio.run(filled())
    busy = run(capsys, "garbage-collect", config)
    assert busy.returncode == 4
    assert "another process uses it; stop it, or have it collect by itself: storage.maintenance" in busy.stderr
    storage.close()
    dry = run(capsys, "garbage-collect", "-d", "-m", config)
    assert (dry.returncode, dry.stdout.splitlines()[-1]) == (0, "1 manifests and 3 blobs would be deleted")
    done = run(capsys, "garbage-collect", config)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"a: blob {digest(OTHER)}\n0 manifests and 1 blobs deleted\n",
        "",
    )


@pytest.mark.parametrize(
    "broken",
    [
        (PermissionError(13, "Permission denied", "/a/file"), 4, "rootdirectory: /a/file: Permission denied\n"),
        (KeyboardInterrupt(), 130, "registry: broken off; what was done is done, and it can be done again\n"),
    ],
)
@pytest.mark.parametrize("command", ["garbage-collect", "fsck"])
def test_what_breaks_a_command_off_is_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    broken: tuple[BaseException, int, str],
) -> None:
    error, code, says = broken

    def breaking(*_arguments: object) -> None:
        raise error

    FilesystemStorage(tmp_path / "root").close()
    monkeypatch.setattr("reference.storage.layout.Layout.names", breaking)
    done = run(capsys, command, str(configured(tmp_path)))
    assert (done.returncode, done.stderr.endswith(says)) == (code, True), done.stderr


@pytest.mark.parametrize("words", [("fsck", "CONFIG"), ("schema",), ("faults", "--json")])
def test_lines_that_nobody_reads_are_no_trouble(tmp_path: Path, words: tuple[str, ...]) -> None:
    FilesystemStorage(tmp_path / "root").close()
    config = str(configured(tmp_path))
    command = [sys.executable, "-u", "-m", "reference", *(config if word == "CONFIG" else word for word in words)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_storage_without_a_registry_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "garbage-collect", str(written(tmp_path, HEAD)))
    assert (done.returncode, "storage.inmemory: there is nothing" in done.stderr) == (4, True)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("    readonly: {enabled: true}\n    garbagecollect: {enabled: true}\n", 6, "nothing is taken from a registry"),
        ("    garbagecollect: {enabled: true, interval: 0s}\n", 5, "interval must be more than nothing"),
        ("    garbagecollect: {enabled: true, often: x}\n", 5, "garbagecollect.often is unknown"),
    ],
)
def test_a_wrong_configuration_names_the_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = written(tmp_path, f"{HEAD}  maintenance:\n{text}")
    with pytest.raises(ConfigError) as caught:
        read(path, {})
    assert str(caught.value).startswith(f"{path}:{line}: storage.maintenance.garbagecollect")
    assert says in str(caught.value)


@obeys("storage.maintenance.garbagecollect.enabled")
@pytest.mark.parametrize("layout", ["links", pytest.param("distribution", marks=pytest.mark.slow)])
def test_a_registry_collects_while_clients_push(starter: Start, tmp_path: Path, layout: str) -> None:
    """Rounds without a pause: no push of an image fails, nothing that one needs goes, and what nobody needs does."""
    process = starter(
        str(
            configured(
                tmp_path,
                f"    layout: {layout}\n"
                "  maintenance:\n    garbagecollect:\n      enabled: true\n      deleteuntagged: true\n"
                "      interval: 10ms\n      age: 1s\n",
            )
        ),
        "--addr",
        "127.0.0.1:0",
    )
    url, failures = f"{process.url}/v2/busy", []

    def client(number: int) -> None:
        with requests.Session() as session:
            for turn in range(12):
                layer = b"layer %d %d" % (number, turn)
                for content in (layer, CONFIG):
                    if session.head(f"{url}/blobs/{digest(content)}", timeout=10).status_code == 404:
                        session.post(
                            f"{url}/blobs/uploads/", params={"digest": digest(content)}, data=content, timeout=10
                        )
                body = image(layers=[descriptor(layer)])
                for reference, sent, kind in (
                    (digest(body), body, "image.manifest"),
                    (f"t{number}-{turn}", index(body), "image.index"),
                ):
                    headers = {"Content-Type": f"application/vnd.oci.{kind}.v1+json"}
                    answer = session.put(f"{url}/manifests/{reference}", data=sent, headers=headers, timeout=10)
                    if answer.status_code != 201:
                        failures.append(answer.text)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(3)]
    lone = requests.post(f"{url}/blobs/uploads/", params={"digest": digest(OTHER)}, data=OTHER, timeout=10)
    assert lone.status_code == 201
    for each in clients:
        each.start()
    for each in clients:
        each.join(60)
    assert failures == []
    end = time.monotonic() + 20
    while not re.search(r"collected \d+ manifests and [1-9]", process.log.read_text()):
        assert time.monotonic() < end, process.log.read_text()
        time.sleep(0.1)
    if layout == "distribution":
        while list(tmp_path.glob(f"root/docker/registry/v2/blobs/*/*/{digest(OTHER).partition(':')[2]}")):
            assert time.monotonic() < end
            time.sleep(0.1)
    tags = requests.get(f"{url}/tags/list", timeout=10).json()["tags"]
    assert len(tags) == 36
    for tag in tags:
        (child,) = requests.get(f"{url}/manifests/{tag}", timeout=10).json()["manifests"]
        for layer in requests.get(f"{url}/manifests/{child['digest']}", timeout=10).json()["layers"]:
            assert requests.get(f"{url}/blobs/{layer['digest']}", timeout=10).content.startswith(b"layer ")
    assert requests.head(f"{url}/blobs/{digest(OTHER)}", timeout=10).status_code == 404
    for number in range(3):
        for turn in range(12):
            found = requests.get(f"{url}/manifests/t{number}-{turn}", timeout=10).json()
            child = requests.get(f"{url}/manifests/{found['manifests'][0]['digest']}", timeout=10).json()
            layer = requests.get(f"{url}/blobs/{child['layers'][0]['digest']}", timeout=10)
            assert layer.content == b"layer %d %d" % (number, turn)
