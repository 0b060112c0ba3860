"""A registry on a bucket: it shares it with others, tells what fails, and sends pulls there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from obstore.store import MemoryStore

from reference.app import Registry
from reference.launch import LaunchError
from reference.launch.maintenance import fsck, garbage_collect
from reference.launch.registry import make_storage, read_config
from reference.storage.objects import bucket as buckets
from reference.storage.objects import opening
from reference.storage.objects.bridge import carried, is_carried, waited
from reference.storage.objects.storage import ObjectStorage
from tests.reference.probe import CONFIG, LAYER, Client, digest, image
from tests.reference.storage.test_failing_storage import check_answer, sequence
from tests.support.buckets import NAMES, S3, SECRET, configuration
from tests.support.chance import made_up
from tests.support.obeys import obeys
from tests.support.servers import Server, reference

CONTENT = made_up(300_000)
#: More than a sequence of requests has.
STEPS = 200


@pytest.fixture(scope="module")
def two(emulator: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two registries on one bucket; the second one sends pulls to it."""
    parameters = emulator.make(f"bucket-{next(NAMES)}")
    with ExitStack() as stack:
        servers = []
        for redirects in (False, True):
            storage = {"s3": parameters, "redirect": {"disable": not redirects}}
            folder = tmp_path_factory.mktemp("registry")
            servers.append(stack.enter_context(reference(folder, config={"version": "0.1", "storage": storage})))
        yield servers[0], servers[1]


def _push(server: Server, name: str, content: bytes) -> None:
    answer = requests.post(f"{server.url}/v2/{name}/blobs/uploads/?digest={digest(content)}", content, timeout=10)
    assert answer.status_code == 201


@obeys("storage.s3.bucket", "storage.s3.regionendpoint")
def test_two_registries_are_one(two: tuple[Server, Server]) -> None:
    one, other = two
    location = requests.post(f"{one.url}/v2/a/blobs/uploads/", timeout=10).headers["Location"]
    answer = requests.patch(f"{one.url}{location}", CONTENT[:100_000], timeout=10)
    assert (answer.status_code, answer.headers["Range"]) == (202, "0-99999")
    assert requests.get(f"{other.url}{location}", timeout=10).headers["Range"] == "0-99999"
    chunk = {"Content-Range": "100000-299999"}
    answer = requests.patch(f"{other.url}{location}", CONTENT[100_000:], headers=chunk, timeout=10)
    assert answer.headers["Range"] == "0-299999"
    assert requests.get(f"{one.url}{location}", timeout=10).headers["Range"] == "0-299999"
    assert requests.put(f"{one.url}{location}?digest={digest(CONTENT)}", timeout=10).status_code == 201
    assert requests.get(f"{other.url}{location}", timeout=10).status_code == 404
    assert requests.get(f"{one.url}/v2/a/blobs/{digest(CONTENT)}", timeout=10).content == CONTENT
    for server, content in ((one, CONFIG), (other, LAYER)):
        _push(server, "a", content)
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    assert requests.put(f"{other.url}/v2/a/manifests/v1", image(), headers=kind, timeout=10).status_code == 201
    assert requests.get(f"{one.url}/v2/a/manifests/v1", timeout=10).content == image()
    assert requests.get(f"{one.url}/v2/a/tags/list", timeout=10).json()["tags"] == ["v1"]
    assert "a" in requests.get(f"{one.url}/v2/_catalog", timeout=10).json()["repositories"]
    assert requests.delete(f"{one.url}/v2/a/manifests/{digest(image())}", timeout=10).status_code == 202
    assert requests.get(f"{other.url}/v2/a/manifests/v1", timeout=10).status_code == 404
    assert requests.get(f"{other.url}/v2/a/tags/list", timeout=10).json()["tags"] == []


@obeys("storage.redirect.disable")
def test_a_pull_is_sent_to_the_bucket(two: tuple[Server, Server], emulator: S3) -> None:
    server = two[1]
    _push(server, "b", CONTENT)
    url = f"{server.url}/v2/b/blobs/{digest(CONTENT)}"
    answer = requests.get(url, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (307, digest(CONTENT))
    assert answer.headers["Location"].startswith(emulator.url)
    assert SECRET not in str(answer.headers)
    pulled = requests.get(url, timeout=10)
    assert (pulled.content, pulled.headers["Content-Type"]) == (CONTENT, "application/octet-stream")
    part = requests.get(url, headers={"Range": "bytes=5-9"}, allow_redirects=False, timeout=10)
    assert (part.status_code, part.content) == (206, CONTENT[5:10])
    head = requests.head(url, timeout=10)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(CONTENT)))
    absent = requests.get(f"{server.url}/v2/b/blobs/{digest(b'absent')}", allow_redirects=False, timeout=10)
    assert absent.status_code == 404


