"""What scenarios ask for by name."""

from __future__ import annotations

import pytest

from conformance.client.registry import Registry, Repository
from conformance.run.plugin import JUDGE, SESSION
from conformance.settings import Settings
from conformance.target import names
from conformance.target.capabilities import Capabilities
from conformance.target.session import Repositories, Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import Judge


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Session:
    """The session with the target."""
    return pytestconfig.stash[SESSION]


@pytest.fixture(scope="session")
def registry(session: Session) -> Registry:
    """The target as a whole."""
    return session.registry


@pytest.fixture(scope="session")
def settings(session: Session) -> Settings:
    """The options of the run."""
    return session.settings


@pytest.fixture(scope="session")
def capabilities(session: Session) -> Capabilities:
    """Which optional parts the target has."""
    return session.capabilities


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Judge:
    """The judge of this scenario."""
    return request.node.stash[JUDGE]  # type: ignore[no-any-return]  # pytest types node as Any


@pytest.fixture
def setup(request: pytest.FixtureRequest, session: Session) -> SetUp:
    """The set-up of this scenario."""
    return session.setup(names.of_item(request.node))


@pytest.fixture
def repository(request: pytest.FixtureRequest, session: Session) -> Repositories:
    """Hands out repositories of the scenario's own; what they hold is removed when the run ends."""
    return Repositories(session, names.of_item(request.node))


@pytest.fixture
def repo(repository: Repositories) -> Repository:
    """A repository of the scenario's own."""
    return repository()


@pytest.fixture
def fresh_repo(repository: Repositories) -> Repository:
    """A repository in which nothing else happens meanwhile; one that the owner fixed may hold more than is pushed."""
    return repository()


@pytest.fixture
def other_repo(repository: Repositories) -> Repository:
    """A second repository of the scenario's own."""
    return repository("other")


@pytest.fixture
def unknown_repo(repository: Repositories) -> Repository:
    """A repository whose name was never used, nor will be by another scenario, which may push to it."""
    return repository.named(f"{repository.own_name}-never-used")
