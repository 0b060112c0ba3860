"""One mutant of the reference against the suite: seen, or survived."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.reach import SET_UPS, USUAL, Reach, set_up_in
from tests.mutation.serving import Changing
from tests.mutation.users import Span, function, users
from tests.support.collected import Collected
from tests.support.forked.launching import launched_by
from tests.support.servers import ServerError
from tests.support.suite import SuiteRun

#: What answers requests. Its launch, its server and its storage in files are no part of what is
#: mutated.
MODULES = tuple(
    f"reference.{name}"
    for name in (
        "app",
        "routing",
        "messages",
        "grammar",
        "errors",
        "documents",
        "schema1",
        "resources",
        "resources.base",
        "resources.blobs",
        "resources.catalog",
        "resources.extensions",
        "resources.manifests",
        "resources.paging",
        "resources.ranges",
        "resources.referrers",
        "resources.tags",
        "resources.uploads",
        "storage",
        "storage.memory",
        "auth.htpasswd",
        "auth.token",
        "auth.trust",
        "tokens.access",
        "tokens.app",
        "notifications.events",
    )
)
#: Decides whether what the owner declared is there.
_DECLARED = "conformance/scenarios/base/test_capabilities.py::test_declared_capabilities"
_SEARCH = "conformance/scenarios/search/"
#: Lines of a module.
_LONGEST = 1000
#: Endings of a run that is a verdict; 4 is a refusal to begin.
_VERDICTS, _REFUSED = {0, 1}, 4


@dataclass(slots=True)
class Result:
    """The result of a mutant: broken, denied, refused, survived, unreached or an error."""

    mutant: Mutant
    word: str
    set_up: str = ""
    requirements: list[str] = field(default_factory=list)
    runs: int = 0
    text: str = ""

    @property
    def killed(self) -> bool:
        """Whether the suite alone told it from the reference."""
        return self.word in {"broken", "denied", "refused"}


def judge(mutant: Mutant, reached: Mapping[str, Reach], forker: Collected, launcher: Changing) -> Result:
    """Run the scenarios that reach a mutant, in each set-up, until one sees it."""
    result = Result(mutant, "unreached")
    launcher.change(mutant.module, mutant.number)
    with launched_by(launcher):
        for set_up in SET_UPS:
            reach = reached[set_up]
            scenarios = _scenarios(mutant, reach)
            usual = reached[USUAL]
            new = frozenset(s for s in scenarios if reach is usual or reach.adds(s, mutant.module, usual))
            for part in _parts(new, reach):
                result.runs += 1
                word, requirements, text = _run(set_up, part, reach, forker)
                if word != "survived" or result.word == "unreached":
                    result.word, result.set_up, result.requirements, result.text = word, set_up, requirements, text
                if word != "survived":
                    return result
    return result


def _scenarios(mutant: Mutant, reach: Reach) -> frozenset[str]:
    """The scenarios that run a mutant's lines, or the users of what runs once at the start."""
    if found := reach.of(mutant.module, mutant.lines):
        return found
    own = function(mutant.module, mutant.place)
    spans: list[Span] = [own] if own else users(mutant.module, mutant.lines[0], MODULES)
    found = frozenset().union(*(reach.of(module, range(first, last + 1)) for module, first, last in spans))
    # What is run at the start alone, as the making of a resource, is seen in whatever the module
    # does.
    return found or (reach.of(mutant.module, range(1, _LONGEST)) if not own or "__" in mutant.place else found)


def _parts(scenarios: frozenset[str], reach: Reach) -> list[list[str]]:
    """Direct scenarios first, the quickest of them at the head; then the search."""
    ordered = sorted(scenarios, key=lambda name: (reach.seconds.get(name, 0.0), name))
    direct = [name for name in ordered if not name.startswith(_SEARCH)]
    search = [name for name in ordered if name.startswith(_SEARCH)]
    return [part for part in (direct, search) if part]


def _run(set_up: str, scenarios: list[str], reach: Reach, forker: Collected) -> tuple[str, list[str], str]:
    declared = [word for name, there in reach.capabilities.items() if there for word in ("--capability", f"{name}=yes")]
    chosen = [f"={name}" for name in (_DECLARED, *scenarios)]
    bounds = ["--maxfail", "1", "--timeout", "2", "--max-time", "40", "--seed", "1", "--keep"]
    if scenarios[0].startswith(_SEARCH):
        # What its own scenario did not see is seldom seen by a long search either.
        bounds += ["--effort", "quick"]
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        try:
            with set_up_in(set_up, Path(folder)) as target:
                ran = forker.run(target.url, *target.options, *declared, *bounds, *chosen, env=target.env)
        except ServerError as error:
            return "refused", [], str(error)
    return _word(ran, reach)


def _word(ran: SuiteRun, reach: Reach) -> tuple[str, list[str], str]:
    text = ran.stdout[-2000:] + ran.stderr[-2000:]
    if ran.exit_code == _REFUSED:
        return "refused", [], text
    if ran.report is None or ran.exit_code not in _VERDICTS:
        return f"exit {ran.exit_code}", [], text
    if ran.broken:
        return "broken", ran.broken, ""
    denied = [
        name
        for name, outcome in ran.outcomes.items()
        if outcome == "inconclusive" and reach.outcomes.get(name) == "held"
    ]
    return ("denied", denied, "") if denied else ("survived", [], "")
