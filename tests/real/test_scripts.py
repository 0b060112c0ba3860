"""The script of a finding shows it again on docker-registry, from nothing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import docker_registry
from tests.support.suite import run_suite

pytestmark = pytest.mark.needs("docker-registry", "curl")

_STATUS = re.compile(r"HTTP/1\.[01] ([0-9]{3}) ")
#: Findings that a script cannot show: several clients at once, and a body of megabytes.
_BEYOND = {"PUSH-CONCURRENT-CHUNKS-NOT-MIXED", "PUSH-MANIFEST-OVERSIZE-413"}


def _again(finding: dict[str, Any]) -> str:
    """Run the script of a finding; return what differs from what the run saw, or nothing."""
    done = subprocess.run(["bash", "-c", finding["script"]], check=False, capture_output=True, timeout=60)
    statuses = _STATUS.findall(done.stdout.decode("utf-8", "replace"))
    wanted = str(finding["exchanges"][-1]["response"]["status"])
    if statuses and statuses[-1] == wanted:
        return ""
    return f"{finding['requirement']}: {wanted} before, and now {statuses}\n{finding['script']}"


def test_scripts_show_what_the_run_found(tmp_path: Path) -> None:
    with docker_registry(tmp_path) as server:
        run = run_suite(server.url, "--effort=quick", "-n", "2")
        assert run.report is not None, run.stdout + run.stderr
        findings = run.report["findings"]
        with_script = [finding for finding in findings if "script" in finding]
        different = [told for finding in with_script if (told := _again(finding))]
    without = {finding["requirement"] for finding in findings} - {f["requirement"] for f in with_script}
    assert not different, "\n\n".join(different)
    assert without <= _BEYOND
