"""What a judge notes of answers that prove nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.client.http.exchange import OVERLOADED, Headers, Response
from conformance.verdict.judge import Judge, Unsupported
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


def test_what_the_target_lacks_is_not_judged() -> None:
    """A scenario that continues for another requirement breaks none of an absent part."""
    judge = Judge([ID, "PULL-BLOB-HEAD-200"])
    judge.unsupported(ID, "the target lacks pull")
    judge.lacking[ID] = "the target lacks pull"
    with pytest.raises(Unsupported, match="lacks pull"):
        judge.require_status(ID, Response(405, "", Headers()), 200)
    assert judge.judgements[ID].outcome is Outcome.UNSUPPORTED
