"""The suite as a pytest plugin: one session with the target, one record for each scenario, one report."""

from __future__ import annotations

import contextlib
import datetime
import gc
import random
import time
from collections.abc import Generator
from typing import Any

import pytest

from conformance import listener
from conformance.client.client import WriteForbidden
from conformance.client.http.transport import OVER
from conformance.run import crew, outputs, progress, report_document, secrecy, signals, work
from conformance.run import scenario_result as record
from conformance.settings import Settings
from conformance.target import cleanup, names
from conformance.target.capabilities import UNKNOWN, Capabilities
from conformance.target.session import Session
from conformance.verdict.judge import Broken, Judge, NotTested, Unsupported, Verdictless
from conformance.verdict.rollup import Record, RollUp
from spec.catalogue import Catalogue
from spec.model import Outcome

SESSION = pytest.StashKey[Session]()
CATALOGUE = pytest.StashKey[Catalogue]()
JUDGE = pytest.StashKey[Judge]()
FIRST_EXCHANGE = pytest.StashKey[int]()
#: Under this name a test report carries its record, also from one process to another.
ATTRIBUTE = "conformance"


class Suite:
    """What each process of a run does: gate scenarios by options and capabilities, and record them."""

    def __init__(self, config: pytest.Config, session: Session, catalogue: Catalogue, secrets: secrecy.Secrecy) -> None:
        self.config = config
        self.session = session
        self.secrets = secrets
        self.catalogue = catalogue
        self.deselected = 0
        config.stash[SESSION] = session
        config.stash[CATALOGUE] = catalogue

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Refuse a scenario that decides nothing; deselect what the options leave out; shuffle the rest."""
        chosen = self.chosen()
        left: list[pytest.Item] = []
        for item in items:
            for name in requirements_of(item):
                if name not in self.catalogue:
                    raise pytest.UsageError(f"{item.nodeid}: @verifies names the unknown requirement {name}")
            if not requirements_of(item):
                raise pytest.UsageError(f"{item.nodeid}: a scenario needs @verifies with a requirement")
            if chosen is None or chosen & set(requirements_of(item)):
                left.append(item)
        if len(left) < len(items):
            config.hook.pytest_deselected(items=[item for item in items if item not in left])
            items[:] = left
        if self.session.settings.shuffle is not None:
            # The same order in each process of a run.
            random.Random(self.session.settings.shuffle).shuffle(items)
        elif self.session.settings.telling_first:
            items.sort(key=lambda item: progress.rank(self.catalogue, self.session.settings.profile, item))

    def pytest_collection_finish(self) -> None:
        """Let the garbage collector pass over what was loaded: it stays until the end."""
        gc.freeze()

    def chosen(self) -> frozenset[str] | None:
        """Return the requirements that the options choose, ``None`` where they choose none."""
        settings = self.session.settings
        if not settings.categories and not settings.requirements:
            return None
        return frozenset(
            r.id for r in self.catalogue if r.category in settings.categories or r.id in settings.requirements
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Run a scenario that needs a repository to itself while no other process uses the fixed ones."""
        names = getattr(item, "fixturenames", ())
        with self.session.alone(exclusive="fresh_repo" in names or "explorer" in names):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start a scenario's judge; end it at once where nothing it decides can be had."""
        judge = Judge(requirements_of(item))
        judge.policy = self.session.policy
        item.stash[JUDGE] = judge
        item.stash[FIRST_EXCHANGE] = len(self.session.client.exchanges)
        if time.monotonic() > self.session.settings.deadline:
            raise NotTested(OVER)
        for name in judge.requirements:
            self._gate(judge, name)
        if len(judge.judgements) == len(judge.requirements):
            raise Unsupported(next(iter(judge.judgements.values())).reason)

    def _gate(self, judge: Judge, name: str) -> None:
        """Decide at once what needs a part that the target lacks, or of which nobody knows."""
        found = self.session.capabilities
        missing = [part for part in self.catalogue.requirement(name).needs if not found.has(part)]
        unknown = [part for part in missing if found.shown(part) is None]
        if len(unknown) < len(missing):
            reason = f"the target lacks {', '.join(part for part in missing if part not in unknown)}"
            judge.unsupported(name, reason)
            judge.lacking[name] = reason
        elif unknown:
            withheld = found.unknown[unknown[0]]
            judge.not_tested(name, UNKNOWN[withheld], withheld)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
        """Fail a scenario that judged something broken, for all who look at pytest's own outcome."""
        try:
            result = yield
        except Verdictless as ended:
            for answer in ended.answers[-1:]:
                self.session.policy.check(answer)
            raise
        broken = [j for j in pyfuncitem.stash[JUDGE].judgements.values() if j.outcome is Outcome.BROKEN]
        if broken:
            raise Broken(broken)
        return result

    # The last wrapper to be called: other plugins see what it leaves.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record of a scenario to its report, and put findings in place of tracebacks."""
        excinfo, raised = call.excinfo, call.excinfo.value if call.excinfo else None
        if raised is not None:
            self.secrets.cleanse(raised)
        if isinstance(raised, Verdictless | Broken):
            # pytest would spend milliseconds on a traceback that nobody sees.
            call.excinfo = None
        report = yield
        call.excinfo = excinfo if raised is None or not self.secrets.tells(raised) else None
        self.secrets.clean_report(report)
        if report.when == "teardown" or (report.when == "setup" and raised is None):
            return report
        if isinstance(raised, pytest.skip.Exception):
            raised = NotTested(str(raised))
        if isinstance(raised, WriteForbidden):
            raised = NotTested(str(raised), raised.withheld)
        if isinstance(raised, Broken):
            raised = None
        session = self.session
        exchanges = session.client.exchanges[item.stash[FIRST_EXCHANGE] :]
        found = record.of_scenario(session, item.stash[JUDGE], exchanges, raised)
        found |= record.written_down(session, item.nodeid, item.stash[JUDGE], exchanges)
        session.client.exchanges.clear()
        setattr(report, ATTRIBUTE, found)
        _settle(report, item, found, raised)
        return report

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember that the run is not whole."""
        self.deselected += len(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """From here on the end of the run is not broken off."""
        signals.INTERRUPTS.ending = True

    def pytest_sessionfinish(self) -> None:
        """Tell the controlling process, where this is a worker, whether scenarios were left out."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["deselected"] = self.deselected

    def pytest_unconfigure(self) -> None:
        """Close the connections."""
        self.session.close()


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the requirement ids that a scenario decides."""
    return tuple(str(name) for mark in item.iter_markers("verifies") for name in mark.args)


def _lost(session: Session, item: pytest.Item) -> pytest.TestReport:
    """Return the report of a scenario whose process ended in its middle: our own error."""
    error = RuntimeError("the process that ran it ended")
    call = pytest.CallInfo[None](None, None, 0.0, 0.0, 0.0, "call", _ispytest=True)
    report = pytest.TestReport.from_item_and_call(item, call)
    found = record.of_scenario(session, Judge(requirements_of(item)), [], error)
    setattr(report, ATTRIBUTE, found)
    _settle(report, item, found, None)
    return report


def _settle(report: pytest.TestReport, item: pytest.Item, found: Record, raised: BaseException | None) -> None:
    """Give pytest's own report the outcome of the record; findings show as text, never as a traceback."""
    broken = [j for j in found["judgements"] if j["outcome"] == Outcome.BROKEN.value]
    if found["error"]:
        report.outcome = "failed"
        if raised is None:
            report.longrepr = f"ERROR of the suite: {found['error']}"
    elif broken:
        report.outcome = "failed"
        report.longrepr = "\n".join(f"{j['requirement']}: expected {j['expected']}, but {j['actual']}" for j in broken)
    elif isinstance(raised, Verdictless) or all(j["outcome"] not in {Outcome.HELD.value} for j in found["judgements"]):
        reason = raised.reason if isinstance(raised, Verdictless) else found["judgements"][0]["reason"]
        report.outcome = "skipped"
        report.longrepr = (str(item.path), (item.location[1] or 0) + 1, reason)
    else:
        report.outcome, report.longrepr = "passed", None


