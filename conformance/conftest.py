"""Entry of ``pytest conformance``: the options, the run, the terminal and the fixtures."""

from __future__ import annotations

import pytest

from conformance import options, starting, terminal
from conformance.fixtures import (
    capabilities,
    fresh_repo,
    given,
    judge,
    other_repo,
    registry,
    repo,
    repository,
    session,
    settings,
    unknown_repo,
)

__all__ = [
    "capabilities",
    "fresh_repo",
    "given",
    "judge",
    "other_repo",
    "registry",
    "repo",
    "repository",
    "session",
    "settings",
    "unknown_repo",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the suite."""
    options.register(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set the run up and put our own terminal in place."""
    config.addinivalue_line("markers", "verifies(*requirements): the requirements that a scenario decides")
    starting.configure(config)
    terminal.install(config)
