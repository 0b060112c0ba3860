"""One row of conditions, tried once: what it asks, what it judges, and where it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import Registry, Repository
from conformance.scenarios.conditions.rows.kinds import Shelf
from conformance.scenarios.conditions.rows.rows import Row
from conformance.target.content import Blob, Maker, Manifest
from conformance.target.session import Session
from conformance.verdict.judge import Control, cause_of, describe, excuse_of, status_of

CREATED, ACCEPTED, OK, NOT_FOUND = 201, 202, 200, 404
SERVER_ERROR, NOT_IMPLEMENTED = 500, 501
#: Statuses for what is not there; access control may not say whether it is.
UNKNOWN = frozenset({401, 403, NOT_FOUND})


#: What clients send that take packed answers.
PACKED = ("Accept-Encoding", "gzip")
#: What clients send that ask for nothing after it on the same connection.
CLOSE = (("Connection", "close"),)


def is_coded(answer: Response) -> bool:
    """Tell whether an answer says that its body is packed."""
    return (answer.header("Content-Encoding") or "identity").strip().lower() != "identity"


def denies(answer: Response) -> bool:
    """Tell whether an answer refuses; a server that fails does not (RFC 9110, 15.6), but one that cannot does."""
    return not answer.ok and (answer.status < SERVER_ERROR or answer.status == NOT_IMPLEMENTED)


def cached(etag: str) -> tuple[tuple[str, str], ...]:
    """Return the header by which a cache that has an ETag asks whether it still fits; none without one."""
    return (("If-None-Match", etag),) if etag else ()


def longer(etag: str, digest: str) -> str:
    """Return an entity tag that has another, or a digest, in it and fits neither (RFC 9110, 8.8.3.2)."""
    return f'{etag[:-1]}0"' if etag.endswith('"') else f'"{digest}0"'


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One look at one law: the words for it, and the requirement that a breach is booked to.

    ``special`` has the requirements that tell a breach better under one condition, by ``dimension=value``; where
    several fit, the first does. ``ends`` says that nothing behind it in a row can be judged where it does not hold.
    ``about`` names a dimension that the requirement speaks of: no value of it is a condition beside that.
    """

    law: str
    title: str
    requirement: str
    special: Mapping[str, str] = field(default_factory=dict)
    ends: bool = True
    about: str = ""

    def spoken_of(self, row: Row) -> set[str]:
        """Return the requirements that hold where the law holds in a row."""
        shown = {f"{name}={value}" for name, value in row.items()}
        return {self.requirement, *(id_ for key, id_ in self.special.items() if key in shown)}

    def booked(self, condition: Row) -> str:
        """Return the requirement for a breach that shows under some conditions."""
        shown = {f"{name}={value}" for name, value in condition.items()}
        return next((id_ for key, id_ in self.special.items() if key in shown), self.requirement)

    def beside(self, condition: Row) -> dict[str, str]:
        """Return the conditions beside what the look is about."""
        return {name: value for name, value in condition.items() if name != self.about}

    def narrower(self, condition: Row) -> dict[str, str]:
        """Return the conditions that the requirement a breach under them is booked to does not speak of."""
        booked = self.booked(condition)
        own = {key.partition("=")[0] for key, id_ in self.special.items() if id_ == booked}
        return {name: value for name, value in self.beside(condition).items() if name not in own}


@dataclass(slots=True)
class Broke(Exception):
    """A law does not hold in a row.

    ``subject`` is the tag that it was found at, where a look is at many; ``notes`` say what the row did beside its
    conditions; ``cause`` names an operation that gives no answer, or an overload each time.
    """

    check: Check
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    subject: str = ""
    notes: tuple[str, ...] = ()
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.check.title}: expected {self.expected}, but {self.actual}"


class Unclear(Exception):
    """No answer came, or one of an overload: the row proves nothing; ``check`` and ``told`` say where it ended."""

    def __init__(self, check: Check | None = None, told: str = "") -> None:
        super().__init__(told)
        self.check = check
        self.told = told


