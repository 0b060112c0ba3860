"""Validators and linters that others made read the OpenAPI document as it stands in its files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spec.catalogue import ROOT


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)


def test_a_validator_follows_the_references_of_the_files() -> None:
    done = _run(sys.executable, "-m", "openapi_spec_validator", "spec/openapi.yaml")
    assert (done.returncode, done.stdout) == (0, "spec/openapi.yaml: OK\n"), done.stderr


@pytest.mark.slow
@pytest.mark.needs("npx")
def test_redocly_has_nothing_to_say() -> None:
    done = _run("make", "lint-openapi")
    if "npm error" in done.stderr:
        pytest.skip("npm cannot fetch Redocly's linter")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your API description is valid" in done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).replace("Deprecation warning", "")
