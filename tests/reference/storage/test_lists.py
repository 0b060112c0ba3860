"""Lists of much content: what a page costs, and that a list that is kept is the one that is stored."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reference.app import Registry
from reference.documents import OCI_MANIFEST
from reference.grammar import digest_of
from reference.storage import Manifest, Storage, lists
from reference.storage.distribution.storage import DistributionStorage
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from reference.storage.names import Index, Names, behind, by_name, by_tag, ordered
from tests.reference.probe import Client
from tests.support.chance import made_up

MANIFEST = Manifest(digest_of(b"{}"), "application/x+json", b"{}")
MANY = 300
_READS = ("open", "os.listdir", "os.scandir", "os.remove")
_counted: list[str] | None = None
_hooked = False


def _note(event: str, _arguments: tuple[object, ...]) -> None:
    if _counted is not None and event in _READS and threading.current_thread() is threading.main_thread():
        _counted.append(event)


@contextmanager
def file_events() -> Iterator[list[str]]:
    """What this thread, which has the event loop, opens, lists and removes."""
    global _counted, _hooked  # noqa: PLW0603 - a hook of the interpreter cannot be taken away again
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    _counted = []
    try:
        yield _counted
    finally:
        _counted = None


@pytest.fixture(params=["memory", "filesystem", "distribution"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "memory":
        return MemoryStorage()
    return (FilesystemStorage if request.param == "filesystem" else DistributionStorage)(tmp_path / "root")


Kind = type[FilesystemStorage | DistributionStorage]


@pytest.fixture(scope="module", params=[FilesystemStorage, DistributionStorage])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kind, Path]:
    """A storage with many repositories, tags and referrers, which nobody has open."""
    kind: Kind = request.param
    root = tmp_path_factory.mktemp("filled")
    storage = kind(root, "never")
    other = Manifest(digest_of(b'{"a": 1}'), "application/x+json", b'{"a": 1}')
    for manifest in (MANIFEST, other):
        storage.put_manifest("r", manifest, None)
    for number in range(MANY):
        storage.set_tag("r", f"t{number:04}", MANIFEST.digest if number < 3 else other.digest)
        about = {"config": {"mediaType": "a/b"}, "number": number, "subject": {"digest": MANIFEST.digest}}
        content = json.dumps(about).encode()
        storage.put_manifest("r", Manifest(digest_of(content), OCI_MANIFEST, content), MANIFEST.digest)
        storage.put_manifest(f"many/r{number:04}", MANIFEST, None)
    storage.close()
    return kind, root


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/_catalog?n=1&last=many/r0100", 200),
        ("GET", "/v2/r/tags/list?n=1&last=t0100", 200),
        ("GET", "/v2/r/tags/list", 200),
        ("GET", f"/v2/r/referrers/{MANIFEST.digest}", 200),
        ("DELETE", f"/v2/r/manifests/{MANIFEST.digest}", 202),
    ],
)
def test_the_event_loop_walks_through_no_list(filled: tuple[Kind, Path], method: str, path: str, status: int) -> None:
    kind, root = filled
    storage = kind(root)
    client = Client(Registry(storage))

    async def check() -> None:
        with file_events() as events:
            assert (await client.call(method, path)).status == status
        assert len(events) < 30

    asyncio.run(check())
    storage.close()


def test_a_page_is_no_copy_of_the_list() -> None:
    names = Index((f"t{number:06}" for number in range(100_000)), by_tag).names()
    page = behind(ordered(names, by_tag), "t050000", by_tag)[:100]
    assert isinstance(page, Names)
    assert list(page) == [f"t{number:06}" for number in range(50_001, 50_101)]


def test_names_are_a_sequence_as_a_list_is() -> None:
    plain = sorted({made_up(3, number).hex() for number in range(200)})
    names = Index(plain, by_name).names()
    for part in (slice(None), slice(3, 9), slice(-5, None), slice(9, 3), slice(None, None, 2), slice(500, 600)):
        assert names[part] == plain[part]
        assert len(names[part]) == len(plain[part])
    inner = names[10:20]
    assert (inner[0], inner[-1], list(inner[2:4])) == (plain[10], plain[19], plain[12:14])
    assert plain[11] in inner
    assert plain[20] not in inner
    for last in (plain[0], plain[50], plain[-1], "", "zzz"):
        assert behind(names, last, by_name) == behind(plain, last, by_name) == [name for name in plain if name > last]


def test_who_has_a_list_keeps_it_as_it_was() -> None:
    index = Index(["b", "B", "a"], by_tag)
    before = index.names()
    index.add("C")
    index.discard("b")
    index.add("a")
    assert list(before) == ["a", "B", "b"]
    assert list(index.names()) == ["a", "B", "C"]


def test_lists_follow_what_is_stored(storage: Storage) -> None:
    """Also where they were read in between, and while they are read."""

    async def check() -> None:
        registry = Registry(storage)
        client = Client(registry)
        for name in ("z", "a/b", "m"):
            storage.put_manifest(name, MANIFEST, None)
        assert b'["a/b", "m", "z"]' in (await client.call("GET", "/v2/_catalog")).body
        storage.put_manifest("a", MANIFEST, None)
        assert b'["a", "a/b", "m", "z"]' in (await client.call("GET", "/v2/_catalog")).body
        storage.set_tag("a", "v1", MANIFEST.digest)
        storage.set_tag("a", "old", MANIFEST.digest)
        loading = asyncio.create_task(storage.load_tags("a"))
        await asyncio.sleep(0)
        storage.set_tag("a", "new", MANIFEST.digest)
        storage.delete_tag("a", "old")
        await loading
        assert storage.tags("a") == ["new", "v1"]
        storage.set_tag("a", "V1", digest_of(b"other"))
        assert storage.tags("a") == ["new", "V1", "v1"]
        assert sorted(storage.tags_of("a", MANIFEST.digest)) == ["new", "v1"]
        storage.set_tag("a", "v1", digest_of(b"other"))
        assert storage.tags_of("a", MANIFEST.digest) == ["new"]
        assert sorted(storage.tags_of("a", digest_of(b"other"))) == ["V1", "v1"]
        storage.delete_tag("a", "v1")
        assert storage.tags_of("a", digest_of(b"other")) == ["V1"]

    asyncio.run(check())


def test_lists_that_are_too_many_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_MOST_NAMES", 5)
    storage = FilesystemStorage(tmp_path)
    for name in ("a", "b", "c"):
        for tag in ("1", "2"):
            storage.set_tag(name, tag, MANIFEST.digest)
    for name in ("a", "b", "c", "a"):
        assert storage.tags(name) == ["1", "2"]
    storage.set_tag("b", "3", MANIFEST.digest)
    assert storage.tags("b") == ["1", "2", "3"]


def test_a_root_of_before_is_upgraded(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    storage.put_manifest("a", MANIFEST, None)
    storage.set_tag("a", "v1", MANIFEST.digest)
    storage.close()
    for path in sorted((tmp_path / "repositories/a/_tagged").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "layout").unlink()
    storage = FilesystemStorage(tmp_path)
    assert storage.tags_of("a", MANIFEST.digest) == ["v1"]
