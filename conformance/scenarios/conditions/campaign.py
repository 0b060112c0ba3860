"""Try all rows of a subject, find the condition that matters for each breach, and judge the requirements."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from conformance.scenarios.conditions import checks
from conformance.scenarios.conditions.rows.attempt import Attempt, Broke, Check, Declined, Place, Unclear
from conformance.scenarios.conditions.rows.places import Places
from conformance.scenarios.conditions.rows.rows import Possible, Row, offered, rows
from conformance.scenarios.search.script import script
from conformance.scenarios.search.trial import Breach
from conformance.scenarios.shared.tags import WORDS
from conformance.target.content import Maker
from conformance.target.session import Session
from conformance.verdict.judge import Judge, Judgement, Verdictless
from spec.conditions import Dimension, Subject
from spec.model import Outcome

#: The dimension that says where a row takes place.
REPOSITORY = "repository"
#: How many things that rows left are looked at again when all are done.
LATER = 1
#: What is said of a breach that a row alone does not show.
AMONG = "in a repository without other content it did not show"
#: Breaches of different kinds that are looked into, and rows that prove nothing after which a subject is given up.
MOST = 6
UNCLEAR = 5

#: The rows of a session by subject: those of all shapes are made at once.
_rows: WeakKeyDictionary[Session, dict[str, list[Row]]] = WeakKeyDictionary()

Try = Callable[[Attempt], None]


@dataclass(slots=True)
class Found:
    """A breach, and the least condition under which it shows: dimensions with their values, none where it shows always.

    ``contrast`` is what came at the same look under another value of the last dimension that matters, in words.
    """

    broke: Broke
    condition: dict[str, str]
    contrast: str = ""


@dataclass(slots=True)
class Tally:
    """What the rows of one scenario have shown: the laws that held, in which pairs, and what broke."""

    held: set[str] = field(default_factory=set)
    found: dict[Check, Found] = field(default_factory=dict)
    #: Each row with the laws that were tried in it; none where the target declined.
    rows: list[tuple[Row, list[str]]] = field(default_factory=list)
    unclear: int = 0


class Campaign:
    """The rows of one subject that take place in repositories of one shape.

    ``order`` sorts them. ``alike`` names what a row pushes that others push, too; empty where no other does.
    """

    def __init__(
        self,
        session: Session,
        node: str,
        subject: Subject,
        attempt: Try,
        possible: Possible,
        *,
        order: Callable[[Row], int] = lambda _: 0,
        alike: Callable[[Row], str] = lambda _: "",
    ) -> None:
        self.session = session
        self.settings = session.settings
        self.subject = subject
        self._attempt = attempt
        self._possible = possible
        self._order = order
        self._alike = alike
        self._node = node
        slug = node.rpartition("::")[2].removeprefix("test_").replace("_", "-")
        self.places = Places(session, "".join(c if c.isalnum() else "-" for c in slug.lower()).strip("-"))
        self.tally = Tally()
        self._count = 0
        #: What chooses things of few forms, such as a tag of one character: by row, and for rows made of another.
        self._numbers: dict[int, int] = {}
        self._number = 0
        #: Rows made of others, which keep their numbers as long as they are here.
        self._others: list[Row] = []
        self.dimensions = tuple(d for d in subject.dimensions if not (self.places.fixed and d.id == REPOSITORY))

    # -- rows

    def rows(self, shape: str) -> list[Row]:
        """Return the rows of a shape of repositories; all where the owner fixed the repositories."""
        has, effort = self.session.capabilities.has, self.settings.effort
        values = {d: offered(d, has, effort) for d in self.dimensions}
        key = f"{self.settings.seed}:{self.subject.id}"
        if (known := _rows.get(self.session)) is None:
            known = _rows[self.session] = {}
        if key not in known:
            known[key] = sorted(rows(values, key, effort, self._possible, (REPOSITORY,)), key=self._order)
        found = known[key]
        for name in ("tag", "arrival"):
            # Things of few forms come in turns, wherever the rows of their kind take place.
            seen: Counter[str] = Counter()
            for row in found:
                if name in row:
                    # Words come in another order where they are deleted, so that the first is both kept and deleted.
                    turn = row[name] == "word" and row.get("manifest-fate") in {"digest-deleted", "tag-deleted"}
                    count = seen[row[name] + str(turn)]
                    self._numbers[id(row)] = -count % len(WORDS) if turn else count
                    seen[row[name] + str(turn)] += 1
        return [row for row in found if row.get(REPOSITORY, shape) == shape]

    def run(self, shape: str) -> None:
        """Try the rows of a shape, and look into what broke."""
        place, there = self.places.of(shape), set[str]()
        for row in self.rows(shape):
            self.tally.rows.append((row, []))
            if self._enough():
                continue
            # What an earlier row left is not there where this one pushes the same.
            alike = self._alike(row)
            if self._row(self._avoiding(row), self.places.fresh(shape) if alike in there else place):
                # What a breach leaves behind is no ground for the next row.
                place = self.places.fresh(shape)
                there.clear()
            there |= {alike} - {""}
        self._look_back(place)

    def _enough(self) -> bool:
        over = time.monotonic() > self.settings.deadline
        return over or self.tally.unclear >= UNCLEAR or len(self.tally.found) >= MOST

    def _row(self, row: Row, place: Place) -> bool:
        """Try a row, and without the value that ended it if there is one; return whether a law did not hold."""
        self._numbers.setdefault(id(row), 0)
        try:
            attempt, broke = self.once(row, place)
        except Declined as declined:
            return self._without(row, declined.dimension, place)
        except Unclear:
            self.tally.unclear += 1
            return False
        self.tally.held.update(id_ for check in attempt.told for id_ in check.spoken_of(row))
        laws = self.tally.rows[-1][1]
        laws[:] = sorted({*laws, *(check.law for check in attempt.told)})
        if broke is None:
            return False
        if broke.check not in self.tally.found:
            self.tally.found[broke.check] = self._known(row, broke.check) or self._shrink(row, broke, place)
            self.session.board.tell(_name(broke.check), self.tally.found[broke.check])
        # What comes behind the breach in the row was not looked at.
        self._without(row, broke.check.about, self.places.fresh(row.get(REPOSITORY, "")))
        return True

    def _avoiding(self, row: Row) -> Row:
        """Return a row without the values that are known to end it before all is looked at."""
        plain = {d.id: d.plain.id for d in self.dimensions}
        for check, found in self.tally.found.items():
            ends = check.ends and found.contrast != AMONG and found.condition.items() <= row.items()
            if ends and row.get(check.about, "") != plain.get(check.about, ""):
                number = self._numbers.get(id(row), 0)
                row = {**row, check.about: plain[check.about]}
                self._numbers[id(row)] = number
                self._others.append(row)
        return row

    def _without(self, row: Row, dimension: str, place: Place) -> bool:
        """Try a row with the plain value of a dimension, where that is another."""
        plain = {d.id: d.plain.id for d in self.dimensions}
        if row.get(dimension, "") == plain.get(dimension, "") or self._enough():
            return False
        other = {**row, dimension: plain[dimension]}
        self._numbers[id(other)] = self._numbers.get(id(row), 0)
        self._others.append(other)
        return self._row(other, place)

    def _known(self, row: Row, check: Check) -> Found | None:
        """Return what another scenario of the session found out about a breach that shows in a row as well."""
        known: Found | None = self.session.board.ask(_name(check))
        fits = known is not None and known.contrast != AMONG and known.condition.items() <= row.items()
        return known if fits else None

    def _look_back(self, place: Place) -> None:
        """See, when all rows are done, whether what they left is there."""
        chooser = random.Random(f"{self.settings.seed}:{self._node}")
        looks = chooser.sample(place.later, min(LATER, len(place.later)))
        # Tags that are words are those that a registry may treat as something else.
        looks += [look for look in place.later if look[0].get("tag") == "word" and look not in looks]
        looks += place.lost[:LATER]
        if place.listed is not None:
            looks.append(({}, place.listed))
        for row, look in looks:
            attempt = Attempt(self.session, row, place, Maker(f"{self.settings.seed}:{self._node}:later"))
            try:
                look(attempt)
            except Broke as broke:
                if broke.check not in self.tally.found:
                    left = self._left_by(broke, row, place)
                    self.tally.found[broke.check] = (
                        self._shrink(left, broke, place) if left else Found(broke, {}, AMONG)
                    )
            except (Unclear, Verdictless):
                self.tally.unclear += 1
            self.tally.held.update(check.requirement for check in attempt.told)

    def _left_by(self, broke: Broke, row: Row, place: Place) -> Row:
        """Return the row that left what a look at many things found broken; nothing where none shows it alone."""
        if row or broke.subject in {*place.tags, *place.refused}:
            return place.tags.get(broke.subject) or place.refused.get(broke.subject) or row
        # What rows pushed beside their own has no row.
        by_form = {left["tag"]: left for left in place.tags.values() if left}
        for left in by_form.values():
            if self._shows(left, broke.check)[0] is not None:
                return left
        return {}

    def once(self, row: Row, place: Place, *, closely: bool = False) -> tuple[Attempt, Broke | None]:
        """Try a row; return what it told, and the breach that ended it.

        Raises:
            Declined: the target refused what it may refuse.
            Unclear: the row proves nothing.
        """
        self._count += 1
        make = Maker(f"{self.settings.seed}:{self._node}:{self._count}")
        number = self._numbers.get(id(row), self._number)
        known = frozenset(check for check in self.tally.found if not check.ends)
        attempt = Attempt(self.session, row, place, make, number=number, closely=closely, known=known)
        try:
            self._attempt(attempt)
        except Broke as broke:
            return attempt, broke
        except Verdictless:
            raise Unclear from None
        return attempt, None

    # -- the condition that matters

    def _shrink(self, row: Row, broke: Broke, place: Place) -> Found:
        """Put the plain value in the place of each that makes no difference to a breach."""
        self._number = self._numbers.get(id(row), 0)
        plain: Row = {dimension.id: dimension.plain.id for dimension in self.dimensions}
        shown, _ = self._shows(plain, broke.check)
        if shown is not None:
            return Found(shown, {})
        shown, _ = self._shows(row, broke.check)
        if shown is None:
            return self._among(row, broke, place)
        broke, contrast, kept = shown, "", dict(row)
        for dimension in self.dimensions:
            for value in self._plainer(dimension, kept[dimension.id]):
                candidate = {**kept, dimension.id: value}
                if not self._possible(candidate):
                    continue
                shown, told = self._shows(candidate, broke.check, also=checks.ALSO.get(broke.check))
                if shown is not None:
                    kept, broke = candidate, shown
                    break
                if told:
                    contrast = f"{self._phrase(dimension, value)}: {told}"
                    break
        matters = {d.id: kept[d.id] for d in self.dimensions if kept[d.id] != d.plain.id}
        return Found(broke, matters, contrast)

    def _plainer(self, dimension: Dimension, value: str) -> list[str]:
        """Return the values to try in the place of one: the plain one and, where it has no such look, others."""
        usual = [v.id for v in offered(dimension, self.session.capabilities.has, self.settings.effort) if not v.dear]
        others = [name for name in usual if name != dimension.plain.id]
        before = others[: others.index(value)] if value in others else others
        return [] if value == dimension.plain.id else [dimension.plain.id, *before]

    def _among(self, row: Row, broke: Broke, place: Place) -> Found:
        """A breach that needs what went before it in the repository; one that comes and goes is of no condition."""
        try:
            _, again = self.once(row, place, closely=broke.check in checks.LATER)
        except (Declined, Unclear):
            again = None
        if again is None or again.check != broke.check:
            return Found(broke, {}, AMONG)
        return Found(again, {"before": "others"}, AMONG)

    def _shows(self, row: Row, check: Check, also: Check | None = None) -> tuple[Broke | None, str]:
        """Return the breach of a law in a row, by one look or another, or what came at it instead, in words."""
        try:
            place = self.places.fresh(row.get(REPOSITORY, ""))
            attempt, broke = self.once(row, place, closely=check in checks.LATER)
        except (Declined, Unclear):
            return None, ""
        if broke is not None and broke.check in {check, also}:
            return broke, ""
        return None, attempt.told.get(check, "")

    def _phrase(self, dimension: Dimension, value: str) -> str:
        phrase = dimension.value(value).phrase
        return self.places.phrase(value, phrase) if dimension.id == REPOSITORY else phrase

    def told(self, found: Found) -> str:
        """Return a breach in a sentence: the look, the condition, what came, and what came otherwise."""
        # The title has the words for what the requirement is about; how long pages and ranges are it has not.
        said = {found.broke.check.about} - {"page", "range"}
        parts = [
            self._phrase(d, found.condition[d.id])
            for d in self.dimensions
            if d.id in found.condition.keys() - said and found.contrast != AMONG
        ]
        where = f" {', '.join([*parts, *found.broke.notes])}" if parts or found.broke.notes else ""
        contrast = f"; {found.contrast}" if found.contrast else ""
        return f"{found.broke.check.title}{where}: {found.broke.actual}{contrast}"

    # -- judgements

    def conclude(self, judge: Judge) -> None:
        """Judge each requirement of the subject's laws: broken, held, or without occasion."""
        absent = set(judge.judgements)
        for found in self.tally.found.values():
            # The look that tells it best may be another one than that which saw it first.
            check = found.broke.check
            requirement = check.booked(found.condition)
            if requirement in absent or requirement in judge.judgements:
                continue
            judge.add(
                Judgement(
                    requirement,
                    Outcome.BROKEN,
                    expected=found.broke.expected,
                    actual=self.told(found),
                    evidence=found.broke.exchanges,
                    script=self._script(requirement, found),
                    condition=_named(check.beside(found.condition)),
                    narrower=_named(check.narrower(found.condition)),
                    cause=found.broke.cause,
                )
            )
        for requirement in self.tally.held - absent - set(judge.judgements):
            judge.add(Judgement(requirement, Outcome.HELD))
        judge.rest(Outcome.UNSUPPORTED, "no row gave the occasion")
        judge.conditions = {
            "subject": self.subject.id,
            "rows": [{"values": dict(row), "laws": laws} for row, laws in self.tally.rows],
        }

    def _script(self, requirement: str, found: Found) -> str:
        broke = found.broke
        shown = Breach(requirement, broke.check.title, broke.expected, self.told(found), [], [*broke.exchanges])
        return script(shown, self.settings)


def _name(check: Check) -> tuple[str, ...]:
    return "conditions", check.law, check.title, check.requirement


def _named(condition: Row) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in sorted(condition.items()))
