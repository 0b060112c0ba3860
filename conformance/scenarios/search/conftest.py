"""What the scenarios of the search ask for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.target import names
from conformance.target.session import Session

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer


@pytest.fixture
def explorer(request: pytest.FixtureRequest, session: Session) -> Explorer:
    """The search of this scenario."""
    from conformance.scenarios.search.engine import Explorer  # noqa: PLC0415  # Hypothesis takes a third of a second: only where it is used

    return Explorer(session, names.of_item(request.node), session.settings.deadline)
