"""The same target gives the same report: two runs at once, and one with workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.real.registries import timed
from tests.support.normal import differences
from tests.support.servers import Server, docker_registry, reference
from tests.support.suite import SuiteRun, run_suite

Start = Callable[[Path], AbstractContextManager[Server]]
_BOTH = pytest.mark.parametrize(
    ("start", "timing"),
    [
        (reference, "reference"),
        pytest.param(docker_registry, "docker-registry", marks=pytest.mark.needs("docker-registry")),
    ],
)


def _told(run: SuiteRun, timing: str) -> dict[str, Any]:
    """A report without what two runs may differ in, or the target's own timing decides."""
    assert run.report is not None, run.stdout + run.stderr
    free = timed(timing)
    return {
        "requirements": {
            entry["id"]: (entry["outcome"], entry["reason"], entry["verdicts"])
            for entry in run.report["requirements"]
            if entry["id"] not in free
        },
        # How many there are of each verdict depends on what the target's timing decides.
        "profiles": {name: profile["verdict"] if free else profile for name, profile in run.report["profiles"].items()},
        "capabilities": run.report["target"]["capabilities"],
        "findings": sorted(finding["requirement"] for finding in run.report["findings"]),
    }


@pytest.mark.slow  # four whole runs; tests/repeat has two of the reference in each run of CI
@_BOTH
def test_same_report_each_time(start: Start, timing: str, tmp_path: Path) -> None:
    with start(tmp_path) as server:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: run_suite(server.url), range(2))
        later = run_suite(server.url, "-n", "2")
    for other in (second, later):
        assert not [*differences(_told(first, timing), _told(other, timing))]
    assert first.exit_code == second.exit_code == later.exit_code
