"""The storages that keep the same laws, each with a way to open it once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reference.configuration.reading import read
from reference.launch.registry import make_storage
from reference.storage import Storage
from reference.storage.distribution.storage import DistributionStorage
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


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[buckets.Google]:
    """That of Google Cloud Storage."""
    with buckets.google(tmp_path_factory.mktemp("google")) as running:
        yield running


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[buckets.Azure]:
    """That of Azure."""
    with buckets.azure(tmp_path_factory.mktemp("azure")) as running:
        yield running


EMULATORS = {"s3": "emulator", "gcs": "google", "azure": "azure"}
#: The others differ in what the library is told; npm fetches the emulator of Azure, which takes a while.
BUCKETS = [
    "s3",
    pytest.param("gcs", marks=pytest.mark.slow),
    pytest.param("azure", marks=[pytest.mark.slow, pytest.mark.needs("npx")]),
]


def _home(request: pytest.FixtureRequest, folder: Path) -> Home:
    if request.param == "memory":
        return Home(MemoryStorage, is_shared=False)
    if request.param == "filesystem":
        return Home(lambda: FilesystemStorage(folder / "root"), is_shared=False)
    if request.param == "distribution":
        return Home(lambda: DistributionStorage(folder / "root"), is_shared=False)
    running: buckets.Emulator = request.getfixturevalue(EMULATORS[request.param])
    parameters = {**running.make(f"bucket-{next(buckets.NAMES)}"), "rootdirectory": "/some/where"}
    config = buckets.configuration(folder / "config.yml", {request.param: parameters})
    return Home(lambda: make_storage(read(config, {})), is_shared=True)


@pytest.fixture(params=["filesystem", "distribution", *BUCKETS])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Those that outlast a process."""
    return _home(request, tmp_path)


@pytest.fixture(params=BUCKETS)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Those that several processes use at the same time."""
    return _home(request, tmp_path)


@pytest.fixture(params=["memory", "filesystem", "distribution", *BUCKETS])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """All of them."""
    return _home(request, tmp_path).open()
