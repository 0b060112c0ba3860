"""Each run against a hostile target ends in time and in bounds, with a verdict or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.cases import BY_NAME, CASES
from tests.hostile.trial import complaints
from tests.support.sampling import sampled


@pytest.mark.parametrize("name", sampled(BY_NAME, 3))
def test_a_run_ends_well(name: str, tmp_path: Path) -> None:
    assert complaints(name, tmp_path) == []


def test_enough_of_them() -> None:
    assert len(CASES) == len(BY_NAME) >= 200
