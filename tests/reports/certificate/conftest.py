"""The desk of certificates, for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.certificate.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a report that can be certified."""
    return Desk(tmp_path)
