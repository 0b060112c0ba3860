"""What one scenario leaves for the report: plain data, so that it can come from another process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from conformance.client.curl import command
from conformance.client.http.exchange import Exchange
from conformance.client.script import from_nothing, line
from conformance.contract import Contract
from conformance.contract.invariants import breaches as contradictions
from conformance.target.session import Session
from conformance.verdict import presence
from conformance.verdict.judge import Blocked, Judge, Judgement, NotTested, Verdictless, status_of
from conformance.verdict.rollup import Record
from spec.catalogue import load
from spec.model import Outcome

#: The last exchanges of a finding are enough to understand it.
_SHOWN = 8


def of_scenario(session: Session, judge: Judge, exchanges: list[Exchange], raised: BaseException | None) -> Record:
    """Return the record of a scenario that has ended, normally or by an exception."""
    blocked: Blocked | None = None
    error = ""
    if raised is None:
        missing = [r for r in judge.requirements if r not in judge.judgements]
        broken = [name for name, found in judge.judgements.items() if found.outcome is not Outcome.HELD]
        if missing and broken:
            judge.rest(Outcome.INCONCLUSIVE, f"blocked by {broken[0]}")
        elif missing:
            error = f"the scenario ended without judging {', '.join(missing)}"
            judge.rest(Outcome.ERROR, error)
    elif isinstance(raised, Verdictless):
        blocked = raised if isinstance(raised, Blocked) else None
        judge.rest(raised.outcome, raised.reason, raised.withheld if isinstance(raised, NotTested) else None)
    else:
        error = f"{type(raised).__name__}: {raised}"
        judge.rest(Outcome.ERROR, f"the suite failed: {type(raised).__name__}")
    aside = [blocked.judgement] if blocked and blocked.accuses and not _lacks(session, blocked.requirement) else []
    record: Record = {
        "judgements": [judgement(session, found, exchanges) for found in judge.judgements.values()],
        "blocked": [judgement(session, found, exchanges) for found in (*aside, *judge.asides.values())],
        "error": session.redactor.clean(error),
        "conditions": judge.conditions,
        "sampled": sorted(session.registry.sampled),
    }
    session.registry.sampled.clear()
    seen = [*judge.judgements.values(), *aside, *judge.asides.values()]
    return record | _contract(session, session.contract, exchanges) | _invariants(session, seen, exchanges)


def written_down(session: Session, node: str, judge: Judge, exchanges: list[Exchange]) -> Record:
    """Record what a scenario exchanged and judged, if the run is recorded, and say whether that failed."""
    recorder = session.recorder
    if recorder is None:
        return {}
    outcomes = {name: found.outcome.value for name, found in judge.judgements.items()}
    judgements = [*judge.judgements.values(), *judge.asides.values()]
    recorder.add(
        node, exchanges, outcomes, [(each.requirement, each.outcome.value, each.evidence) for each in judgements]
    )
    return {"unrecorded": recorder.problem}


def _lacks(session: Session, requirement: str) -> bool:
    """Whether a requirement needs a part that the target lacks, so that its own scenario would not be run."""
    return any(session.capabilities.shown(part) is False for part in load().requirement(requirement).needs)


def _script(session: Session, found: Judgement, exchanges: Sequence[Exchange]) -> str:
    """Return a script that shows a breach from nothing; empty where there is none."""
    if found.outcome is not Outcome.BROKEN or found.script or session.capabilities.has("token"):
        return found.script
    settings = session.settings
    shown = from_nothing(settings.url, found.evidence, exchanges, settings.trust, settings.run_id)
    title = f"# {found.requirement}: expected {line(found.expected)}, but {line(found.actual)}"
    return "\n".join([title, *shown]) if shown else ""


def judgement(session: Session, found: Judgement, exchanges: Sequence[Exchange] = ()) -> dict[str, Any]:
    """Return a judgement as plain data, credentials removed; ``exchanges`` are those of its scenario."""
    evidence = found.evidence[-_SHOWN:]
    plain: dict[str, Any] = session.redactor.scrub(
        {
            "requirement": found.requirement,
            "outcome": found.outcome.value,
            "reason": found.reason,
            "expected": found.expected,
            "actual": found.actual,
            "cause": found.cause,
            "exchanges": [exchange.record() for exchange in evidence],
            "script": _script(session, found, exchanges),
            "curl": found.script or (command(evidence[-1], session.settings.trust) if evidence else ""),
        }
    )
    # A password such as "held" or "PULL" must not change what was judged.
    fixed = {"requirement": found.requirement, "outcome": found.outcome.value, "root": found.root}
    conditions = {"condition": list(found.condition), "narrower": list(found.narrower)}
    return plain | fixed | conditions | {"withheld": found.withheld.value if found.withheld else ""}


def _contract(session: Session, contract: Contract, exchanges: list[Exchange]) -> dict[str, Any]:
    """Check every exchange against the OpenAPI document; each requirement is booked once."""
    exercised: set[str] = set()
    breaches: dict[str, dict[str, Any]] = {}
    started = time.perf_counter() - contract.loading_seconds
    for exchange in exchanges:
        result = contract.check(exchange)
        exercised |= result.exercised
        found = [(breach.requirement, breach.expected, breach.actual) for breach in result.breaches]
        if (other := presence.breach(exchange)) is not None and exchange.response is not None:
            found.append((*other, status_of(exchange.response)))
        for requirement, expected, actual in found:
            if requirement not in breaches:
                broken = Judgement(requirement, Outcome.BROKEN, expected=expected, actual=actual, evidence=(exchange,))
                breaches[requirement] = judgement(session, broken, exchanges)
    return {
        "exercised": sorted(exercised),
        "breaches": [breaches[key] for key in sorted(breaches)],
        "exchanges": len(exchanges),
        "contract_seconds": time.perf_counter() - started - contract.loading_seconds,
    }


def _invariants(session: Session, seen: list[Judgement], exchanges: list[Exchange]) -> dict[str, Any]:
    """Check the exchanges against each other; each requirement is booked once.

    ``beside`` of a breach has the requirements that the scenario itself found broken, ``about`` those that it holds
    against the same thing.
    """
    broken: dict[tuple[str, ...], set[str]] = {}
    for found in seen:
        if found.outcome is Outcome.BROKEN:
            for exchange in found.evidence:
                broken.setdefault(_about(exchange), set()).add(found.requirement)
    breaches: dict[str, dict[str, Any]] = {}
    about: dict[str, set[str]] = {}
    shared = bool(session.settings.repositories) or session.reads_only
    for breach in contradictions(exchanges, shared):
        name = breach.requirement
        about.setdefault(name, set()).update(broken.get(_about(breach.evidence[-1]), ()))
        if name not in breaches:
            broken_by = Judgement(name, Outcome.BROKEN, "", breach.expected, breach.actual, breach.evidence)
            breaches[name] = judgement(session, broken_by, exchanges)
    beside = {found.requirement for found in seen if found.outcome is Outcome.BROKEN}
    return {
        "contradictions": [
            breaches[name] | {"beside": sorted(beside - {name}), "about": sorted(about[name] - {name})}
            for name in sorted(breaches)
        ]
    }


def _about(exchange: Exchange) -> tuple[str, ...]:
    """Return what a request is about: the repository, and the digest or tag where it names one."""
    return tuple(exchange.parameters.values())
