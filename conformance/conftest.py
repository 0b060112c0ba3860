"""Entry of ``pytest conformance``: the options, the run, the terminal and the fixtures."""

from __future__ import annotations

import pytest

from conformance.run import options, outputs, startup, terminal
from conformance.run.fixtures import (
    capabilities,
    fresh_repo,
    judge,
    other_repo,
    registry,
    repo,
    repository,
    session,
    settings,
    setup,
    unknown_repo,
)

__all__ = [
    "capabilities",
    "fresh_repo",
    "judge",
    "other_repo",
    "registry",
    "repo",
    "repository",
    "session",
    "settings",
    "setup",
    "unknown_repo",
]


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the options of the suite, and what takes over those of JUnit and Allure."""
    options.register(parser)
    pluginmanager.register(outputs.Takeover(), "conformance-outputs")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set the run up and put our own terminal in place."""
    config.addinivalue_line("markers", "verifies(*requirements): the requirements that a scenario decides")
    startup.configure(config)
    terminal.install(config)
