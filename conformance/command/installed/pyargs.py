"""A plugin for pytest: ``pytest --pyargs conformance`` finds the suite; in any other run it does nothing."""

from __future__ import annotations

import sys

import pytest

from . import place

_SUITE = "conformance"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Put the packages of the suite on the path where the suite is asked for by its name."""
    known = early_config.known_args_namespace
    named = [arg for arg in known.file_or_dir if arg == _SUITE or arg.startswith((f"{_SUITE}.", f"{_SUITE}::"))]
    if not known.pyargs or not named:
        return
    if str(place()) not in sys.path:
        sys.path.insert(0, str(place()))
    # pytest looks for the first conftest.py, which has the options, in folders alone.
    known.file_or_dir = [*(arg for arg in known.file_or_dir if arg not in named), str(place() / _SUITE)]
