"""The registries, by the name of their file in ``expected/``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.servers import ROOT, Server, docker_registry, zuul_registry

EXPECTED = Path(__file__).resolve().parent / "expected"


@dataclass(frozen=True, slots=True)
class Registry:
    """How to start one, how to run the suite against it, and which page of docs/findings/ explains it."""

    name: str
    program: str
    start: Callable[[Path], AbstractContextManager[Server]]
    findings: str
    options: tuple[str, ...] = ()

    @property
    def expected(self) -> Path:
        """The file with the outcomes that are known."""
        return EXPECTED / f"{self.name}.yaml"

    @property
    def page(self) -> Path:
        """The page that justifies what is broken there."""
        return ROOT / "docs" / "findings" / f"{self.findings}.md"


REGISTRIES = (
    Registry("docker-registry-delete-on", "docker-registry", docker_registry, "docker-registry"),
    Registry(
        "docker-registry-delete-off", "docker-registry", partial(docker_registry, delete=False), "docker-registry"
    ),
    Registry(
        "zuul-registry",
        "zuul-registry",
        zuul_registry,
        "zuul-registry",
        ("--username", "writer", "--password", "secret"),
    ),
)
