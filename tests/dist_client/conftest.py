"""Registries for the client, and an image and an index that are pushed to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reference.dist import Options, SyncClient
from tests.clients.images import Layout
from tests.conftest import program
from tests.support.servers import Server, docker_registry, reference

#: Retries follow at once, and blobs go in several chunks.
QUICK = {"pause": 0.01, "retries": 3, "timeout": 10.0, "chunk": 1 << 20}


@dataclass(frozen=True, slots=True)
class Made:
    """A layout with the image ``v1`` of five layers and the index ``multi`` of three platforms."""

    layout: Layout
    image: dict[str, Any]
    index: dict[str, Any]

    def at(self, name: str) -> str:
        return f"oci:{self.layout.folder}:{name}"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    layout = Layout(tmp_path_factory.mktemp("made") / "layout")
    image = layout.image(layers=5, size=1 << 20)
    index = layout.index(("amd64", "arm64", "s390x"))
    layout.tag(image, "v1")
    layout.tag(index, "multi")
    return Made(layout, image, index)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with reference(tmp_path_factory.mktemp("plain")) as found:
        yield found


@pytest.fixture(scope="session", params=["reference", "docker-registry"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if request.param == "reference":
        yield request.getfixturevalue("plain")
        return
    if program("docker-registry") is None:
        pytest.skip("missing program: docker-registry")
    with docker_registry(tmp_path_factory.mktemp("original")) as found:
        yield found


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    return f"dist/{request.node.name.partition('[')[0].replace('_', '-')}"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[SyncClient]:
    with SyncClient(Options(logins=tmp_path / "config.json", **QUICK)) as found:  # type: ignore[arg-type]  # by name
        yield found
