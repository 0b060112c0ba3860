"""What changed in the catalogue, requirement by requirement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spec.catalogue import Catalogue
from spec.diff.changes import Asks, Change, Kind
from spec.model import Level, Requirement

_ORDER = ("", Level.MAY, Level.SHOULD, Level.MUST)
#: Members that say how a requirement is decided, and nothing of what it asks.
_NOTES = ("decide", "caution", "ambiguity", "implied", "untestable", "planned", "unprovable", "presumed_beyond")


def changes(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    """Give each change of the catalogue, in the order of the new one."""
    profiles = tuple(dict.fromkeys((*new.profiles, *old.profiles)))
    for requirement in new:
        before = old.requirements.get(requirement.id)
        if before is None:
            levels = tuple((p, "", _level(requirement, p)) for p in profiles if _level(requirement, p))
            yield Change(Kind.ADDED, Asks.MORE, requirement.id, statement=requirement.statement, levels=levels)
        else:
            yield from _levels(before, requirement, profiles)
            yield from _members(before, requirement)
    for requirement in old:
        if requirement.id not in new:
            levels = tuple((p, _level(requirement, p), "") for p in profiles if _level(requirement, p))
            reason = new.withdrawn[requirement.id].reason if requirement.id in new.withdrawn else ""
            told = reason or "without a word in withdrawn.yaml"
            statement = requirement.statement
            yield Change(Kind.WITHDRAWN, Asks.LESS, requirement.id, new=told, statement=statement, levels=levels)
    yield from _vocabulary(old, new)


def _change(kind: Kind, asks: Asks, requirement: Requirement, old: str = "", new: str = "") -> Change:
    return Change(kind, asks, requirement.id, old, new, requirement.statement)


def _level(requirement: Requirement, profile: str) -> str:
    return str(requirement.levels.get(profile, ""))


def _levels(old: Requirement, new: Requirement, profiles: tuple[str, ...]) -> Iterator[Change]:
    pairs = [(profile, _level(old, profile), _level(new, profile)) for profile in profiles]
    raised = tuple(p for p in pairs if _ORDER.index(p[2]) > _ORDER.index(p[1]))
    lowered = tuple(p for p in pairs if _ORDER.index(p[2]) < _ORDER.index(p[1]))
    for kind, asks, moved in ((Kind.RAISED, Asks.MORE, raised), (Kind.LOWERED, Asks.LESS, lowered)):
        if moved:
            yield Change(kind, asks, new.id, statement=new.statement, levels=moved)


def _members(old: Requirement, new: Requirement) -> Iterator[Change]:
    if old.statement != new.statement:
        yield _change(Kind.REWORDED, Asks.OTHERWISE, new, old.statement, new.statement)
    if old.statuses and new.statuses and old.statuses != new.statuses:
        yield _change(Kind.STATUSES, _fewer(old.statuses, new.statuses), new, _told(old.statuses), _told(new.statuses))
    for kind, asks, before, after in (
        (Kind.NEEDS, _conditions({*old.needs}, {*new.needs}), old.needs, new.needs),
        (Kind.PRESUMES, Asks.OTHERWISE, old.presumes, new.presumes),
        (Kind.OPERATIONS, Asks.OTHERWISE, old.operations, new.operations),
    ):
        if {*before} != {*after}:
            yield _change(kind, asks, new, *_difference(before, after))
    sources = [[f"{c.document}: {c.section}" for c in each.sources] for each in (old, new)]
    if {*sources[0]} != {*sources[1]}:
        yield _change(Kind.SOURCES, Asks.NOTHING, new, *_difference(*map(tuple, sources)))
    noted = [name for name in _NOTES if getattr(old, name) != getattr(new, name)]
    if not old.statuses and new.statuses:
        noted.append("statuses")
    if noted:
        yield _change(Kind.NOTES, Asks.NOTHING, new, new=", ".join(noted))


def _conditions(old: set[str], new: set[str]) -> Asks:
    """Who needs more before being asked is asked less."""
    return Asks.LESS if old < new else Asks.MORE if new < old else Asks.OTHERWISE


def _fewer(old: Mapping[str, tuple[int, ...]], new: Mapping[str, tuple[int, ...]]) -> Asks:
    before, after = ({(name, s) for name, found in each.items() for s in found} for each in (old, new))
    if {name for name, _ in before} != {name for name, _ in after}:
        return Asks.OTHERWISE
    return Asks.MORE if after < before else Asks.LESS if before < after else Asks.OTHERWISE


def _told(statuses: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {' or '.join(map(str, found))}" for name, found in statuses.items())


def _difference(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, str]:
    """Give what is there no more, and what is new."""
    return ", ".join(e for e in old if e not in new), ", ".join(e for e in new if e not in old)


def _vocabulary(old: Catalogue, new: Catalogue) -> Iterator[Change]:
    """What requirements speak of: profiles, capabilities, sources."""
    for what, before, after in (
        ("profile", old.profiles, new.profiles),
        ("capability", old.capabilities, new.capabilities),
        ("source", old.sources, new.sources),
    ):
        for name in after:
            if name not in before:
                yield Change(Kind.NOTES, Asks.NOTHING, f"{what} {name}", new="is new")
            elif before[name] != after[name]:
                yield Change(Kind.NOTES, Asks.NOTHING, f"{what} {name}", new="says something else")
        for name in before:
            if name not in after:
                yield Change(Kind.NOTES, Asks.NOTHING, f"{what} {name}", old="is gone")
