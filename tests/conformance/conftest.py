"""Servers and the forking process, once for all tests of the suite as a program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.forking import Forker
from tests.support.scripted.server import certificate
from tests.support.servers import Server, reference

USERS = {"ann": 'c4nary&<"/+% ü'}


@pytest.fixture(scope="session")
def suite() -> Iterator[Forker]:
    """Runs the suite, with few rows: these tests are about what is around them."""
    forker = Forker("quick")
    yield forker
    forker.close()


@pytest.fixture(scope="session")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The reference, open to anybody."""
    with reference(tmp_path_factory.mktemp("open")) as server:
        yield server


@pytest.fixture(scope="session")
def locked_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The reference with one user, and with a fault, so that a run has findings with exchanges."""
    with reference(tmp_path_factory.mktemp("locked"), users=USERS, faults=["blob-head-405"]) as server:
        yield server


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def helper(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Makes a credential helper "fake" of a shell script; returns its environment."""

    def make(script: str) -> dict[str, str]:
        program = tmp_path / "docker-credential-fake"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    return make
