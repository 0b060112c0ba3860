"""Run cases side by side and judge what came: caught, acquitted, or short of it."""

from __future__ import annotations

import dataclasses
import queue
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reference.faults import ALL as FAULTS
from reference.modifications import PROFILES
from reference.variants import ALL as VARIANTS
from tests.proof.cases import Case
from tests.support.configurations import configured
from tests.support.forking import Forker
from tests.support.servers import ServerError
from tests.support.suite import SuiteRun

#: What a run may end with; anything else is our own error.
_VERDICTS = {0, 1}


@dataclass(slots=True)
class Result:
    """What one case gave."""

    case: Case
    good: bool
    word: str
    broken: list[str] = field(default_factory=list)
    convicted_by: dict[str, list[str]] = field(default_factory=dict)
    findings: int = 0
    seconds: float = 0.0
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as data; what a failing run printed is left out."""
        told = dataclasses.asdict(self)
        told.pop("text")
        return {**dataclasses.asdict(self.case), **{name: value for name, value in told.items() if name != "case"}}


def run(cases: Iterable[Case], jobs: int, done: Callable[[Result], None]) -> list[Result]:
    """Run all cases on some threads, each with a forking process of its own; ``done`` hears of each as it ends."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    for case in cases:
        waiting.put(case)
    results: list[Result] = []
    lock = threading.Lock()

    def work() -> None:
        forker = Forker()
        try:
            while True:
                try:
                    case = waiting.get_nowait()
                except queue.Empty:
                    return
                result = one(case, forker)
                with lock:
                    results.append(result)
                    done(result)
        finally:
            forker.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def one(case: Case, forker: Forker) -> Result:
    """Run the suite on one case."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        try:
            with configured(
                case.configuration, Path(folder), faults=list(case.faults), variants=list(case.variants)
            ) as target:
                ran = forker.run(target.url, *target.options, *_options(case), env=target.env)
        except ServerError as error:
            return Result(case, good=False, word="no start", text=str(error))
    if ran.report is None or ran.exit_code not in _VERDICTS:
        text = ran.stdout[-3000:] + ran.stderr[-3000:]
        return Result(case, good=False, word=f"exit {ran.exit_code}", seconds=ran.seconds, text=text)
    result = _convicted(case, ran) if case.faults else _acquitted(case, ran)
    result.seconds = round(ran.seconds, 2)
    if not result.good:
        result.text = "\n".join(ran.explain(name) for name in result.broken)
    return result


def _options(case: Case) -> tuple[str, ...]:
    # A faulty registry may be slow to answer what it answers wrongly, and nobody looks at what is left in it.
    return (*case.options, *(("--timeout", "3") if case.faults else ()), "--keep")


def _convicted(case: Case, ran: SuiteRun) -> Result:
    fault = FAULTS[case.faults[0]]
    broken = set(ran.broken)
    assert ran.report is not None
    by = {
        entry["id"]: list(entry.get("scenarios", ()))
        for entry in ran.report["requirements"]
        if entry["outcome"] == "broken"
    }
    if broken - {*fault.breaks, *fault.also}:
        word = "accused"
    elif broken & set(fault.breaks):
        word = "caught"
    else:
        word = "missed"
    return Result(case, word == "caught", word, ran.broken, by, len(ran.report["findings"]))


def _acquitted(case: Case, ran: SuiteRun) -> Result:
    assert ran.report is not None
    profiles = set(PROFILES).intersection(*(VARIANTS[name].profiles for name in case.variants))
    wrong = [
        entry["id"]
        for entry in ran.report["requirements"]
        if entry["outcome"] == "error" or "FAIL" in {entry["verdicts"].get(profile) for profile in profiles}
    ]
    word = "accused" if wrong else "acquitted"
    return Result(case, not wrong, word, wrong, {}, len(ran.report["findings"]))
