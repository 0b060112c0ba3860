"""How a scenario judges: outcomes with what was expected, what came, and the exchanges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import pytest

from conformance.client.http.exchange import Exchange, Response
from conformance.verdict import presence
from conformance.verdict.rank import weight
from spec.model import Outcome, Withheld

#: Does in an ordinary way what was refused; gives what it is answered.
Control = Callable[[], Response]

_SHOWN = 400
_CREATED = 201
_SUCCESS = frozenset(range(200, 300))
_CODE = re.compile("[A-Z_]+")


def verifies(*requirements: str) -> pytest.MarkDecorator:
    """Mark a scenario with the ids of the requirements that it decides."""
    return pytest.mark.verifies(*requirements)


class Verdictless(Exception):
    """A scenario ends early; what it had not yet judged gets the outcome that the subclass tells.

    ``answers`` led to it; where the last is a refusal by policy, that is the reason in place of
    this one.
    """

    outcome = Outcome.INCONCLUSIVE

    def __init__(self, reason: str, *answers: Response) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answers = answers


class NotTested(Verdictless):
    """What the scenario needs was not given or was forbidden by the options.

    ``withheld`` names what the target's owner would have to give. Then the rest is out of the run's
    scope: it does not stand in the way of PASS, and is counted beside it. Without it, nothing
    passes.
    """

    outcome = Outcome.NOT_TESTED

    def __init__(self, reason: str, withheld: Withheld | None = None) -> None:
        super().__init__(reason)
        self.withheld = withheld


class Unsupported(Verdictless):
    """The target lacks an optional part, or the occasion of a conditional clause never arose."""

    outcome = Outcome.UNSUPPORTED


class Undecided(Verdictless):
    """The set-up did not give what the scenario needs, and nobody is to blame."""


def declined(answer: Response, what: str) -> Verdictless:
    """Return how a scenario ends after a refused set-up: a refusal shows an absent part."""
    told = f"{what} (status {answer.status})"
    return Unsupported(told) if answer.refused and not answer.excuse else Undecided(told)


class Blocked(Verdictless):
    """The set-up broke on a requirement: the target did there what that requirement forbids."""

    def __init__(self, requirement: str, expected: str, *answers: Response, actual: str | None = None) -> None:
        super().__init__(f"blocked by {requirement}", *answers)
        self.requirement = requirement
        self.judgement = _broken(requirement, expected, answers, actual)
        #: A dead connection, an overload or withheld credentials prove nothing.
        self.accuses = not any(answer.excuse for answer in answers)


class RefusalPolicy(Protocol):
    """Tells refusals that a target's owner wants from those that the target makes wrongly."""

    def check(self, answer: Response, control: Control | None = None) -> None:
        """End a scenario at a refusal by policy; ``control`` does the same in an ordinary way."""

    def found(self, answer: Response, control: Control | None = None) -> Verdictless | None:
        """Return how a scenario ends at a refusal by policy; ``None`` where the answer is none."""


@dataclass(slots=True)
class Judgement:
    """What one scenario found out about one requirement."""

    requirement: str
    outcome: Outcome
    reason: str = ""
    expected: str = ""
    actual: str = ""
    evidence: tuple[Exchange, ...] = field(default=(), repr=False)
    withheld: Withheld | None = None
    #: What else broke by the same: an operation that gives no answer, in words.
    cause: str = ""
    #: The requirement broken by the success alone; while it is broken, this one is undecided.
    root: str = ""
    #: What shows it again, where that takes more than the last request.
    script: str = field(default="", repr=False)
    #: The conditions that it was found under, as ``dimension=value``: those that make a difference.
    condition: tuple[str, ...] = ()
    #: Those of them that the requirement does not speak of.
    narrower: tuple[str, ...] = ()


def _broken(requirement: str, expected: str, answers: Sequence[Response], actual: str | None) -> Judgement:
    """Return the judgement that some answers break a requirement."""
    return Judgement(
        requirement,
        Outcome.BROKEN,
        expected=expected,
        actual=actual or describe(answers),
        evidence=trail(answers),
        cause=cause_of(answers),
        root=presence.root_of(requirement, answers),
    )