def test_a_failure_at_any_step_is_told_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = buckets.Bucket._errors
    steps = 0

    @contextmanager
    def counted(bucket: buckets.Bucket) -> Iterator[None]:
        nonlocal steps
        steps += 1
        if steps == failing:
            raise OSError("the bucket is away")
        with tried(bucket):
            yield

    monkeypatch.setattr(buckets.Bucket, "_errors", counted)
    for step in range(1, STEPS):
        steps, failing = 0, step
        client = Client(Registry(ObjectStorage(buckets.Bucket(MemoryStore()), "bucket")))
        asyncio.run(sequence(client))
        if steps < step:
            return
        for answer in client.answers:
            if answer.status >= 500:
                check_answer(answer)
        failing = 0
        assert asyncio.run(sequence(client)), step
    pytest.fail("it never ended")


def test_others_are_answered_while_one_waits_for_the_bucket() -> None:
    order: list[str] = []

    def plain(name: str, seconds: float) -> str:
        """What knows nothing of the event loop."""
        assert is_carried()
        waited(asyncio.sleep(seconds))
        order.append(name)
        return name

    async def request(name: str, seconds: float) -> str:
        await asyncio.sleep(0)
        found = plain(name, seconds)
        await asyncio.sleep(0)
        return found

    async def all_of_them() -> list[str]:
        return list(await asyncio.gather(carried(request("slow", 0.05)), carried(request("fast", 0.01))))

    assert asyncio.run(all_of_them()) == ["slow", "fast"]
    assert order == ["fast", "slow"]
    assert not is_carried()


def test_what_is_waited_for_can_fail_and_be_cancelled() -> None:
    async def failing() -> None:
        raise OSError("away")

    async def request(what: Awaitable[None]) -> str:
        try:
            waited(what)
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            return type(error).__name__
        return "nothing"

    async def limited() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)

    async def cancelled() -> str:
        task = asyncio.create_task(carried(request(asyncio.sleep(10))))
        await asyncio.sleep(0.01)
        task.cancel()
        return await task

    assert asyncio.run(carried(request(failing()))) == "OSError"
    assert asyncio.run(carried(request(limited()))) == "TimeoutError"
    assert asyncio.run(cancelled()) == "CancelledError"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"bucket": "absent-bucket"}, "storage.s3: the bucket cannot be used: Generic S3 error"),
        ({"regionendpoint": "http://127.0.0.1:9"}, "storage.s3: the bucket cannot be used: Generic S3 error"),
    ],
)
def test_a_bucket_that_is_not_there_is_named(
    emulator: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], says: str
) -> None:

    monkeypatch.setattr(opening, "_RETRIES", 0)
    parameters = {**emulator.make(f"bucket-{next(NAMES)}"), **changed}
    config = read_config(configuration(tmp_path / "config.yml", {"s3": parameters}))
    assert SECRET not in repr(config)
    with pytest.raises(LaunchError) as caught:
        make_storage(config)
    assert str(caught.value).startswith(says)
    assert SECRET not in str(caught.value)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    monkeypatch.delitem(sys.modules, "reference.storage.objects.opening")
    config = read_config(configuration(tmp_path / "config.yml", {"s3": {"region": "x", "bucket": "y"}}))
    needed = r"storage\.s3: it needs the package obstore\.store: install registry-conformance\[object-storage\]"
    with pytest.raises(LaunchError, match=needed):
        make_storage(config)


@pytest.mark.parametrize("command", [fsck, garbage_collect])
def test_a_command_for_directories_says_so(tmp_path: Path, command: Callable[..., int]) -> None:
    path = configuration(tmp_path / "config.yml", {"s3": {"region": "x", "bucket": "y"}})
    options = {"repair": False} if command is fsck else {"untagged": False, "dry_run": True}
    with pytest.raises(LaunchError, match=r"storage\.s3: this is for a directory"):
        command(path, **options)
