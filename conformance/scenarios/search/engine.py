"""Run a search with Hypothesis: generate examples, shrink each new disagreement, continue."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import hypothesis
import hypothesis.errors
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.internal.conjecture import providers
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from conformance.scenarios.search.trial import Breach, Found, Notes, Trial, tolerant
from conformance.target.content import Maker
from conformance.target.session import Session
from conformance.verdict.judge import NotTested, Unsupported
from spec.model import Withheld

Value = TypeVar("Value")
#: Runs a test under settings and a seed.
Body = Callable[[hypothesis.settings, int], None]

#: Requests, and seconds, that shrinking one disagreement may take.
REQUESTS = {"quick": 150, "default": 400, "thorough": 10000}
SECONDS = {"quick": 2.0, "default": 4.0, "thorough": 60.0}
#: Requests that shrinking may take in all searches of a process: many disagreements have few
#: causes.
ALL_REQUESTS = {"quick": 300, "default": 1200, "thorough": 100_000}
#: Seconds after which a search begins no more examples.
LONGEST = {"quick": 10.0, "default": 60.0, "thorough": 180.0}
#: Hypothesis begins with the simplest example of all, which is the same for every seed and shows
#: little: it is made, and nothing is sent. One more is made at random; further ones would be
#: variations of it.
_FIRST = 1
#: Different disagreements after which a search ends, and examples that proved nothing.
MOST = 6
UNCLEAR = 3

# Hypothesis would read the constants of every module that is loaded, which makes examples depend on
# what is loaded, takes half a second and keeps them in a folder of its own.
if hasattr(providers, "_get_local_constants"):
    providers._get_local_constants = lambda: providers._local_constants


#: Requests that were spent on it, by session.
_spent: WeakKeyDictionary[Session, int] = WeakKeyDictionary()


class Over(BaseException):
    """The time or the requests are used up; no exception that Hypothesis takes for a failure."""


class Explorer:
    """A search of one scenario: its examples, its disagreements, its limits."""

    def __init__(self, session: Session, node: str, deadline: float) -> None:
        settings = session.settings
        if settings.read_only:
            raise NotTested("the options allow no pushes", Withheld.WRITING)
        self.session = session
        self.effort = settings.effort
        self.notes = Notes()
        #: Content that all examples have in common.
        self.made = Maker(f"{settings.seed}:{node}")
        self.breaches: list[Breach] = []
        self._node = node
        self._slug = node.rpartition("::")[2].removeprefix("test_").replace("_", "-")
        self._deadline = min(deadline, time.monotonic() + LONGEST[self.effort])
        self._limit(self._deadline, float("inf"))

    def values(self, strategy: SearchStrategy[Value], check: Callable[[Trial, Value], None], examples: int) -> None:
        """Check values of a strategy."""

        def body(settings: hypothesis.settings, seed: int) -> None:
            @hypothesis.seed(seed)
            @settings
            @hypothesis.given(strategy)
            def example(value: Value) -> None:
                with tolerant(self.notes):
                    trial = self.trial()
                    if not trial.dry:
                        check(trial, value)

            example()

        self._explore(body, examples, 0)

    def machine(self, make: Callable[[Trial], RuleBasedStateMachine], examples: int, steps: int) -> None:
        """Run a state machine, which is made for each example.

        Raises:
            Unsupported: the target needs time to settle, so that what was done last need not be what is seen.
        """
        if self.session.settings.settle:
            raise Unsupported("sequences of operations need a target whose writes show at once")

        def body(settings: hypothesis.settings, seed: int) -> None:
            def factory() -> RuleBasedStateMachine:
                return make(self.trial())

            run_state_machine_as_test(
                hypothesis.seed(seed)(factory),  # type: ignore[arg-type]  # any factory will do, says its docstring
                settings=settings,
            )

        self._explore(body, examples, steps)

    def trial(self) -> Trial:
        """Begin an example.

        Raises:
            Over: there is no time for it, or the target answers no more.
        """
        if time.monotonic() > self._deadline or self.notes.unclear >= UNCLEAR:
            raise Over
        seconds, requests = self._last
        # Once at least, so that what was found is looked at closely.
        if self._begun > _FIRST and (time.monotonic() > seconds or len(self.session.client.exchanges) > requests):
            raise Over
        self._begun += 1
        if self._begun > _FIRST + 1 and self.notes.best is None:
            # The example that broke something does not do so again.
            raise Over
        return Trial(self.session, self._node, self._slug, self.notes, dry=self._begun <= _FIRST)

    # -- the course of a search

    def _explore(self, body: Body, examples: int, steps: int) -> None:
        """Run examples, each with a seed of its own; shrink each new disagreement and go on."""
        for number in range(examples):
            if len(self.breaches) >= MOST or self.notes.unclear >= UNCLEAR or time.monotonic() > self._deadline:
                return
            seed = self._seed(number)
            self.notes.begin()
            self._limit(float("inf"), float("inf"))
            self._run(body, (Phase.generate,), seed, steps)
            found = self.notes.best
            if found is not None:
                self.breaches.append(self._shrunk(body, seed, steps, found))
                self.notes.known |= {found.symptom, self.breaches[-1].symptom}

    def _shrunk(self, body: Body, seed: int, steps: int, found: Breach) -> Breach:
        """Return the least that shows a disagreement; the same seed makes the same example."""
        first = len(self.session.client.exchanges)
        left = min(REQUESTS[self.effort], ALL_REQUESTS[self.effort] - _spent.get(self.session, 0))
        # Once more with a look after each step, which tells the requirement best; then without,
        # which is cheap.
        self.notes.begin(found.symptom, closely=True)
        self._limit(time.monotonic(), first)
        self._run(body, (Phase.generate,), seed, steps)
        closest = self.notes.best or found
        self.notes.begin(found.symptom)
        self._limit(time.monotonic() + SECONDS[self.effort], first + left)
        self._run(body, (Phase.generate, Phase.shrink), seed, steps)
        least = self.notes.best or closest
        _spent[self.session] = _spent.get(self.session, 0) + len(self.session.client.exchanges) - first
        least.requirement = closest.requirement
        return least

    def _limit(self, seconds: float, requests: float) -> None:
        self._last = (seconds, requests)
        self._begun = 0

    def _run(self, body: Body, phases: tuple[Phase, ...], seed: int, steps: int) -> None:
        settings = hypothesis.settings(
            max_examples=_FIRST + 1,
            stateful_step_count=steps or 1,
            phases=phases,
            database=None,
            derandomize=False,
            # An example lasts as long as the target takes, and what it is made of is small.
            deadline=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            print_blob=False,
            report_multiple_bugs=False,
        )
        # What goes wrong between examples (a target that answers differently each time) is in the
        # notes already.
        try:
            body(settings, seed)
        except (Over, Found, hypothesis.errors.Flaky):
            return

    def _seed(self, number: int) -> int:
        """Return the seed of an example."""
        text = f"{self.session.settings.seed}:{self._node}:{number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
