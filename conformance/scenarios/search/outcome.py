"""What becomes of a search: one judgement for each requirement that its scenario names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.scenarios.search.script import script
from conformance.scenarios.search.trial import smallest
from conformance.verdict.judge import Judge, Judgement
from spec.model import Outcome

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer
    from conformance.target.session import Session


#: What asks for a refusal, which comes with one seed and not with another: no refusal is no outcome
#: of its own.
BY_CHANCE = frozenset({"MGMT-DELETE-REFUSED-NO-EFFECT", "PUSH-MANIFEST-REFUSED-NOT-STORED"})


def prepare(_session: Session) -> None:
    """Load Hypothesis, which all processes of a run need, before they are forked."""
    import conformance.scenarios.search.engine  # noqa: F401, PLC0415  it takes a third of a second: only where it is used


def conclude(explorer: Explorer, judge: Judge) -> None:
    """Judge each requirement: broken with the least that shows it, held, or without occasion."""
    # What needs a part that the target lacks was judged before the scenario began.
    absent = set(judge.judgements)
    found: dict[str, list[int]] = {}
    for position, breach in enumerate(explorer.breaches):
        found.setdefault(breach.requirement, []).append(position)
    for requirement, positions in found.items():
        if requirement in absent:
            continue
        breach = smallest([explorer.breaches[position] for position in positions])
        judge.add(
            Judgement(
                requirement,
                Outcome.BROKEN,
                expected=breach.expected,
                actual=breach.actual,
                evidence=tuple(breach.exchanges),
                script=script(breach, explorer.session.settings),
            )
        )
    for requirement, root in explorer.notes.blocked.items():
        if requirement not in absent:
            judge.inconclusive(requirement, f"blocked by {root}")
    for requirement in (explorer.notes.occasions & set(judge.requirements)) - absent - BY_CHANCE:
        judge.add(Judgement(requirement, Outcome.HELD))
    judge.rest(Outcome.UNSUPPORTED, "the search did not try it")
