"""One example of a search: what it asked, and where the target disagreed with the specification."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from conformance.client.http.exchange import Exchange, Response
from conformance.client.registry import Repository
from conformance.target.content import Maker
from conformance.target.session import Session
from conformance.verdict.judge import describe, excuse_of
from conformance.verdict.presence import root_of

#: Where no look has begun.
_NEVER = 1 << 60


@dataclass(slots=True)
class Step:
    """A step in words, and how many exchanges of the example came before it."""

    text: str
    before: int


@dataclass(slots=True)
class Breach:
    """A disagreement: the broken requirement, its evidence, and the steps that led to it.

    ``symptom`` names what was seen, whatever its cause; shrinking holds on to it, since the
    requirement is told best where nothing is left that does not matter.
    """

    requirement: str
    symptom: str
    expected: str
    actual: str
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list, repr=False)

    @property
    def size(self) -> tuple[int, int, int]:
        """How much it takes to show it: steps, requests, bytes sent."""
        return len(self.steps), len(self.exchanges), sum(e.request.size for e in self.exchanges)


class Found(Exception):
    """An example broke something that the search did not know of."""

    def __init__(self, breach: Breach) -> None:
        super().__init__(f"{breach.requirement}: expected {breach.expected}, but {breach.actual}")
        self.breach = breach


class Unclear(Exception):
    """No answer came, or one of an overload: the example proves nothing."""


class ByPolicy(Unclear):
    """The target's owner refuses what the example asks for, which is no overload."""


@dataclass(slots=True)
class Notes:
    """What all examples of a search know of each other.

    ``known`` are the symptoms that were seen before and are passed over, ``pursued`` is the one
    that is shrunk (empty for any), ``occasions`` are the requirements that were seen to hold,
    ``examples`` numbers the examples, ``unclear`` counts those that proved nothing. ``closely``
    asks for a look after each step, at what is pursued alone.
    """

    known: set[str] = field(default_factory=set)
    pursued: str = ""
    occasions: set[str] = field(default_factory=set)
    #: What could not be judged, as an answer broke another requirement by its success alone.
    blocked: dict[str, str] = field(default_factory=dict)
    examples: int = 0
    unclear: int = 0
    best: Breach | None = None
    closely: bool = False

    def begin(self, pursued: str = "", *, closely: bool = False) -> None:
        """Begin a run: forget what the one before it found."""
        self.closely = closely
        self.pursued, self.best = pursued, None

    def takes(self, symptom: str) -> bool:
        """Whether an example ends at a symptom."""
        return symptom not in self.known and self.pursued in {"", symptom}


class Trial:
    """One example, run once: it judges like a `Judge`, and ends at the first new disagreement."""

    def __init__(self, session: Session, node: str, slug: str, notes: Notes, *, dry: bool = False) -> None:
        notes.examples += not dry
        self.notes = notes
        #: Whether nothing is to be sent: the example is made for those behind it.
        self.dry = dry
        self.session = session
        self.settings = session.settings
        self.steps: list[Step] = []
        self.make = Maker(f"{session.settings.seed}:{node}:{notes.examples}")
        #: Tells the content of this example from that of any other.
        self.mark = self.make.random.randbytes(4).hex()
        self._slug = slug
        self._first = len(session.client.exchanges)
        self._looks: list[tuple[int, int]] = []
        self._look = _NEVER

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges of the example so far."""
        return self.session.client.exchanges[self._first :]

    def repositories(self, count: int) -> list[Repository]:
        """Return repositories of their own, or those that the owner fixed, which may be fewer."""
        settings = self.settings
        names = list(settings.repositories[:count])
        if not names:
            prefix = f"{settings.namespace}/{settings.run_id}-{self._slug}-{self.notes.examples}"
            names = [f"{prefix}{letter}" for letter in "abcd"[:count]]
        return [self.repository(name) for name in names]

    def repository(self, name: str) -> Repository:
        """Return the repository of a name; what is made there is removed when the run ends."""
        return Repository(self.session.registry, name)

    def step(self, text: str) -> None:
        """Say what comes next."""
        self.steps.append(Step(text, len(self.session.client.exchanges) - self._first))

    def __call__(
        self,
        requirement: str,
        held: object,
        expected: str,
        *answers: Response,
        actual: str | None = None,
        symptom: str = "",
    ) -> bool:
        """Judge; return whether it held, or a disagreement is known and has to be followed.

        Raises:
            Found: it is broken in a way that was not known.
            Unclear: no answer came, or one of an overload; or the last one is a refusal by policy.
        """
        if held:
            self.notes.occasions.add(requirement)
            return True
        for answer in answers[-1:]:
            self.granted(answer)
        if excuse_of(answers):
            raise Unclear
        if root := root_of(requirement, answers):
            self.notes.blocked.setdefault(requirement, root)
            raise Unclear
        symptom = symptom or requirement
        if self.notes.takes(symptom):
            told = actual or describe(answers)
            steps, exchanges = self._shown(answers)
            breach = Breach(requirement, symptom, expected, told, steps, exchanges)
            self.notes.pursued = symptom
            if self.notes.best is None or breach.size < self.notes.best.size:
                self.notes.best = breach
            raise Found(breach)
        return False

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Mark exchanges that only look: what they found right is not shown."""
        self._look = len(self.exchanges)
        try:
            yield
        except Found as found:
            # The lists that were looked at may be long, and what breaks off here is kept for a
            # while.
            traceback.clear_frames(found.__traceback__)
            raise
        finally:
            self._looks.append((self._look, len(self.exchanges)))
            self._look = _NEVER

    def _shown(self, answers: Sequence[Response]) -> tuple[list[Step], list[Exchange]]:
        """Return the steps and exchanges behind some answers, without looks that held."""
        shown = {id(exchange) for answer in answers for exchange in answer.trail}
        kept: list[Exchange] = []
        before = [0]
        for number, exchange in enumerate(self.exchanges):
            # A look that goes on has no end yet.
            looks = any(first <= number < last for first, last in [*self._looks, (self._look, len(self.exchanges))])
            if not looks or id(exchange) in shown:
                kept.append(exchange)
            before.append(len(kept))
        steps = [Step(step.text, before[step.before]) for step in self.steps]
        return [s for s in steps if s.before < len(kept)], kept

    def granted(self, answer: Response) -> None:
        """End the example at a refusal by policy of what should be taken.

        Raises:
            ByPolicy: it is one.
        """
        with self.looking():
            wanted = self.session.policy.found(answer)
        if wanted is not None:
            raise ByPolicy

    def alive(self, *answers: Response) -> None:
        """End the example where one of some answers is none.

        Raises:
            Unclear: no answer came, or one of an overload.
        """
        if any(a.excuse or not a.status for a in answers):
            raise Unclear


@contextmanager
def tolerant(notes: Notes) -> Iterator[None]:
    """Let an example that proves nothing end as one that found nothing."""
    try:
        yield
    except Unclear as unclear:
        notes.unclear += not isinstance(unclear, ByPolicy)


def smallest(breaches: Sequence[Breach]) -> Breach:
    """Return the breach that takes the least to show."""
    return min(breaches, key=lambda breach: breach.size)
