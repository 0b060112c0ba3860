"""Storages of docker-registry 0.9."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference.v1.brought import fill
from tests.reference.v1.writer import Writer


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Writer:
    return fill(tmp_path_factory.mktemp("old") / "registry")


@pytest.fixture
def own(tmp_path: Path) -> Writer:
    """One that a test may spoil."""
    return fill(tmp_path / "registry")
