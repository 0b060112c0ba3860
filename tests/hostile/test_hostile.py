"""Each run against a hostile target ends: in time, in bounds, with a verdict or a clear sentence."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.cases import CASES
from tests.hostile.proxy import proxy
from tests.support.sampling import sampled
from tests.support.servers import reference
from tests.support.suite import SuiteRun, run_suite

_MAX_TIME = 12
#: Beyond the time of --max-time: the start, one last scenario, the clean-up, the report.
_GRACE = 15
_MEBIBYTES = 300
#: 0 and 1 are verdicts; 4 and 5 are refusals to begin.
_ENDINGS = {0, 1, 4, 5}
_CANARIES = ("canary-user", "canary-password", "Y2FuYXJ5")  # the last in Base64
_BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize("name", sampled(_BY_NAME, 3))
def test_a_run_ends_well(name: str, tmp_path: Path) -> None:
    case = _BY_NAME[name]
    with (
        reference(tmp_path) as server,
        _stranger() as stolen,
        proxy(server.address, case.methods, case.path, case.answer, case.after) as target,
    ):
        target.stranger = stolen.port
        run = _run(f"http://{target.address}", tmp_path, case.env)
    _ended_well(run, tmp_path)
    assert not [head for head in stolen.heads if b"authorization" in head.lower()]


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff" * 50], ids=["silent", "garbage"])
def test_a_handshake_that_never_ends(garbage: bytes, tmp_path: Path) -> None:
    """What speaks no TLS, or nothing, where TLS is expected."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            held = []
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    held.append(connection)
                    connection.sendall(garbage)

        threading.Thread(target=serve, daemon=True).start()
        run = _run(f"https://127.0.0.1:{listener.getsockname()[1]}", tmp_path, {})
    _ended_well(run, tmp_path)
    assert run.exit_code == 4


def test_enough_of_them() -> None:
    assert len(CASES) >= 40


class _Stranger:
    """Another host's server, at a port of its own: what it is sent is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heads: list[bytes] = []


@contextmanager
def _stranger() -> Iterator[_Stranger]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = _Stranger(listener.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(1)
                        found.heads.append(connection.recv(65536))
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield found


def _run(url: str, folder: Path, env: Any) -> SuiteRun:
    for name in ("tmp", "home"):
        (folder / name).mkdir()
    env = {**env, "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}
    return run_suite(
        url,
        "--timeout",
        "0.5",
        "--max-time",
        str(_MAX_TIME),
        env=env,
        report=folder / "report",
        limit=_MAX_TIME + _GRACE + 60,
    )


def _ended_well(run: SuiteRun, folder: Path) -> None:
    text = run.stdout + run.stderr
    assert run.exit_code in _ENDINGS, text[-3000:]
    assert "Traceback" not in text
    assert run.seconds < _MAX_TIME + _GRACE, text[-1000:]
    assert run.peak_memory < _MEBIBYTES
    # Nothing of the target reaches the terminal as a command to it.
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text), text[-1000:]
    outputs = [text, *(p.read_text("utf-8", "replace") for p in (folder / "report").glob("*"))]
    for canary in _CANARIES:
        assert not [output for output in outputs if canary in output]
    assert {p.name for p in (folder / "report").glob("*")} <= {"report.json", "report.html", "summary.md"}
    assert not [*(folder / "tmp").iterdir(), *(folder / "home").iterdir()]
    if run.exit_code in {0, 1}:
        assert run.report is not None
        assert "error" not in run.outcomes.values()
        page = (folder / "report" / "report.html").read_text("utf-8")
        assert "<script>document.title='owned'" not in page
    else:
        assert len(text.strip()) > 0
    assert not _left_over(folder)


def _left_over(folder: Path) -> list[str]:
    """Processes that a run left behind: those that have its temporary folder in their environment."""
    mark = f"TMPDIR={folder / 'tmp'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append(path.parent.name)
    return found
