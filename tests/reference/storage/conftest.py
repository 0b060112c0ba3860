"""The storages that keep the same laws, each with a way to open it once more."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reference.config import read
from reference.launch.registry import make_storage
from reference.storage import Storage
from reference.storage.filesystem import FilesystemStorage
from reference.storage.memory import MemoryStorage
from tests.support import buckets


@dataclass
class Home:
    """A place where content is kept, and the storages that were opened in it."""

    make: Callable[[], Storage]
    is_shared: bool
    opened: list[Storage] = field(default_factory=list)

    def open(self) -> Storage:
        """Open it."""
        self.opened.append(self.make())
        return self.opened[-1]

    def another(self) -> Storage:
        """What another process has: beside the first one, or where that cannot be, after it."""
        if not self.is_shared:
            self.opened[-1].close()
        return self.open()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[buckets.S3]:
    """The emulator of S3, for all tests of a process."""
    with buckets.s3(tmp_path_factory.mktemp("s3")) as running:
        yield running


def _in_bucket(request: pytest.FixtureRequest, folder: Path) -> Home:
    running: buckets.S3 = request.getfixturevalue("emulator")
    config = folder / "config.yml"
    buckets.configuration(config, {"s3": {**running.make(f"b-{uuid.uuid4().hex}"), "rootdirectory": "/some/where"}})
    return Home(lambda: make_storage(read(config, {})), is_shared=True)


@pytest.fixture(params=["filesystem", "s3"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Those that outlast a process."""
    if request.param == "filesystem":
        return Home(lambda: FilesystemStorage(tmp_path / "root"), is_shared=False)
    return _in_bucket(request, tmp_path)


@pytest.fixture(params=["s3"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Those that several processes use at the same time."""
    return _in_bucket(request, tmp_path)


@pytest.fixture(params=["memory", "filesystem", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """All of them."""
    if request.param == "memory":
        return MemoryStorage()
    if request.param == "filesystem":
        return FilesystemStorage(tmp_path / "root")
    return _in_bucket(request, tmp_path).open()