class Broken(AssertionError):
    """A scenario judged something broken; raised at its end, for readers of pytest's outcome."""

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        super().__init__("\n".join(f"{j.requirement}: expected {j.expected}, but {j.actual}" for j in judgements))


class Judge:
    """Collects a scenario's judgements; each method returns whether the requirement held."""

    def __init__(self, requirements: Sequence[str]) -> None:
        self.requirements = tuple(requirements)
        self.judgements: dict[str, Judgement] = {}
        #: Requirements of parts that the target lacks, in words: they are not judged by what else is tried.
        self.lacking: dict[str, str] = {}
        #: Tells refusals that the target's owner wants; without it every refusal is judged.
        self.policy: RefusalPolicy | None = None
        #: What an answer broke beside what it was asked for: requirements that the scenario is not about.
        self.asides: dict[str, Judgement] = {}
        #: Which rows of conditions were tried, where the scenario has some; JSON values only.
        self.conditions: dict[str, Any] = {}

    def __call__(
        self, requirement: str, held: object, expected: str, *answers: Response, actual: str | None = None
    ) -> bool:
        """Judge by a condition; ``expected`` completes "expected ...", ``actual`` "but ...".

        A dead connection or an overload decides nothing. What an answer breaks by a success that its
        operation does not have is a consequence of that (`presence`).
        """
        if not held and (excuse := excuse_of(answers)):
            self.inconclusive(requirement, excuse)
            return False
        self.add(Judgement(requirement, Outcome.HELD) if held else _broken(requirement, expected, answers, actual))
        return bool(held)

    def granted(self, answer: Response, control: Control | None = None) -> None:
        """End the scenario at a refusal by policy; ``control`` as in `RefusalPolicy.check`.

        Raises:
            Unsupported, Undecided: it is one.
        """
        if self.policy is not None:
            self.policy.check(answer, control)

    def accepted(self, requirement: str, answer: Response, when: str) -> bool:
        """Judge that a push gets 201; a refusal by policy is booked to this requirement alone."""
        found = self.policy.found(answer) if self.policy is not None and answer.refused else None
        if found is not None:
            self.add(Judgement(requirement, found.outcome, found.reason))
            return False
        return self(requirement, answer.status == _CREATED, f"status 201 {when}", answer)

    def status(self, requirement: str, answer: Response, *wanted: int, when: str = "") -> bool:
        """Judge by the status; overloads decide nothing, refusals by policy end the scenario."""
        if answer.status not in wanted and (_SUCCESS & set(wanted) or not _deletes(answer)):
            self.granted(answer)
        expected = f"status {' or '.join(map(str, wanted))}{' ' + when if when else ''}"
        return self(requirement, answer.status in wanted, expected, answer)

    def refused(self, requirement: str, answer: Response, when: str = "") -> bool:
        """Judge that an answer is a 4xx."""
        if answer.excuse:  # 429 is a 4xx, too
            self.inconclusive(requirement, answer.excuse)
            return False
        return self(requirement, answer.refused, f"a refusal (4xx){' ' + when if when else ''}", answer)

    def code(self, requirement: str, answer: Response, *codes: str) -> bool:
        """Judge by the error code; without a JSON error list the clause does not apply."""
        found = answer.error_codes
        if found is None:
            if answer.says_json:  # what it has in the place of the list is a breach, whatever was asked
                self.inconclusive(requirement, "blocked by BASE-ERROR-JSON-SHAPE")
                return False
            self.unsupported(requirement, "the error answer has no JSON body with a list of errors")
            return True
        if not any(_CODE.fullmatch(code) for code in found):
            # Empty lists and malformed codes are breaches of the error body, whatever was asked.
            self.inconclusive(requirement, "the list of errors has no well-formed code")
            return False
        expected = f"the error code {' or '.join(codes)}"
        if not set(found) & set(codes) and not _deletes(answer):
            self.granted(answer)
        return self(requirement, set(found) & set(codes), expected, answer, actual=codes_of(answer))

    def header(
        self,
        requirement: str,
        answer: Response,
        name: str,
        wanted: str | Callable[[str], bool] | None = None,
        expected: str = "",
    ) -> bool:
        """Judge by a header: its presence, its value, or a predicate with ``expected`` in words."""
        value = answer.header(name)
        if wanted is None:
            actual = f"{status_of(answer)} had {'none' if value is None else 'an empty one'}"
            return self(requirement, value and value.strip(), expected or f"a {name} header", answer, actual=actual)
        held = value is not None and (value == wanted if isinstance(wanted, str) else wanted(value))
        expected = expected or f"{name}: {wanted if isinstance(wanted, str) else 'a fitting value'}"
        actual = f"{status_of(answer)} had {field_of(answer, name)}"
        return self(requirement, held, expected, answer, actual=actual)

    def gives(self, requirement: str, answer: Response, content: bytes, expected: str, *before: Response) -> bool:
        """Judge that a pull gave exactly some bytes; ``before`` are the answers that led to it."""
        whole = answer.status == 200 and not answer.failure  # OK
        actual = f"{len(answer.body)} other bytes came" if whole else None
        return self(requirement, presence.served(answer, content), expected, *before, answer, actual=actual)

    def absent(self, requirement: str, answer: Response, expected: str, *before: Response, stored: bytes = b"") -> bool:
        """Judge that a read does not serve absent content; ``stored`` are bytes that may be there.

        An answer that neither serves nor refuses breaks what such a read is answered, and decides nothing.
        """
        root = presence.unclear(answer, stored)
        if not root or root in self.requirements or answer.excuse:
            return self(requirement, presence.absent(answer), expected, *before, answer)
        return self._blocked(requirement, root, "a refusal with status 404 to the read of what is not there", answer)

    def kept(self, requirement: str, answer: Response, content: bytes, expected: str) -> bool:
        """Judge that a blob is still served; a whole answer with other bytes is a breach of its pull."""
        changed = answer.status == 200 and not answer.failure and answer.body != content  # OK
        if not changed:
            return self.gives(requirement, answer, content, expected)
        return self._blocked(requirement, "PULL-BLOB-GET-BODY-EXACT", "the bytes that were pushed", answer)

    def _blocked(self, requirement: str, root: str, expected: str, answer: Response) -> bool:
        """Leave a requirement undecided, and note the breach that stands in its way."""
        self.inconclusive(requirement, f"blocked by {root}")
        return self.beside(root, False, expected, answer)

    def beside(
        self, requirement: str, held: object, expected: str, *answers: Response, actual: str | None = None
    ) -> bool:
        """Note a breach of a requirement that the scenario is not about; that it holds says nothing here."""
        if not held and (found := Blocked(requirement, expected, *answers, actual=actual)).accuses:
            self.asides.setdefault(requirement, found.judgement)
        return bool(held)

    def require(
        self, requirement: str, held: object, expected: str, *answers: Response, actual: str | None = None
    ) -> None:
        """Judge by a condition; where it fails, the rest of the scenario is blocked by it."""
        if not self(requirement, held, expected, *answers, actual=actual):
            self.stop(requirement)

    def require_status(self, requirement: str, answer: Response, *wanted: int, when: str = "") -> None:
        """Judge by the status; where it is another, the rest of the scenario is blocked by it."""
        if not self.status(requirement, answer, *wanted, when=when):
            self.stop(requirement)

    def stop(self, requirement: str) -> NoReturn:
        """End the scenario: the rest is blocked by a judged requirement, or lacks the same part."""
        if requirement in self.lacking:
            raise Unsupported(self.lacking[requirement])
        raise Undecided(f"blocked by {requirement}")

    def unsupported(self, requirement: str, reason: str) -> None:
        """Record that an optional part is absent, or that a conditional clause had no occasion."""
        self.add(Judgement(requirement, Outcome.UNSUPPORTED, reason))

    def inconclusive(self, requirement: str, reason: str) -> None:
        """Record that the requirement could not be decided."""
        self.add(Judgement(requirement, Outcome.INCONCLUSIVE, reason))

    def not_tested(self, requirement: str, reason: str, withheld: Withheld | None = None) -> None:
        """Record that options or content did not allow a test; ``withheld`` as in `NotTested`."""
        self.add(Judgement(requirement, Outcome.NOT_TESTED, reason, withheld=withheld))

    def rest(self, outcome: Outcome, reason: str, withheld: Withheld | None = None) -> None:
        """Give an outcome to every requirement of the scenario that has none yet."""
        for requirement in self.requirements:
            if requirement not in self.judgements:
                self.add(Judgement(requirement, outcome, reason, withheld=withheld))

    def add(self, judgement: Judgement) -> None:
        """Record a judgement; the worst of several of one requirement stays.

        Raises:
            LookupError: the scenario does not verify the requirement.
        """
        if judgement.requirement not in self.requirements:
            raise LookupError(f"{judgement.requirement} is judged but not named in @verifies")
        before = self.judgements.get(judgement.requirement)
        worse = before is None or weight(judgement.outcome, judgement.root) < weight(before.outcome, before.root)
        if worse and judgement.requirement not in self.lacking:
            self.judgements[judgement.requirement] = judgement


