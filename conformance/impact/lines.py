"""One line for each change of a level: whom it breaks, and who can do it."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.impact.effects import Effect, Outlook, Way
from conformance.impact.estimate import Guess
from conformance.impact.impact import Impact
from spec.diff import Change, Kind
from spec.model import Outcome

_VERBS = {
    Kind.RAISED: "raises {name} to {level} in {profile}",
    Kind.ADDED: "adds {name} as {level} in {profile}",
    Kind.LOWERED: "lowers {name} to {level} in {profile}",
    Kind.WITHDRAWN: "withdraws {name} from {profile}",
}


def lines(impact: Impact) -> Iterator[str]:
    """Give a line for each level that changed, and for each requirement that the document decides otherwise."""
    told: set[tuple[str, str]] = set()
    shown = {outlook.profile for outlook in impact.outlooks}
    for change in impact.diff.changes:
        for profile, before, after in change.levels:
            told.add((change.subject, profile))
            if profile in shown or not impact.outlooks:
                yield f"{_verb(change, profile, after)}: {_who(impact, change.subject, before, after)}"
    by_document: dict[tuple[str, Effect], dict[str, list[str]]] = {}
    for outlook in impact.outlooks:
        if outlook.way is not Way.UNKNOWN and (outlook.requirement, outlook.profile) not in told:
            by_profile = by_document.setdefault((outlook.requirement, outlook.effect), {})
            by_profile.setdefault(outlook.profile, []).append(outlook.registry)
    for (name, effect), by_profile in by_document.items():
        grouped: dict[tuple[str, ...], list[str]] = {}
        for profile, registries in by_profile.items():
            grouped.setdefault(tuple(registries), []).append(profile)
        for alike, profiles in grouped.items():
            yield f"decides {name} otherwise: {effect} in {', '.join(profiles)} for {', '.join(alike)}"


def _verb(change: Change, profile: str, level: str) -> str:
    if change.kind is Kind.LOWERED and not level:
        return f"no longer asks {change.subject} in {profile}"
    return _VERBS[change.kind].format(name=change.subject, level=level, profile=profile)


def _who(impact: Impact, name: str, before: str, after: str) -> str:
    groups: dict[str, list[str]] = {}
    for run in impact.runs:
        guess = impact.guesses[run.name].get(name)
        groups.setdefault(_state(guess, run.outcome(name), before, after), []).append(run.name)
    order = (*_BROKEN.values(), "{} had not done it", "{} had done it", *_STATES.values(), _AGAIN)
    parts = [each.format(", ".join(groups[each])) for each in dict.fromkeys(order) if each in groups]
    return "; ".join([*parts, "no one else is known"])


_AGAIN = "to be run again: {}"
#: What is said of those who break it, by the level now.
_BROKEN = {"MUST": "newly failing: {}", "SHOULD": "with a warning: {}", "MAY": "without it: {}"}
_STATES = {
    Outcome.HELD: "holding it: {}",
    Outcome.UNSUPPORTED: "without occasion for it: {}",
    Outcome.INCONCLUSIVE: "undecided: {}",
    Outcome.NOT_TESTED: "not tested: {}",
    Outcome.ERROR: "not tested: {}",
}


def _state(guess: Guess | None, outcome: Outcome | None, before: str, after: str) -> str:
    if not after:
        return "{} had not done it" if outcome is Outcome.BROKEN else _STATES.get(outcome or Outcome.NOT_TESTED, _AGAIN)
    if guess is None or guess.way is Way.UNKNOWN or guess.outcome is None:
        return _AGAIN
    if guess.outcome is Outcome.BROKEN:
        return _BROKEN[after]
    return _STATES[guess.outcome]


def command(impact: Impact, registry: str) -> str:
    """Return the line that runs again what is not known of a registry."""
    names = impact.unknown[registry]
    chosen = " ".join(f"--requirement {name}" for name in names)
    return f".venv/bin/python -m pytest conformance --registry-url URL {chosen}"


def told(outlook: Outlook) -> str:
    """Return an effect in one line, without its profile."""
    moved = f"{outlook.before} -> {outlook.after}"
    return f"{outlook.requirement} on {outlook.registry}: {moved} ({outlook.way})"
