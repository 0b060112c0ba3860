"""What the scenarios of logins ask for by name."""

from __future__ import annotations

import pytest

from conformance.client.tokens import TokenService
from conformance.scenarios.auth.callers import NO_NEED, Callers, Tokens
from conformance.target.session import Session
from conformance.verdict.judge import Unsupported


@pytest.fixture
def locked(session: Session) -> None:
    """Run the scenarios only where a login is required."""
    if session.settings.credentials is None and not session.capabilities.has("token"):
        raise Unsupported(NO_NEED)


@pytest.fixture
def callers(session: Session) -> Callers:
    """Makes the callers of the scenario."""
    return Callers(session)


@pytest.fixture
def tokens(session: Session) -> Tokens:
    """The token service that the base endpoint names."""
    answer = session.registry.base(authenticate=False)
    service = TokenService.of(session.client, answer)
    if service is None:
        raise Unsupported("the base endpoint names no token service")
    return Tokens(session, service)
