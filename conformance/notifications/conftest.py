"""What the scenarios of notifications ask for by name."""

from __future__ import annotations

import pytest

from conformance.given import Given
from conformance.judge import NotTested
from conformance.notifications.post import Post
from conformance.session import UNKNOWN, Session
from spec.model import Withheld


@pytest.fixture
def post(session: Session, given: Given) -> Post:
    """What the target tells the listener from now on."""
    if session.mailbox is None:
        raise NotTested(UNKNOWN[Withheld.LISTENER], Withheld.LISTENER)
    return Post(session.mailbox, session.settings, given)
