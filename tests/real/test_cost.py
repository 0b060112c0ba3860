"""What a run costs: seconds and memory. The best of three, since others may use the machine too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.servers import Server, docker_registry, reference
from tests.support.suite import run_suite

Start = Callable[[Path], AbstractContextManager[Server]]
_MEBIBYTES = 300


@pytest.mark.alone
@pytest.mark.parametrize(
    ("start", "limit"),
    [(reference, 15), pytest.param(docker_registry, 20, marks=pytest.mark.needs("docker-registry"))],
    ids=["reference", "docker-registry"],
)
def test_time_and_memory(start: Start, limit: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = float("inf")
    with start(tmp_path) as server:
        for _ in range(3):
            run = run_suite(server.url)
            assert run.report is not None, run.stdout + run.stderr
            assert 0 < run.peak_memory < _MEBIBYTES
            best = min(best, run.seconds)
            if best < limit:
                break
    with capsys.disabled():
        print(f"\n{server.name}: {best:.1f} s, {run.peak_memory:.0f} MiB")
    assert best < limit
