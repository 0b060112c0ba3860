"""What the changed specification would find of a run, requirement by requirement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from conformance.impact.effects import Effect, Outlook, Way, effect
from conformance.impact.replay import Replay
from conformance.impact.runs import Run
from spec.catalogue import Catalogue
from spec.model import Outcome, Requirement, weigh

_CONTRACT = "contract"
_BLOCKED = "blocked by "
_NO_RECORDING = "there is no recording of the run"
_NOT_MET = "the condition of the clause never occurred"


@dataclass(frozen=True, slots=True)
class Changes:
    """Two catalogues, and the requirements whose scenarios changed, or that have some now."""

    old: Catalogue
    new: Catalogue
    rewritten: frozenset[str]
    with_scenarios: frozenset[str]
    #: What the document may decide otherwise, where nobody knows the exchanges.
    in_document: frozenset[str] = frozenset()


@dataclass(slots=True)
class Guess:
    """What would be found of a requirement; ``outcome`` is None where nobody knows.

    ``only_levels`` says that it is worth telling only where a level changed: nothing else did.
    """

    outcome: Outcome | None
    way: Way
    why: str = ""
    only_levels: bool = False


def guesses(run: Run, changes: Changes, replayed: Replay | None) -> dict[str, Guess]:
    """Return what would be found of each requirement of the new catalogue."""
    made = {requirement.id: _guess(requirement, run, changes, replayed) for requirement in changes.new}
    _fold(made, run, changes)
    return made


def outlooks(run: Run, changes: Changes, made: Mapping[str, Guess]) -> Iterator[Outlook]:
    """Give what becomes of a run in each profile, in the order of the new catalogue; the withdrawn last."""
    gone = [requirement for requirement in changes.old if requirement.id not in changes.new]
    for requirement in (*changes.new, *gone):
        guess = made.get(requirement.id, Guess(None, Way.WEIGHED, "it is withdrawn"))
        for profile in dict.fromkeys((*changes.new.profiles, *changes.old.profiles)):
            if found := _outlook(requirement.id, profile, run, changes, guess):
                yield found


def _outlook(name: str, profile: str, run: Run, changes: Changes, guess: Guess) -> Outlook | None:
    old, new = changes.old.requirements.get(name), changes.new.requirements.get(name)
    level, outcome = new.levels.get(profile) if new else None, run.outcome(name)
    was = weigh(outcome, old.levels.get(profile)) if old and outcome else None
    before = str(was or "-")
    if guess.way is Way.UNKNOWN:
        if level is None or (guess.only_levels and old is not None and old.levels.get(profile) is level):
            return None
        return Outlook(name, run.name, profile, Effect.UNKNOWN, Way.UNKNOWN, before, "?", guess.why)
    now = weigh(guess.outcome, level) if guess.outcome else None
    found = effect(was, now)
    return Outlook(name, run.name, profile, found, guess.way, before, str(now or "-"), guess.why) if found else None


def _guess(requirement: Requirement, run: Run, changes: Changes, replayed: Replay | None) -> Guess:
    name = requirement.id
    broken = replayed.broken.get(name) if replayed else None
    if broken is not None:
        return Guess(Outcome.BROKEN, Way.REPLAYED, broken)
    before = changes.old.requirements.get(name)
    outcome = run.outcome(name)
    if before is None:
        return _of_new(name, changes, replayed)
    if outcome is None:
        return Guess(None, Way.UNKNOWN, "the run is older than the requirement", only_levels=True)
    if name in changes.rewritten:
        return Guess(None, Way.UNKNOWN, "a scenario of it changed")
    if dict(before.statuses) != dict(requirement.statuses) and before.statuses and name in changes.with_scenarios:
        return Guess(None, Way.UNKNOWN, "it states other statuses")
    if replayed is None and name in changes.in_document:
        return Guess(None, Way.UNKNOWN, _NO_RECORDING)
    missing = [part for part in requirement.needs if part not in before.needs and run.lacks(part)]
    if missing:
        return Guess(Outcome.UNSUPPORTED, Way.WEIGHED, f"the registry lacks {', '.join(missing)}")
    if {*before.needs} - {*requirement.needs} and outcome in {Outcome.UNSUPPORTED, Outcome.NOT_TESTED}:
        return Guess(None, Way.UNKNOWN, "it needs less than it did")
    return _replayed(name, before.statement, run, replayed)


def _of_new(name: str, changes: Changes, replayed: Replay | None) -> Guess:
    if name in changes.with_scenarios:
        return Guess(None, Way.UNKNOWN, "its scenario is new")
    if replayed is None:
        return Guess(None, Way.UNKNOWN, _NO_RECORDING)
    if name in replayed.after.exercised:
        return Guess(Outcome.HELD, Way.REPLAYED, "no recorded exchange breaks it")
    return Guess(Outcome.UNSUPPORTED, Way.REPLAYED, _NOT_MET)


def _replayed(name: str, statement: str, run: Run, replayed: Replay | None) -> Guess:
    """Give the outcome of the run, or another where only the contract had decided it and decides otherwise now."""
    entry, outcome = run.results[name], run.outcome(name)
    alone = entry["scenarios"] == [_CONTRACT] or run.found_by.get(name) == _CONTRACT
    if replayed is not None and alone and name in replayed.repaired:
        if name in replayed.after.exercised:
            return Guess(Outcome.HELD, Way.REPLAYED, "no recorded exchange breaks it any more")
        return Guess(Outcome.UNSUPPORTED, Way.REPLAYED, _NOT_MET)
    if replayed is not None and name not in replayed.before.exercised and name in replayed.after.exercised:
        if outcome is Outcome.UNSUPPORTED and entry["reason"] == _NOT_MET:
            return Guess(Outcome.HELD, Way.REPLAYED, "no recorded exchange breaks it")
    elif replayed is not None and alone and name in replayed.before.exercised - replayed.after.exercised:
        return Guess(Outcome.UNSUPPORTED, Way.REPLAYED, _NOT_MET)
    otherwise = entry["statement"] != statement
    return Guess(outcome, Way.WEIGHED, "the run judged it by another wording" if otherwise else "")


def _fold(made: Mapping[str, Guess], run: Run, changes: Changes) -> None:
    """Let a breach be the consequence of another that is new, or that is newly presumed.

    What is folded otherwise was so in the run: conditions have a say in it, which a report does not tell.
    """
    broken = {name for name, guess in made.items() if guess.outcome is Outcome.BROKEN}
    new = {name for name in broken if run.outcome(name) is not Outcome.BROKEN}
    for name, guess in made.items():
        if guess.way is Way.UNKNOWN:
            continue
        presumed = changes.new.presumes(name)
        before = changes.old.presumes(name) if name in changes.old else ()
        if name in broken:
            cause = next((each for each in presumed if each in new or (each in broken and each not in before)), None)
            if cause is not None:
                guess.outcome, guess.why = Outcome.INCONCLUSIVE, f"{_BLOCKED}{cause}"
        elif guess.outcome is Outcome.INCONCLUSIVE and name in run.results:
            cause = run.results[name]["reason"].removeprefix(_BLOCKED)
            if cause in before and cause not in presumed:
                guess.way, guess.why = Way.UNKNOWN, f"{cause}, which it hung on, is no longer presumed"
            elif cause in made and made[cause].outcome is not Outcome.BROKEN and run.outcome(cause) is Outcome.BROKEN:
                guess.way, guess.why = Way.UNKNOWN, f"{cause}, which it hung on, is no longer broken"