class Controller:
    """What only the controlling process does: meet the target first, collect the records, write the report."""

    def __init__(self, config: pytest.Config, suite: Suite, servers: contextlib.ExitStack) -> None:
        self.config = config
        self.suite = suite
        #: What ends with the run: the embedded reference, the listener.
        self.servers = servers
        self.records: dict[str, Record] = {}
        #: Where each scenario stands.
        self.places: dict[str, tuple[tuple[str, ...], int, str]] = {}
        self.started = datetime.datetime.now(tz=datetime.UTC)
        self.clock = time.monotonic()
        self.report: dict[str, Any] | None = None
        self.rollup: RollUp | None = None
        self.uncollected = 0
        self.complaint = ""
        #: The report is there; and an interrupt came when everything was judged.
        self.written = self.late = False
        #: Where it is.
        self.folder = suite.session.settings.report
        self.rest: cleanup.Rest | None = None

    @property
    def settings(self) -> Settings:
        """The options of the run."""
        return self.suite.session.settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand a worker of pytest-xdist what it needs, over the pipe and not over its command line."""
        self.settings.mailbox = listener.way(self.suite.session.mailbox)
        node.workerinput["conformance"] = _pickled(self.settings, self.suite.session.capabilities)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist left out; one that died leaves no word."""
        self.suite.deselected += getattr(node, "workeroutput", {"deselected": 1}).get("deselected", 0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the scenarios in several processes where that is quicker."""
        target = self.suite.session
        size = work.processes(self.config, target, len(session.items))
        if size < 1 or self.uncollected:
            return None
        self.settings.mailbox = listener.way(target.mailbox)
        in_order = self.settings.telling_first
        crew.Crew(session, work.Scenarios(session.items, target, _lost, in_order=in_order)).run(size)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module of the suite that cannot be imported is our own error."""
        self.uncollected += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a scenario's record, from whichever process it comes."""
        found = getattr(report, ATTRIBUTE, None)
        if found is not None:
            name = names.of_report(report)
            self.records[name] = found
            self.places[name] = (tuple(name.partition("::")[0].split("/")), report.location[1] or 0, name)
        elif report.when == "teardown" and report.failed and (name := names.of_report(report)) in self.records:
            last = str(report.longrepr).strip().rpartition("\n")[2]
            self.records[name]["error"] = f"it failed when it had ended: {last.removeprefix('E').strip()}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Roll up, write the report, give the run its exit code, and remove what it made."""
        signals.INTERRUPTS.ending = True
        self._finish(session, exitstatus)
        if self.report is None:
            outputs.write_none(self.config, self.complaint, int(session.exitstatus))
        try:
            return (yield)
        finally:
            # The workers have ended: nobody looks at it any more.
            self.rest = cleanup.run(self.suite.session, lambda: signals.INTERRUPTS.hurry)
            if self.report is not None and (told := outputs.write_recording(self.settings, self.records, self.report)):
                self.complaint, session.exitstatus = told, 4
            if signals.INTERRUPTS.hurry and exitstatus != pytest.ExitCode.INTERRUPTED:
                self._interrupted_late(session)
            elif self.report is not None and self.written and (left := str(self.rest)):
                # Only now it is known: the report was written before, lest a run that is killed meanwhile has none.
                self.report["run"]["left"] = left
                self._write(session, self.report)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.uncollected:
            session.exitstatus, self.complaint = 3, "The suite itself is broken: scenarios could not be collected."
            return
        if exitstatus == pytest.ExitCode.INTERRUPTED and not self.records:
            self.complaint = signals.TOO_EARLY
            return
        if exitstatus in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR} or not self.records:
            if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED or (exitstatus == 0 and not self.records):
                session.exitstatus = 5
            return
        self._conclude(session, exitstatus)

    def _conclude(self, session: pytest.Session, exitstatus: int) -> None:
        catalogue = self.suite.catalogue
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        stopped = interrupted or bool(session.shouldfail) or bool(session.shouldstop)
        whole = not self.suite.deselected and not stopped and self._whole_selection(session)
        selected = None if whole else self.suite.chosen() or frozenset()
        # In one order, however many processes there were: that of the modules and their lines.
        records = {node: self.records[node] for node in sorted(self.records, key=lambda node: self.places[node])}
        self.rollup = RollUp(catalogue, records, selected)
        run = report_document.Run(
            self.settings,
            self.suite.session.capabilities,
            self.started,
            time.monotonic() - self.clock,
            whole,
            cleanup.repositories(self.suite.session),
        )
        report = report_document.make(catalogue, self.rollup, run)
        code = 2 if interrupted else report_document.exit_code(report, self.rollup)
        if forgotten := report_document.stale(report, self.settings):
            self.complaint = f"--known-failures: these no longer fail, remove their entries: {', '.join(forgotten)}"
            code = 4 if code in {0, 1} else code
        report["run"]["exit_code"] = code
        session.exitstatus = code
        self.report = report
        self._write(session, report)

    def _write(self, session: pytest.Session, report: dict[str, Any]) -> None:
        import reports  # noqa: PLC0415  # a process that writes no report, as a worker, need not load it

        try:
            self.folder = outputs.folder(self.settings.report, report)
            reports.write(report, self.folder)
            self.written = True
            if problem := outputs.write(self.config, report, self.settings.known_failures_write):
                self.complaint, session.exitstatus = problem, 4
        except OSError as error:
            self.complaint = f"--report: {self.folder} cannot be written ({error.strerror})"
            session.exitstatus = 4
        except reports.ReportError as error:
            self.complaint = f"ERROR of the suite: the report contradicts itself: {error}"
            session.exitstatus = 3

    def _interrupted_late(self, session: pytest.Session) -> None:
        """Everything was judged; only the clean-up was broken off, and the exit code says so."""
        if self.report is not None and session.exitstatus in {0, 1}:
            self.late = True
            self.report["run"]["exit_code"] = session.exitstatus = 2
            self._write(session, self.report)

    def _whole_selection(self, session: pytest.Session) -> bool:
        """Whether the command line asked for the whole suite."""
        # These leave files out without a word to the hook of deselection.
        if any(self.config.getoption(name, None) for name in ("ignore", "ignore_glob", "lf", "stepwise")):
            return False
        own = str(self.config.rootpath / "conformance")
        return not any("::" in arg or arg.endswith(".py") for arg in self.config.args) and any(
            str(self.config.invocation_params.dir / arg.rstrip("/")) == own or arg.rstrip("/").endswith("conformance")
            for arg in self.config.args
        )

    def pytest_unconfigure(self) -> None:
        """Stop the embedded reference and the listener."""
        self.servers.close()


def _pickled(settings: Settings, found: Capabilities) -> bytes:
    import pickle  # noqa: PLC0415  # only where workers are used; our own data over our own pipe

    return pickle.dumps((settings, found))


def unpickled(data: bytes) -> tuple[Settings, Capabilities]:
    """Return what the controlling process handed to a worker."""
    import pickle  # noqa: PLC0415  # as above

    settings, found = pickle.loads(data)  # noqa: S301  # from the controller, over its pipe
    return settings, found
