"""The reference passes every profile in every set-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configurations import CONFIGURATIONS, configured
from tests.support.sampling import sampled
from tests.support.suite import run_suite

_ALWAYS = ("filesystem", "htpasswd", "token", "read-only", "delete-off", "fixed")


@pytest.mark.parametrize("name", sampled(CONFIGURATIONS, 2, _ALWAYS))
def test_the_reference_passes(name: str, tmp_path: Path) -> None:
    with configured(name, tmp_path) as target:
        run = run_suite(target.url, *target.options, env=target.env)
    assert run.report is not None, run.stdout + run.stderr
    verdicts = {profile: entry["verdict"] for profile, entry in run.report["profiles"].items()}
    assert set(verdicts.values()) == {"PASS"}, (verdicts, run.stdout)
