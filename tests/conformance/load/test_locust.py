"""A load as its users start it: Locust, in an environment of its own, on a right and on a faulty registry."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import reports
from tests.support.servers import ROOT, Server, docker_registry, reference
from tests.support.suite import run_suite

FAULT = "crowded-blob-spoilt"
BODY = "PULL-BLOB-GET-BODY-EXACT"
PASSWORD = "c4nary-of-a-load"
_PAUSE = 0.2
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with Locust: that of `make load` where it is there."""
    ready = ROOT / ".venv-load" / "bin" / "python"
    if (ROOT / ".venv-load" / ".load").exists():
        return str(ready)
    folder = tmp_path_factory.mktemp("locust") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    made = str(folder / "bin" / "python")
    # The pip of the interpreter below any environment, as the Makefile does.
    pip = [str(Path(sys.base_prefix) / "bin" / "python3"), "-m", "pip", "--python", made, "install", "--quiet"]
    command = [*pip, "--require-hashes", "--requirement", str(ROOT / "requirements-load.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Could not find a version" in done.stderr:
        pytest.skip("PyPI cannot be reached")
    assert done.returncode == 0, done.stderr
    return made


class Load:
    """A load of a server, as a process; reports go to a folder."""

    def __init__(self, python: str, server: Server, folder: Path, *options: str, password: str = "") -> None:
        command = [python, "-m", "conformance.load", "--registry-url", server.url, "--yes-load", server.address]
        env = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        env |= {"REGISTRY_PASSWORD": password} if password else {}
        command += ["--report", str(folder), *([] if "--page-port" in options else ["--no-page"]), *options]
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> tuple[int, str, dict[str, Any]]:
        """Wait for its end; return exit code, output and report."""
        said = self.process.communicate(timeout=120)[0]
        report = json.loads((self.folder / "load" / "report.json").read_text(encoding="utf-8"))
        reports.check(report)
        assert not left(self.folder), "a process of Locust outlives the load"
        return self.process.returncode, said, report


def left(folder: Path) -> list[str]:
    """Return the command lines of Locust's processes that write into a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if "locust" in words and any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found


@pytest.fixture(params=[reference, pytest.param(docker_registry, marks=pytest.mark.needs("docker-registry"))])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The reference and docker-registry, in memory."""
    with request.param(tmp_path) as started:
        yield started


def test_a_load_of_a_few_seconds(python: str, server: Server, tmp_path: Path) -> None:
    code, said, report = Load(python, server, tmp_path / "r", "--users", "4", "--time", "5s", "--workers", "2").end()
    assert code == 0, said
    assert report["load"]["requests"] > 100
    assert [step["users"] for step in report["load"]["steps"]] == [2, 4]
    assert all(step["requests"] for step in report["load"]["steps"])
    assert {"blob.get", "manifest.put"} <= {each["operation"] for each in report["load"]["operations"]}
    assert "requests/s" in said
    assert "run" in report
    assert "left" not in report["run"]
    assert (tmp_path / "r" / "load" / "locust.html").is_file()


def test_the_fault_of_a_crowd_is_caught_by_a_load_and_not_by_a_run(python: str, tmp_path: Path) -> None:
    with reference(tmp_path, faults=[FAULT]) as started:
        run = run_suite(started.url)
        assert run.exit_code == 0, run.stdout + run.stderr
        assert run.broken == []
        code, said, report = Load(python, started, tmp_path / "r", "--users", "40", "--time", "6s").end()
    assert code == 1, said
    found = {finding["requirement"]: finding["times"] for finding in report["findings"]}
    assert set(found) == {BODY}
    assert found[BODY] > 10
    assert f"FAIL  {BODY}  {found[BODY]} times" in said


def test_no_request_is_sent_beyond_the_bound(python: str, tmp_path: Path) -> None:
    with reference(tmp_path) as started:
        options = ("--users", "4", "--time", "60s", "--requests", "300", "--workers", "2")
        begin = time.monotonic()
        code, said, report = Load(python, started, tmp_path / "r", *options).end()
    assert code == 0, said
    assert report["load"]["requests"] == 300
    assert time.monotonic() - begin < 30


def test_an_interrupt_leaves_a_report_and_cleans_up(python: str, tmp_path: Path) -> None:
    with reference(tmp_path) as started:
        load = Load(python, started, tmp_path / "r", "--users", "2", "--time", "5m")
        log = tmp_path / "r" / "load" / "locust.log"
        end = time.monotonic() + 30
        while time.monotonic() < end and not (log.exists() and "users spawned" in log.read_text(encoding="utf-8")):
            time.sleep(_PAUSE)
        time.sleep(1)
        load.process.send_signal(signal.SIGINT)
        code, said, report = load.end()
    assert code == 2, said
    assert report["load"]["requests"] > 0
    assert "Traceback" not in said


def test_the_page_is_live_and_no_output_has_the_password(python: str, tmp_path: Path) -> None:
    with reference(tmp_path, users={"ann": PASSWORD}) as started:
        options = ("--users", "4", "--time", "8s", "--username", "ann", "--page-port", str(_free_port()))
        load = Load(python, started, tmp_path / "r", *options, password=PASSWORD)
        counted = _counted(f"http://127.0.0.1:{options[-1]}/stats/requests")
        code, said, report = load.end()
    assert code == 0, said
    assert counted > 0
    assert report["load"]["requests"] >= counted
    written = [path for path in (tmp_path / "r").rglob("*") if path.is_file()]
    assert {"report.json", "report.html", "summary.md", "locust.html", "locust.log"} == {path.name for path in written}
    assert PASSWORD not in said
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]


def _counted(url: str) -> int:
    """Return how many requests Locust's page tells of, once it tells of some."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            stats = requests.get(url, timeout=2).json()["stats"]
        except (requests.RequestException, ValueError, KeyError):
            stats = []
        if found := sum(each["num_requests"] for each in stats if each["name"] != "Aggregated"):
            return int(found)
        time.sleep(_PAUSE)
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
