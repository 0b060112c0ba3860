"""Runs of the suite without start and collection: a session that collected everything forks.

What belongs to the start of pytest (its own options, plugins, files of configuration) is that of
the session; the options of the suite, the environment and the choice of scenarios are those of the
run. Of the report, ``report.json`` alone is written, as page and summary take longer than most
runs, with two more members: ``convictions`` has, for each scenario and requirement, what was
expected wherever that was found broken, also where it was folded into its cause; ``raised`` has,
for each scenario that failed by an error of our own, the traceback, or the error where there is
none.
"""

from __future__ import annotations

import copy
import gc
import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.support.forking import Forker, become
from tests.support.servers import ROOT

#: By scenario and requirement, what was expected, as often as it was missed.
Convictions = dict[str, dict[str, list[str]]]
#: Digests, names of repositories and numbers.
_VARYING = re.compile(r"[0-9a-f]{6,}|[0-9]+")
_LONGEST = 160
#: A variable with the module and the number of a check that is weaker in this run
#: (`tests.support.weakening`).
WEAKER = "PROOF_WEAKER_CHECK"
#: A variable that leaves the search and the laws out, whatever was selected, but for the scenario
#: that it names.
WITHOUT_SEARCH = "PROOF_WITHOUT_SEARCH"
#: The rooms of scenarios that look everywhere.
_EVERYWHERE = ("/search/", "/conditions/")


class Collected(Forker):
    """A `Forker` whose runs cost little more than their scenarios."""

    module = "tests.support.collected"


class _Server:
    """Replaces the loop over scenarios: the session answers requests, a child runs them."""

    def __init__(self, requests: Any, answers: Any) -> None:
        self._requests = requests
        self._answers = answers
        self.child = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork for each request; a child returns into pytest, which runs the chosen scenarios."""
        gc.collect()
        # Collections in the children pass over what they share with this process.
        gc.freeze()
        for line in self._requests:
            request = json.loads(line)
            child = os.fork()
            if not child:
                self.child = True
                become(request)
                _begin(session, request["args"])
                return None
            _, status = os.waitpid(child, 0)
            self._answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
            self._answers.flush()
        return True


def _begin(session: pytest.Session, args: list[str]) -> None:
    """Do what pytest and the suite do between the command line and the first scenario."""
    import reports  # noqa: PLC0415  # in the child
    from conformance.run import startup, terminal  # noqa: PLC0415  # pytest imports the suite itself

    config = session.config
    chosen = config._parser.parse(args, namespace=copy.deepcopy(config.option))
    config.option.__dict__.update(chosen.__dict__)
    config.option.collectonly = False
    config.args = chosen.file_or_dir
    startup.configure(config)
    controller = config.pluginmanager.getplugin("conformance-controller")
    found = _listen()
    reports.write = lambda report, folder: _write(
        report | {"raised": _raised(config)}, folder, controller.rollup, found
    )
    if weaker := os.environ.get(WEAKER):
        from tests.support.weakening import weaken  # noqa: PLC0415  # seldom wanted

        weaken(*json.loads(weaker))
    terminal.install(config)
    session.items[:] = [item for item in session.items if _wanted(item, config.args)]
    if (kept := os.environ.get(WITHOUT_SEARCH)) is not None:
        session.items[:] = [
            item
            for item in session.items
            if (kept and item.nodeid.endswith(kept)) or not any(room in item.nodeid for room in _EVERYWHERE)
        ]
    suite = config.pluginmanager.getplugin("conformance-suite")
    reporter = config.pluginmanager.getplugin("terminalreporter")
    reporter.pytest_sessionstart(session)
    suite.pytest_collection_modifyitems(config, session.items)
    reporter.pytest_collection_finish(session)


def _listen() -> Convictions:
    """Keep each broken judgement; the judge itself keeps the gravest of a scenario."""
    from conformance.verdict import judge  # noqa: PLC0415  # in the child
    from spec.model import Outcome  # noqa: PLC0415  # as above

    found: Convictions = {}
    note = judge.Judge.add

    def noted(self: Any, judgement: Any) -> None:
        note(self, judgement)
        if judgement.outcome is Outcome.BROKEN:
            scenario = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
            found.setdefault(scenario, {}).setdefault(judgement.requirement, []).append(_told(judgement.expected))

    judge.Judge.add = noted  # type: ignore[method-assign]  # in this process alone
    return found


def _told(expected: str) -> str:
    """What was expected, without what differs from run to run."""
    return _VARYING.sub("#", expected)[:_LONGEST]


def _raised(config: Any) -> dict[str, str]:
    """By scenario, the traceback of an error of our own, without secrets."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    failed = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    records = config.pluginmanager.getplugin("conformance-controller").records
    return {
        each.nodeid: str(each.longrepr) for each in failed if each.nodeid in records and records[each.nodeid]["error"]
    }


def _write(report: Any, folder: Path, rollup: Any, found: Convictions) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for requirement, result in rollup.results.items():
        # Set-ups and the contract find things broken, too, and tell it in one way.
        for scenario in result.broken_by:
            found.setdefault(scenario, {}).setdefault(requirement, [])
    told = {scenario: {name: sorted(of[name]) for name in sorted(of)} for scenario, of in sorted(found.items())}
    report["convictions"] = told
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _wanted(item: pytest.Item, args: list[str]) -> bool:
    """Whether the command line names a scenario, its file or a folder that it is in."""
    return any(item.nodeid == arg or item.nodeid.startswith((f"{arg}/", f"{arg}::")) for arg in args)


def _serve() -> int:
    """Read requests from standard input until it ends; answer each with its exit code."""
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What the collection says is for nobody.
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    import reports  # noqa: F401, PLC0415  # as below
    from conformance.contract import Contract  # noqa: PLC0415  # in the server alone
    from spec.catalogue import load  # noqa: PLC0415  # as above

    load()
    Contract.load()
    server = _Server(requests, answers)
    code = 70
    try:
        # In a forked process, whose streams may hold what the session had to say.
        configuration = str(ROOT / "pyproject.toml")
        own = ["conformance", "--collect-only", "-q", "-s", "-p", "no:cacheprovider", "-c", configuration]
        code = int(pytest.main(own, plugins=[server]))
    except BaseException:  # noqa: BLE001, RUF100  # a forked process must not go on as its parent
        traceback.print_exc()
    if server.child:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(_serve())
