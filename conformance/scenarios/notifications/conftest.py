"""What the scenarios of notifications ask for by name."""

from __future__ import annotations

import pytest

from conformance.scenarios.notifications.post import Post
from conformance.target.capabilities import UNKNOWN
from conformance.target.session import Session
from conformance.target.setup import SetUp
from conformance.verdict.judge import NotTested
from spec.model import Withheld


@pytest.fixture
def post(session: Session, setup: SetUp) -> Post:
    """What the target tells the listener from now on."""
    if session.mailbox is None:
        raise NotTested(UNKNOWN[Withheld.LISTENER], Withheld.LISTENER)
    return Post(session.mailbox, session.settings, setup)
