"""The registries, by the name of their file in ``expected/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from tests.support.notified import Hook
from tests.support.servers import ROOT, Server, docker_registry, zuul_registry
from tests.support.tokens import OWNER, READER, STRANGER, token_server

EXPECTED = Path(__file__).resolve().parent / "expected"


@dataclass(frozen=True, slots=True)
class Registry:
    """How to start a registry, how to run the suite on it, and its page in docs/findings/."""

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


def timed(target: str) -> frozenset[str]:
    """Return the requirements that a target's own timing decides, with two outcomes."""
    found: set[str] = set()
    for path in EXPECTED.glob(f"{target}-*.yaml"):
        outcomes = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {id_ for id_, outcome in outcomes.items() if " or " in outcome}
    return frozenset(found)


@contextmanager
def _with_tokens(folder: Path) -> Iterator[Server]:
    """Run docker-registry with the token service of the reference."""
    with (
        token_server(folder, OWNER, READER, STRANGER) as tokens,
        docker_registry(folder, extra={"auth": tokens.auth}) as server,
    ):
        yield server


_HOOK = Hook()
_OWNER = ("--username", OWNER.name, "--password", OWNER.password)
_OTHERS = (
    *("--auth-pull-only-username", READER.name, "--auth-pull-only-password", READER.password),
    *("--auth-other-username", STRANGER.name, "--auth-other-password", STRANGER.password),
)

REGISTRIES = (
    Registry("docker-registry-delete-on", "docker-registry", docker_registry, "docker-registry"),
    Registry(
        "docker-registry-delete-off", "docker-registry", partial(docker_registry, delete=False), "docker-registry"
    ),
    Registry(
        "docker-registry-htpasswd",
        "docker-registry",
        partial(docker_registry, users={OWNER.name: OWNER.password}),
        "docker-registry",
        _OWNER,
    ),
    Registry(
        "docker-registry-notifications",
        "docker-registry",
        partial(docker_registry, extra=_HOOK.section()),
        "docker-registry",
        _HOOK.options,
    ),
    Registry("docker-registry-token", "docker-registry", _with_tokens, "docker-registry", (*_OWNER, *_OTHERS)),
    Registry(
        "zuul-registry",
        "zuul-registry",
        zuul_registry,
        "zuul-registry",
        ("--username", "writer", "--password", "secret"),
    ),
)
