"""The registry as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.support import valid

START_LIMIT = 20.0
STOP_LIMIT = 10.0


@dataclass
class Process:
    """A running registry and where it listens."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def host(self) -> tuple[str, int]:
        name, _, port = self.address.rpartition(":")
        return name, int(port)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_LIMIT)

    def memory(self) -> int:
        """The peak of the resident memory, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


Start = Callable[..., Process]


def spawn(arguments: tuple[str, ...], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "reference", "serve", *arguments], stdout=log, stderr=log)


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    running: list[Process] = []

    def start(*arguments: str) -> Process:
        folder = tmp_path_factory.mktemp("registry")
        port_file, log = folder / "port", folder / "log"
        given = arguments or ("--memory", "--addr", "127.0.0.1:0")
        with log.open("wb") as output:
            process = spawn((*given, "--port-file", str(port_file)), output)
        deadline = time.monotonic() + START_LIMIT
        while not (port_file.exists() and port_file.read_text().endswith("\n")):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the registry does not start"
            time.sleep(0.01)
        if not given[0].startswith("-"):
            valid.check(Path(given[0]))
        running.append(Process(process, port_file.read_text().strip(), log))
        return running[-1]

    yield start
    alive = [each.process for each in running if each.process.poll() is None]
    for process in alive:
        process.terminate()
    for process in alive:
        process.wait(STOP_LIMIT)


@pytest.fixture(scope="session")
def registry(starter: Start) -> Process:
    """A registry in memory, shared: each test has a repository of its own."""
    return starter()


@pytest.fixture(scope="session")
def file_registry(starter: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Process, Path]:
    """A registry on files, shared, and its directory."""
    folder = tmp_path_factory.mktemp("files")
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder / 'root'}\nhttp:\n  addr: 127.0.0.1:0\n"
    )
    return starter(str(config)), folder / "root"