def excuse_of(answers: Iterable[Response]) -> str:
    """Return the first excuse of some answers; empty if there is none."""
    return next((answer.excuse for answer in answers if answer.excuse), "")


def cause_of(answers: Iterable[Response]) -> str:
    """Return the operation that never gives an answer, and how; empty if there is none."""
    for answer in answers:
        operation = next((e.operation for e in answer.trail if e.operation), "")
        if answer.repeated and operation:
            return f"{operation}: {answer.failure or answer.status}"
    return ""


def _deletes(answer: Response) -> bool:
    """Tell whether an answer is that of a deletion, whose refusal other requirements judge."""
    return bool(answer.trail) and answer.trail[-1].request.method == "DELETE"


def status_of(answer: Response) -> str:
    """Return a response's status in words."""
    if not answer.status:
        return f"no answer ({answer.failure})"
    if answer.failure:
        return f"status {answer.status}, but {answer.failure}"
    return f"status {answer.status}{' ' + answer.reason if answer.reason else ''}"


def field_of(answer: Response, name: str) -> str:
    """Return a header of a response in words: ``Name: value``, or that there is none."""
    value = answer.header(name)
    return f"no {name}" if value is None else f"{name}: {clip(value)}"


def told(answer: Response, *names: str) -> str:
    """Return a response's status and some of its headers in words."""
    return ", ".join((status_of(answer), *(field_of(answer, name) for name in names)))


def content_of(answer: Response) -> str:
    """Return a response's status and content in words."""
    return f"{status_of(answer)} with {len(answer.body)} bytes of digest {answer.content_digest()}"


def codes_of(answer: Response) -> str:
    """Return the codes of an error body in words."""
    found = answer.error_codes
    if found is None:
        return "there was no list of errors"
    return f"the codes were {clip(', '.join(found))}" if found else "the list of errors had no code"


def listing(values: Iterable[object]) -> str:
    """Return some values of the target as words in a row."""
    return clip(", ".join(map(str, values))) or "nothing"


def describe(answers: Iterable[Response]) -> str:
    """Return what came, in a few words: the last answer's status and error codes."""
    last = [*answers][-1:]
    if not last:
        return "it did not"
    text = status_of(last[0])
    return f"{text} with {', '.join(last[0].error_codes)}" if last[0].error_codes else text


def trail(answers: Iterable[Response]) -> tuple[Exchange, ...]:
    """Return the exchanges behind some answers, in order, each once."""
    seen = {id(exchange): exchange for answer in answers for exchange in answer.trail}
    return tuple(seen.values())


def clip(value: Any) -> str:
    """Return a value of the target in a bounded form for a sentence."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + f"... ({len(text)} characters)"
