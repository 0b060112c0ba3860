"""Judge the exchanges of one deed as those of a scenario: by the contract, by the invariants, by what was expected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from conformance.client.http.exchange import OVERLOADED, Exchange
from conformance.client.http.transport import OVER
from conformance.contract.invariants import breaches as contradictions
from conformance.load.plan import SPENT, Post
from conformance.run.scenario_result import judgement
from conformance.verdict import presence
from conformance.verdict.judge import Blocked, Judgement, status_of
from spec.model import Outcome

#: Answers by which an owner may refuse a deed, a quota or a right: they accuse nobody here, as no control is sent.
_POLICY = frozenset({401, 403, 409, 413, 429, 507})


def judge(post: Post, exchanges: Sequence[Exchange], step: int, blocked: Blocked | None = None) -> dict[int, str]:
    """Book everything that some exchanges of a user show.

    Args:
        post: whose books are kept.
        exchanges: those of one deed, in their order.
        step: the step of the load that they belong to.
        blocked: what ended the deed, where something did.

    Returns:
        By the number of an exchange, the first requirement that it breaks.
    """
    seen: dict[int, str] = {}
    _count(post, exchanges, step)
    started = time.perf_counter() - post.session.contract.loading_seconds
    for number, exchange in enumerate(exchanges):
        for found in _of_contract(post, exchange):
            _book(post, found, exchanges)
            seen.setdefault(number, found.requirement)
    post.books.contract_seconds += time.perf_counter() - started - post.session.contract.loading_seconds
    broken = [
        Judgement(found.requirement, Outcome.BROKEN, "", found.expected, found.actual, found.evidence)
        for found in contradictions(exchanges, bool(post.plan.settings.repositories))
    ]
    if blocked is not None and _accuses(post, blocked):
        broken.append(blocked.judgement)
    for found in broken:
        _book(post, found, exchanges)
        last = found.evidence[-1] if found.evidence else None
        number = next((n for n, exchange in enumerate(exchanges) if exchange is last), len(exchanges) - 1)
        seen.setdefault(number, found.requirement)
    return seen


def failure_of(exchange: Exchange) -> str:
    """Return why nobody is blamed for an exchange; empty where it was answered."""
    if exchange.error or exchange.response is None:
        return exchange.error or "no answer"
    status = exchange.response.status
    return f"status {status}" if status in OVERLOADED else ""


def _count(post: Post, exchanges: Sequence[Exchange], step: int) -> None:
    for exchange in exchanges:
        name = exchange.operation or "(redirect)"
        failure = failure_of(exchange)
        if failure in {SPENT, OVER}:
            continue  # nothing was sent
        if failure:
            post.books.unanswered[name, failure] += 1
            continue
        response = exchange.response
        received = (response.size or len(response.body)) if response is not None else 0
        post.books.answered(name, step, exchange.elapsed_ms, exchange.request.size, received)


def _of_contract(post: Post, exchange: Exchange) -> list[Judgement]:
    """Return what the document holds against an exchange, and what a success does that its operation does not have."""
    result = post.session.contract.check(exchange)
    post.books.exercised |= result.exercised
    post.books.unbooked.update(map(post.session.redactor.clean, result.unbooked))
    found = [(breach.requirement, breach.expected, breach.actual) for breach in result.breaches]
    if (other := presence.breach(exchange)) is not None and exchange.response is not None:
        found.append((*other, status_of(exchange.response)))
    return [
        Judgement(requirement, Outcome.BROKEN, expected=expected, actual=actual, evidence=(exchange,))
        for requirement, expected, actual in {requirement: each for each in found for requirement in each[:1]}.values()
    ]


def _accuses(post: Post, blocked: Blocked) -> bool:
    """Whether what ended a deed is the target's doing, and no overload and no refusal that its owner may want."""
    if not blocked.accuses:
        return False
    status = blocked.answers[-1].status if blocked.answers else 0
    if status in _POLICY:
        post.books.refused[f"status {status} ({blocked.requirement})"] += 1
        return False
    return True


def _book(post: Post, found: Judgement, exchanges: Sequence[Exchange]) -> None:
    def plain() -> dict[str, Any]:
        return judgement(post.session, found, exchanges)

    post.books.breach(found.requirement, plain)
