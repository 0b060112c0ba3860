"""The registries, and a way to run a client so that nothing of the user's own set-up matters."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import program
from tests.support.servers import Server, docker_registry, reference

Run = Callable[..., str]
_LONGEST = 120


@pytest.fixture(scope="session", params=["reference", "docker-registry"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The reference, and docker-registry as control: a failure on both is the test's mistake."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "docker-registry":
        if program("docker-registry") is None:
            pytest.skip("missing program: docker-registry")
        with docker_registry(folder) as found:
            yield found
    else:
        with reference(folder) as found:
            yield found


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own, with a slash in its name."""
    name = request.node.name.partition("[")[0].replace("_", "-")
    return f"clients/{name}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program and return what it prints; it fails the test where it fails."""
    home = tmp_path / "home"
    home.mkdir()
    policy = home / "policy.json"
    policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    (home / "auth.json").write_text("{}")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "TMPDIR": str(home),
        "REGISTRY_AUTH_FILE": str(home / "auth.json"),
    }

    def call(*command: str, fails: bool = False) -> str:
        done = subprocess.run(
            command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=_LONGEST, check=False
        )
        assert (done.returncode != 0) is fails, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return call
