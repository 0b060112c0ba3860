"""Run the suite on one registry with modifications, and judge the result."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from conformance.scenarios.conditions.rows.places import SHAPES
from reference.faults import ALL as FAULTS
from reference.modifications import PROFILES
from reference.variants import ALL as VARIANTS
from tests.proof.cases import Case
from tests.proof.workshop import Result, Workshop
from tests.support.collected import WITHOUT_SEARCH
from tests.support.configurations import configured
from tests.support.forked.launching import launched_by
from tests.support.servers import ServerError
from tests.support.suite import SuiteRun

#: What makes other seeds of that of a case.
_SEEDS = ("", " again", " once more")
#: The scenarios of the laws, by the end of their names.
LAWS = (
    *(f"{of}[{shape}]" for of in ("test_laws_of_blobs", "test_laws_of_manifests") for shape in SHAPES),
    "test_laws_of_lists",
)
#: What a run may end with; anything else is our own error.
_VERDICTS = {0, 1}
#: So many scenarios that raised are shown, each in so many characters.
_SHOWN = 3
_LONGEST = 2000


def one(case: Case, workshop: Workshop) -> Result:
    """Run the suite on one case.

    The search and the laws take most of the time: they are run only where nothing else convicts a
    fault, and, as they find with most seeds and not with all, with up to three of them. One
    scenario of the laws, which the seed chooses, is always there to be seen not to accuse.
    """
    if not case.faults:
        return _run(case, workshop, {})
    beside = random.Random(f"{case.seed} {case.name}").choice(LAWS)
    tries = [(case, {WITHOUT_SEARCH: beside})] if case.scope else []
    tries += [(replace(case, seed=case.seed + more), {}) for more in _SEEDS]
    for tried, more in tries:
        result = _run(tried, workshop, more)
        if result.word != "missed":
            break
    return result


def _run(case: Case, workshop: Workshop, more: Mapping[str, str]) -> Result:
    result = Result(case.kind, case.name, good=False, word="no start", beside=[*case.variants] if case.faults else [])
    suite = workshop.suite  # collects its scenarios while the registry starts
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, launched_by(workshop.launcher):
        try:
            with configured(
                case.configuration, Path(folder), faults=list(case.faults), variants=list(case.variants)
            ) as target:
                env = {**target.env, **more}
                ran = suite.run(target.url, *target.options, *_options(case), env=env)
        except ServerError as error:
            result.text = str(error)
            return result
    result.seconds = round(ran.seconds, 2)
    if ran.report is None or ran.exit_code not in _VERDICTS:
        result.word, result.text = f"exit {ran.exit_code}", _error(ran)
        return result
    result.findings = len(ran.report["findings"])
    if case.faults:
        _convicted(case, ran, result)
    else:
        _acquitted(case, ran, result)
    if not result.good and not result.text:
        result.text = "\n".join(ran.explain(name) for name in result.broken)
    return result


def _error(ran: SuiteRun) -> str:
    """The cause of an error of our own: tracebacks of scenarios, or the end of the output."""
    raised = ran.report["raised"] if ran.report is not None else {}
    if not raised:
        return ran.stdout[-3000:] + ran.stderr[-3000:]
    shown = [f"{name}\n{_shortened(text)}" for name, text in [*raised.items()][:_SHOWN]]
    if len(raised) > _SHOWN:
        shown.append(f"and {len(raised) - _SHOWN} more scenarios")
    return "\n".join(shown)


def _shortened(text: str) -> str:
    """Leave out the middle of a long text: a traceback says where it began and where it ended."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters ...\n{text[-half:]}"


def _options(case: Case) -> tuple[str, ...]:
    # A faulty registry may be slow to answer what it answers wrongly, and nobody looks at what is
    # left in it.
    return (*case.options, *(("--timeout", "3") if case.faults else ()), "--keep")


def _odd(case: Case) -> set[str]:
    """What the variants of a case are known to do otherwise than they should, though they may."""
    return {name for variant in case.variants for name in VARIANTS[variant].warns}


def _convicted(case: Case, ran: SuiteRun, result: Result) -> None:
    assert ran.report is not None
    fault = FAULTS[case.faults[0]]
    result.broken, broken = ran.broken, set(ran.broken)
    result.convictions = ran.report["convictions"]
    if broken - {*fault.breaks, *fault.also, *_odd(case)}:
        result.word = "accused"
    elif broken & set(fault.breaks):
        result.word, result.good = "caught", True
    else:
        result.word = "missed"


def _acquitted(case: Case, ran: SuiteRun, result: Result) -> None:
    assert ran.report is not None
    profiles = set(PROFILES).intersection(*(VARIANTS[name].profiles for name in case.variants))
    result.broken = [
        entry["id"]
        for entry in ran.report["requirements"]
        if entry["outcome"] == "error"
        or "FAIL" in {entry["verdicts"].get(profile) for profile in profiles}
        or (entry["outcome"] == "broken" and entry["id"] not in _odd(case))
    ]
    undecided = [name for name in profiles if ran.report["profiles"][name]["verdict"] != "PASS"]
    capabilities = ran.report["target"]["capabilities"]
    if result.broken:
        result.word = "accused"
    elif undecided and not any(VARIANTS[name].undecided for name in case.variants):
        # Nobody is acquitted of what was never looked at.
        result.word, result.text = "undecided", _inconclusive(ran)
    elif any(capabilities[lack]["present"] for name in case.variants for lack in VARIANTS[name].lacks):
        result.word = "lacks nothing"
    else:
        result.word, result.good = "acquitted", True


def _inconclusive(ran: SuiteRun) -> str:
    assert ran.report is not None
    told = (f"{e['id']}: {e['reason']}" for e in ran.report["requirements"] if e["outcome"] == "inconclusive")
    return "\n".join(told)