class Declined(Exception):
    """The target refuses what it may refuse: the row proves nothing; without the value of ``dimension`` it may."""

    def __init__(self, dimension: str = "") -> None:
        super().__init__(dimension)
        self.dimension = dimension


class Attempt:
    """A row that is tried: judges, remembers what came, and ends at the first law that does not hold."""

    def __init__(
        self,
        session: Session,
        row: Row,
        place: Place,
        make: Maker,
        *,
        number: int = 0,
        closely: bool = False,
        known: frozenset[Check] = frozenset(),
    ) -> None:
        self.session = session
        self.row = row
        self.place = place
        self.make = make
        #: Whether lists are looked at after this row, too, and not only after the last.
        self.closely = closely
        #: Chooses what has only few forms.
        self.number = number
        self._known = known
        #: What the row did that its conditions do not tell, in words that complete them.
        self.notes: list[str] = []
        #: What came at each check, in words.
        self.told: dict[Check, str] = {}
        self._first = len(session.client.exchanges)

    @property
    def repo(self) -> Repository:
        """The repository of the row."""
        return self.place.repository

    @property
    def neighbour(self) -> Repository | None:
        """The other repository of the row; ``None`` where the owner fixed a single one."""
        return self.place.neighbour(self.row)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What went over the wire for this row so far."""
        return tuple(self.session.client.exchanges[self._first :])

    def has(self, capability: str) -> bool:
        """Whether the target has an optional part."""
        return self.session.capabilities.has(capability)

    def __call__(
        self,
        check: Check,
        held: object,
        expected: str,
        *answers: Response,
        actual: str | None = None,
        subject: str = "",
    ) -> None:
        """Judge a law; ``subject`` is the tag that it was found at, where a look is at many.

        Raises:
            Broke: it does not hold.
            Unclear: no answer came, or one of an overload.
        """
        if held:
            self.told[check] = status_of(answers[-1]) if answers else "so it is"
            return
        if check in self._known:
            return
        told = actual or describe(answers)
        if excuse_of(answers):
            raise Unclear(check, told)
        raise Broke(check, expected, told, self.exchanges, subject, tuple(self.notes), cause_of(answers))

    def status(self, check: Check, answer: Response, *wanted: int) -> None:
        """Judge a law by a status."""
        self(check, answer.status in wanted, f"status {' or '.join(map(str, wanted))}", answer)

    def answered(self, answer: Response) -> Response:
        """Return an answer, if it is one.

        Raises:
            Unclear: no answer came, or one of an overload.
        """
        if answer.excuse:
            # What was asked for may have been done all the same.
            self.place.controlled = True
            raise Unclear(None, describe((answer,)))
        return answer

    def taken(self, answer: Response, control: Control | None = None) -> Response:
        """Return an answer to a push, unless it is a refusal by policy; ``control`` does the same in the ordinary way.

        Raises:
            Declined: the target's owner wants it so.
            Unclear: no answer came, or one of an overload.
        """
        self.answered(answer)
        if answer.refused:
            self.place.controlled = True
            if self.session.policy.found(answer, control) is not None:
                raise Declined
        return answer

    def deletes(self, check: Check, answer: Response, plain: Callable[[], Response] | None = None) -> bool:
        """Tell whether a deletion was done; what is there may be held against it, and yet is not unknown.

        ``plain`` asks for it in the ordinary way, where that is another: what is done then was not refused by policy.
        """
        unknown = answer.status == NOT_FOUND and not self.session.settings.settle
        # A target may lack deletion, and a server that fails has no policy.
        failed = answer.status >= SERVER_ERROR and answer.status != NOT_IMPLEMENTED
        self(check, not unknown and not failed, "a deletion of what is there", answer)
        if answer.refused and plain is not None:
            control = plain()
            self(check, control.status != ACCEPTED, "a deletion, as when asked in the ordinary way", answer, control)
        return answer.status == ACCEPTED

    def ask(self, ask: Callable[[], Response], fits: Callable[[Response], bool]) -> Response:
        """Ask until an answer fits, for as long as the target may take to settle."""
        return self.session.settings.ask(ask, fits)

    def gone(self, ask: Callable[[], Response]) -> None:
        """Wait until what was deleted is gone, for as long as that may take: else it takes with it what comes next."""
        if self.session.settings.settle:
            self.ask(ask, lambda answer: not answer.ok)

    def elsewhere(self) -> Repository:
        """Return the repository as a client on a connection of its own sees it."""
        return Repository(self.apart(), self.repo.name)

    def apart(self) -> Registry:
        """Return the target on a connection that nothing else uses."""
        return self.session.apart()


@dataclass(slots=True)
class Place:
    """A repository and another one beside it (none where the owner fixed a single one)."""

    repository: Repository
    beside: Repository | None
    below: Repository | None = None
    third: Repository | None = None
    #: One that nobody pushes to, whose name differs from that of the first in a separator.
    alias: Repository | None = None
    #: The one whose name that of the first extends by a component, which nobody pushes to, either.
    above: Repository | None = None
    #: The tags that are there, with the row that pushed each.
    tags: dict[str, Row] = field(default_factory=dict)
    #: The tags of pushes that are refused, with the row that made each.
    refused: dict[str, Row] = field(default_factory=dict)
    #: The tags that some list has shown.
    shown: set[str] = field(default_factory=set)
    #: The tags that rows deleted, or whose manifest they did.
    gone: set[str] = field(default_factory=set)
    #: Whether control requests may have left tags there.
    controlled: bool = False
    #: Whether a row deleted a manifest: what else went with it is a matter of deletion.
    deleted: bool = False
    #: What manifests are made of, once they are.
    shelf: Shelf | None = None
    #: The repository that lists are looked at in, with what it holds.
    filled: Filled | None = None
    #: A blob that no row deletes.
    near: Blob | None = None
    #: Repositories that nothing was done in yet, of the same form.
    spare: list[Repository] = field(default_factory=list)
    #: What rows left that has to be there when all are done, with the row that left it.
    later: list[tuple[Row, Callable[[Attempt], None]]] = field(default_factory=list)
    #: What rows deleted that has to be gone when all are done, with the row that deleted it.
    lost: list[tuple[Row, Callable[[Attempt], None]]] = field(default_factory=list)
    #: Looks at the list of tags, once some row has pushed one.
    listed: Callable[[Attempt], None] | None = None
    #: The tags that rows pushed to the other repositories.
    elsewhere: set[str] = field(default_factory=set)
    _neighbours: dict[str, Shelf] = field(default_factory=dict)
    _unused: Repository | None = None

    def neighbour(self, row: Row) -> Repository | None:
        """Return the other repository of a row."""
        return self.below if row["neighbour"] == "below" and self.below else self.beside

    def blob(self, session: Session) -> Blob:
        """Return a blob of the repository that no row deletes."""
        if self.near is None:
            self.near = session.setup(f"near {self.repository.name}").blob(self.repository)
        return self.near

    def unused(self, session: Session) -> Repository | None:
        """Return a repository that holds one blob, which no row pushes; nothing where the owner fixed some."""
        if self._unused is None and self.spare:
            self._unused = self.spare.pop()
            session.setup(f"unused {self._unused.name}").blob(self._unused)
        return self._unused

    def shelf_of(self, neighbour: Repository, session: Session) -> Shelf:
        """Return what another repository holds, which exists from then on."""
        if neighbour.name not in self._neighbours:
            shelf = Shelf(session.setup(f"shelf {neighbour.name}"), neighbour, self.shelf)
            shelf.child()
            self._neighbours[neighbour.name] = shelf
        return self._neighbours[neighbour.name]


@dataclass(slots=True)
class Filled:
    """What was pushed to a repository: the manifests by tag, and the manifest that they all refer to."""

    repo: Repository
    shelf: Shelf
    subject: Manifest
    #: How many tags were pushed to be listed; the subject has one, too.
    size: int = 1
    pushed: dict[str, Manifest] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    #: The tags whose manifest was deleted: that they are listed no more is judged where that was done.
    gone: set[str] = field(default_factory=set)
