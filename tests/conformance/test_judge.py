"""What a judge notes of answers that prove nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.client.exchange import OVERLOADED, Headers, Response
from conformance.judge import Judge
from spec.model import Outcome

ID = "PULL-BLOB-GET-200"


@pytest.mark.parametrize("status", sorted(OVERLOADED))
def test_an_overload_breaks_nothing(status: int) -> None:
    """However a scenario judges it, an answer of an overload leaves the requirement undecided."""
    answer = Response(status, "", Headers())
    ways: tuple[Callable[[Judge], bool], ...] = (
        lambda judge: judge(ID, answer.status == 400, "status 400", answer),
        lambda judge: judge.status(ID, answer, 200),
        lambda judge: judge.refused(ID, answer),
        lambda judge: judge.gives(ID, answer, b"content", "the content"),
        lambda judge: judge.header(ID, answer, "Location"),
    )
    for judged in ways:
        judge = Judge([ID])
        assert not judged(judge)
        assert judge.judgements[ID].outcome is Outcome.INCONCLUSIVE


def test_an_overload_that_is_expected_holds() -> None:
    """A condition that holds is noted as held, whatever the status."""
    judge = Judge([ID])
    assert judge.status(ID, Response(429, "", Headers()), 429)
    assert judge.judgements[ID].outcome is Outcome.HELD
