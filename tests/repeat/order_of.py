"""A plugin that writes the order of the scenarios into the file that a variable names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILE = "TESTS_ORDER_FILE"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the names of the scenarios, a line each."""
    names = "\n".join(item.nodeid for item in session.items)
    Path(os.environ[FILE]).write_text(names, encoding="utf-8")
