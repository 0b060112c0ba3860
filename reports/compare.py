"""Two reports side by side: what changed in the registry, told apart from what changed in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from reports import view
from reports.loading import ReportError
from reports.model import Report, RequirementResult
from reports.text import shorten
from spec.model import Outcome, Verdict

#: Verdicts by which a broken requirement counts in a profile.
_BROKEN = (Verdict.FAIL, Verdict.WARNING, Verdict.KNOWN_FAILURE)
_TEXT = 400


class Kind(StrEnum):
    """What happened to a requirement between two reports; those of the catalogue come last."""

    BROKEN = "newly broken"
    LOST = "no longer offered"
    REPAIRED = "repaired"
    UNDECIDED = "no longer decided"
    DECIDED = "newly decided"
    LEVEL = "level changed"
    ADDED = "new in the catalogue"
    DROPPED = "no longer in the catalogue"

    @property
    def of_the_catalogue(self) -> bool:
        """Whether it says something of the suite alone."""
        return self in {Kind.LEVEL, Kind.ADDED, Kind.DROPPED}

    @property
    def regressed(self) -> bool:
        """Whether the registry did better before."""
        return self in {Kind.BROKEN, Kind.LOST}


@dataclass(frozen=True, slots=True)
class Change:
    """One requirement that differs: levels and verdicts of one profile, empty where it is not in it."""

    kind: Kind
    id: str
    category: str
    statement: str
    levels: tuple[str, str]
    verdicts: tuple[str, str]
    reason: str
    #: The catalogue words the requirement otherwise: a difference may be in how it is decided.
    reworded: bool = False


@dataclass(slots=True)
class Comparison:
    """What differs between two reports in one profile, and what a reader has to know of both."""

    profile: str
    verdicts: tuple[str, str]
    products: tuple[str, str]
    suites: tuple[str, str]
    changes: list[Change]
    notes: list[str] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Change]:
        """Return the changes of a kind, in the order of the catalogue."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def regressed(self) -> bool:
        """Whether something that held is broken or gone."""
        return any(change.kind.regressed for change in self.changes)


def compare(old: Report, new: Report, profile: str = "") -> Comparison:
    """Compare two reports that were checked, by the ids of requirements; the catalogue may be another.

    Args:
        old: the earlier report.
        new: the later report.
        profile: the profile whose verdicts are compared; that of the later run where it is empty.

    Raises:
        ReportError: a report does not have the profile.
    """
    profile = profile or new["run"]["profile"]
    for name, report in (("OLD", old), ("NEW", new)):
        if profile not in report["profiles"]:
            raise ReportError(f"--profile: {name} has no profile {profile}; it has {', '.join(report['profiles'])}.")
    return Comparison(
        profile,
        (old["profiles"][profile]["verdict"], new["profiles"][profile]["verdict"]),
        (view.product(old), view.product(new)),
        (_suite(old), _suite(new)),
        list(_changes(old, new, profile)),
        list(_notes(old, new)),
    )


def _suite(report: Report) -> str:
    return f"{report['suite']['version']} {report['suite']['commit'] or ''}".strip()


def _changes(old: Report, new: Report, profile: str) -> Iterator[Change]:
    before = {entry["id"]: entry for entry in old["requirements"]}
    found = {finding["requirement"]: finding for finding in new["findings"]}
    gone = _gone(old, new)
    for entry in new["requirements"]:
        was = before.pop(entry["id"], None)
        reason = view.reason(entry, profile, found.get(entry["id"])) if profile in entry["verdicts"] else ""
        for kind in _kinds(was, entry, profile, gone, whole=new["run"]["complete"]):
            yield _change(kind, was, entry, profile, reason)
    for entry in before.values():
        if profile in entry["verdicts"]:
            yield _change(Kind.DROPPED, entry, None, profile, "")


def _change(
    kind: Kind, was: RequirementResult | None, now: RequirementResult | None, profile: str, reason: str
) -> Change:
    entry = now or was
    assert entry is not None
    sides = (was, now)
    return Change(
        kind,
        entry["id"],
        entry["category"],
        shorten(entry["statement"], _TEXT),
        _pair([one["levels"].get(profile, "") if one else "" for one in sides]),
        _pair([one["verdicts"].get(profile, "") if one else "" for one in sides]),
        shorten(reason, _TEXT),
        bool(was and now and was["statement"] != now["statement"]),
    )


def _pair(texts: list[str]) -> tuple[str, str]:
    return texts[0], texts[1]


def _gone(old: Report, new: Report) -> set[str]:
    """Return the optional parts that were offered and are not any more."""
    before, after = old["target"]["capabilities"], new["target"]["capabilities"]
    return {
        name for name, one in before.items() if one["present"] and name in after and after[name]["present"] is False
    }


def _kinds(
    was: RequirementResult | None, now: RequirementResult, profile: str, gone: set[str], *, whole: bool
) -> Iterator[Kind]:
    """Give what happened to a requirement: its outcome is the registry's, its level the catalogue's."""
    level = now["levels"].get(profile)
    if was is None:
        if level:
            yield Kind.ADDED
        return
    if level != was["levels"].get(profile):
        yield Kind.LEVEL
    if not level or was["outcome"] == now["outcome"]:
        return
    before, after = was["outcome"], now["outcome"]
    if after == Outcome.BROKEN:
        if now["verdicts"][profile] in _BROKEN:
            yield Kind.BROKEN
    elif after == Outcome.HELD:
        yield Kind.REPAIRED if before == Outcome.BROKEN else Kind.DECIDED
    elif before == Outcome.HELD and after == Outcome.UNSUPPORTED and gone & {*now["reason"].replace(",", " ").split()}:
        # Without such a part, a clause may only have had no occasion.
        yield Kind.LOST
    elif before in {Outcome.HELD, Outcome.BROKEN} and (whole or after != Outcome.NOT_TESTED):
        yield Kind.UNDECIDED


def _notes(old: Report, new: Report) -> Iterator[str]:
    """Give what else differs, and may be the cause of a difference."""
    if _suite(old) != _suite(new):
        yield "another version of the suite judged, so that a difference may be the suite's"
    if old["target"]["product"] != new["target"]["product"]:
        yield "the products are not the same"
    for name, report in (("OLD", old), ("NEW", new)):
        if warning := view.warning(report):
            yield f"{name}: {warning}"
    options = {name for report in (old, new) for name in report["run"]["options"]}
    differ = sorted(n for n in options if old["run"]["options"].get(n) != new["run"]["options"].get(n))
    if differ:
        yield f"the options differ: {', '.join(differ)}"
