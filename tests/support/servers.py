"""Registries as processes of their own, on a free port of the loopback interface."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import bcrypt
import requests
import yaml

from tests.support import valid
from tests.support.forked.launching import CURRENT, Forked

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_PAUSE = 0.02


class ServerError(Exception):
    """A server that did not start, with the end of what it logged."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running registry: its address as HOST:PORT, its log, and its process id."""

    name: str
    address: str
    log: Path
    pid: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The address as a URL without path."""
        return f"{self.scheme}://{self.address}"


@contextmanager
def docker_registry(
    folder: Path,
    *,
    delete: bool = True,
    users: Mapping[str, str] | None = None,
    redirect: bool = True,
    filesystem: bool = False,
    tls: tuple[Path, Path] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Iterator[Server]:
    """Run Debian's docker-registry; ``folder`` gets its configuration, log and content.

    Args:
        folder: an existing folder of the test.
        delete: whether it allows deletion.
        users: passwords by name; anonymous access without them.
        redirect: whether it may redirect to its storage (the two storages here never do).
        filesystem: keep content in ``folder`` rather than in memory.
        tls: certificate and key.
        extra: members that replace those of the configuration.
    """
    storage: dict[str, Any] = {"delete": {"enabled": delete}, "redirect": {"disable": not redirect}}
    storage |= {"filesystem": {"rootdirectory": str(folder / "content")}} if filesystem else {"inmemory": {}}
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "text", "accesslog": {"disabled": True}},
        "storage": storage,
        "http": {"addr": "127.0.0.1:0", "secret": "of-a-test"},
    }
    if tls:
        config["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    if users:
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(write_htpasswd(folder / "htpasswd", users))}}
    config |= extra or {}
    path = folder / "docker-registry.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with run_process(["docker-registry", "serve", str(path)], folder / "docker-registry.log") as (process, log):
        address = wait_for(process, log, lambda: _logged(log, r"listening on (127\.0\.0\.1:\d+)"))
        yield Server("docker-registry", address, log, process.pid, "https" if tls else "http")


@contextmanager
def zuul_registry(
    folder: Path, *, users: Sequence[Mapping[str, str]] = ({"name": "writer", "pass": "secret", "access": "write"},)
) -> Iterator[Server]:
    """Run zuul-registry: anybody reads and the users write, unless one has access "read"."""
    port = free_port()
    (folder / "content").mkdir(exist_ok=True)
    config = {
        "registry": {
            "address": "127.0.0.1",
            "port": port,
            "public-url": f"http://127.0.0.1:{port}",
            "secret": "of-a-test",
            "users": [dict(user) for user in users],
            "storage": {"driver": "filesystem", "root": str(folder / "content")},
        }
    }
    path = folder / "zuul-registry.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    program = Path(sys.executable).with_name("zuul-registry")
    with run_process([str(program), "-c", str(path), "serve"], folder / "zuul-registry.log") as (process, log):
        wait_for(process, log, lambda: _answers(port))
        yield Server("zuul-registry", f"127.0.0.1:{port}", log, process.pid)


@contextmanager
def reference(
    folder: Path,
    *,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    users: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run the reference, in memory unless a configuration says otherwise.

    Args:
        folder: an existing folder of the test.
        faults: names of faults.
        variants: names of variants.
        config: what the configuration file holds.
        users: passwords by name; anonymous access without them.
    """
    port_file = folder / "reference.address"
    port_file.unlink(missing_ok=True)
    content = dict(config or {"version": "0.1", "storage": {"inmemory": {}}})
    if users:
        htpasswd = {"realm": "tests", "path": str(write_htpasswd(folder / "htpasswd", users))}
        content["auth"] = {"htpasswd": htpasswd}
    path = folder / "reference.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    command = [sys.executable, "-m", "reference", "serve", str(path), "--addr", "127.0.0.1:0"]
    command += ["--port-file", str(port_file)]
    command += [part for name in faults for part in ("--fault", name)]
    command += [part for name in variants for part in ("--variant", name)]
    with run_process(command, folder / "reference.log") as (process, log):
        address = wait_for(process, log, lambda: port_file.read_text().strip() if port_file.exists() else "")
        valid.check(path)
        scheme = "https" if "tls" in content.get("http", {}) else "http"
        yield Server("reference", address, log, process.pid, scheme)


def write_htpasswd(path: Path, users: Mapping[str, str]) -> Path:
    """Write an htpasswd file with bcrypt at its lowest cost."""
    hashed = {name: bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode() for name, password in users.items()}
    path.write_text("".join(f"{name}:{value}\n" for name, value in hashed.items()), encoding="utf-8")
    return path


@contextmanager
def run_process(command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes] | Forked, Path]]:
    """Run a program in a session of its own, and end the whole session whatever happens."""
    launcher = CURRENT.get()
    if launcher is not None and command[1:3] == ["-m", "reference"]:
        forked = launcher.start(command[3:], log)
        try:
            yield forked, log
        finally:
            _stop(forked)
        return
    if setpriv := shutil.which("setpriv"):
        # Gone even where the test run itself is killed.
        command = [setpriv, "--pdeathsig", "KILL", "--", *command]
    with log.open("wb") as output:
        process = _start(command, output)
        try:
            yield process, log
        finally:
            _stop(process)


def _start(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    # The original registry takes settings from variables with this prefix, and so does the suite.
    env = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT, env=env, start_new_session=True
    )


def _stop(process: subprocess.Popen[bytes] | Forked) -> None:
    for number, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def wait_for(process: subprocess.Popen[bytes] | Forked, log: Path, ready: Callable[[], object]) -> str:
    """Return what a program prints when it is ready; raise ServerError with its log on failure."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := ready():
            return str(found)
        time.sleep(_PAUSE)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    why = "did not start in time" if process.poll() is None else f"ended with {process.returncode}"
    raise ServerError(f"{process.args!r} {why}: {tail}")


def _logged(log: Path, pattern: str) -> str:
    match = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
    return match[1] if match else ""


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/v2/", timeout=2).status_code in {200, 401}
    except requests.RequestException:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def left(folder: Path) -> Counter[str]:
    """Count the files of a storage in a folder by their kind, but for those of the storage itself."""
    root = folder / "content"
    return Counter(p.relative_to(root).parts[0] for p in root.glob("*/**/*") if p.is_file())
