"""The terminal: one live line while the run goes on, then one screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import pytest
from _pytest.terminal import TerminalReporter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.run import crew
from conformance.run.plugin import ATTRIBUTE, Controller
from conformance.run.progress import Progress
from conformance.target import names
from spec.model import Verdict

if TYPE_CHECKING:
    from reports.model import Report

_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.WARNING: "yellow",
    Verdict.UNSUPPORTED: "cyan",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_TESTED: "dim",
    Verdict.KNOWN_FAILURE: "yellow",
    Verdict.ERROR: "bold white on red",
}
#: More of a text than this is left to the page.
_LONGEST = 1000
#: Columns where the output is no terminal.
_WIDTH = 120


def install(config: pytest.Config) -> None:
    """Put our reporter in the place of pytest's own, in the controlling process."""
    controller = config.pluginmanager.getplugin("conformance-controller")
    standard = config.pluginmanager.getplugin("terminalreporter")
    if controller is None or standard is None:
        return
    ours = Reporter(config, controller)
    config.pluginmanager.unregister(standard)
    config.pluginmanager.register(ours, "terminalreporter")


def visible(text: str) -> Text:
    """Return a text of the target with control characters shown and not obeyed."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return Text(shown)


class Reporter(TerminalReporter):  # type: ignore[misc]  # final in its types, yet there is no other way to its place
    """Shows findings and verdicts, and nothing of pytest's own bookkeeping."""

    def __init__(self, config: pytest.Config, controller: Controller) -> None:
        super().__init__(config, sys.stdout)
        self.controller = controller
        self._live = sys.stdout.isatty()
        self.console = Console(file=sys.stdout, highlight=False, width=None if self._live else _WIDTH)
        self._progress: Progress | None = None

    # -- while it runs

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is judged."""
        self._session = session
        settings = self.controller.settings
        name = "the embedded reference, and no registry of yours," if settings.embedded else settings.url
        told = f" by {settings.profile}, seed {settings.seed}"
        self.console.print(Text.assemble("Certifying ", (name, "bold"), told))

    def pytest_collection(self) -> None:
        """Collection is quick and shows nothing."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say how long it will take, as far as that is known now."""
        controller, target = self.controller, self.controller.suite.session
        settings = controller.settings
        self._progress = Progress(session.items, settings.effort)
        rate, trip = target.transport.pace.rate, target.round_trip_ms / 1000
        told = self._progress.expected(rate, trip, crew.size(self.config, target.round_trip_ms), settings.max_time)
        if session.items:
            self.console.print(told)

    def report_collect(self, final: bool = False) -> None:
        """Collection shows nothing."""

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Scenarios are shown as they end."""

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """See `pytest_runtest_logreport`."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Move the live line on."""
        if report.when == "teardown" and report.failed:
            self.stats.setdefault("error", []).append(report)
        found = getattr(report, ATTRIBUTE, None)
        if found is None:
            return
        category = "failed" if report.failed else "skipped" if report.skipped else "passed"
        self.stats.setdefault(category, []).append(report)
        if self._progress is None:  # the process that controls those of pytest-xdist collects nothing
            return
        self._progress.add(report.nodeid, found)
        if self._live:
            self._rewrite_line(f"{self._progress.line()}  {report.nodeid.rpartition('::')[2][:40]}")
        else:
            self.tick()

    def tick(self) -> None:
        """Print a line on the progress now and then, where there is no terminal."""
        if not self._live and self._progress is not None and self._progress.due():
            self.console.print(self._progress.line())

    def _rewrite_line(self, text: str) -> None:
        sys.stdout.write(f"\r\x1b[2K{text}")
        sys.stdout.flush()

    # -- when it has ended

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Any:
        """Print one screen instead of pytest's summaries."""
        result = yield
        if self._live:
            self._rewrite_line("")
        # Without Hypothesis, whose summary has nothing to say here but takes half a second to load.
        hypothesis = [p for name, p in self.config.pluginmanager.list_name_plugin() if name == "hypothesispytest" and p]
        summary = self.config.pluginmanager.subset_hook_caller("pytest_terminal_summary", hypothesis)
        summary(terminalreporter=self, exitstatus=session.exitstatus, config=self.config)
        self._screen(int(session.exitstatus))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_terminal_summary(self) -> Any:
        """Our screen follows in `_screen`; other plugins may add to it before."""
        return (yield)

    def _screen(self, code: int) -> None:
        report, rollup = self.controller.report, self.controller.rollup
        for failed in self.stats.get("error", []):
            self.console.print(visible(str(failed.longrepr)[-2000:]))
        if report is None or rollup is None:
            message = self.controller.complaint or "Nothing was decided: no scenario ran."
            self.console.print(Text(message, "bold red"))
            return
        for error in rollup.errors:
            self.console.print(Text.assemble(("ERROR of the suite  ", "bold red"), visible(error)))
            self._traceback(error)
        self._findings(report)
        self._verdicts(report)
        self._last_lines(report, code)

    def _traceback(self, error: str) -> None:
        for failed in self.stats.get("failed", []):
            shown = str(failed.longrepr)
            if error.startswith(names.of_report(failed) + ":") and not shown.startswith("ERROR of the suite"):
                self.console.print(visible_lines(shown))

    def _findings(self, report: dict[str, Any]) -> None:
        """Print each finding that the profile has a say in, failures first."""
        from reports import view  # noqa: PLC0415  # as where the report is written: not in workers

        typed = cast("Report", report)
        shown = view.weighed(typed)
        for item in shown:
            self._finding(cast("Any", item.requirement), cast("Any", item.finding), report["run"]["profile"])
        if told := view.elsewhere(typed):
            weighed = {item.requirement["id"] for item in shown}
            others = [f["requirement"] for f in report["findings"] if f["requirement"] not in weighed]
            self.console.print(Text(f"\n{told}: {', '.join(others)}", "dim"))

    def _finding(self, entry: dict[str, Any], finding: dict[str, Any], profile: str) -> None:
        verdict = Verdict(entry["verdicts"][profile])
        source = entry["sources"][0] if entry["sources"] else {"title": "", "section": ""}
        for candidate in entry["sources"]:
            if profile.removeprefix("oci-") in candidate["document"]:
                source = candidate
        told = (f"{verdict.value}  ", _STYLES[verdict])
        self.console.print(Text.assemble("\n", told, (entry["id"], "bold"), f"  {entry['statement']}"))
        affected = len(finding["also_affected"])
        blocked = f"{affected} other requirement{'s' * (affected > 1)} cannot be decided because of it"
        rows = Table.grid(padding=(0, 2, 0, 0))
        rows.add_column(justify="right", width=10, style="dim")
        rows.add_column(overflow="fold")
        for label, text in (
            ("expected", finding["expected"]),
            ("but", finding["actual"]),
            ("by", f"{source['title']}, {source['section']}"),
            ("also", blocked if affected else ""),
            ("note", finding["note"]),
        ):
            if text:
                rows.add_row(label, visible(_clipped(text)))
        self.console.print(rows)
        if finding["curl"]:
            # In one piece, so that it can be copied; of a script the page has the lines.
            several = "\n" in finding["curl"]
            shown = "the script of this finding on the page" if several else _clipped(finding["curl"])
            self.console.print(Text.assemble(("       try  ", "dim"), visible(shown)), soft_wrap=True)

    def _verdicts(self, report: dict[str, Any]) -> None:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("failed/warned/passed")
        for profile in report["profiles"]:
            table.add_column(profile + (" *" if profile == report["run"]["profile"] else ""))
        categories = dict.fromkeys(c for p in report["profiles"].values() for c in p["categories"])
        for category in categories:
            cells = [_cell(p["categories"].get(category)) for p in report["profiles"].values()]
            table.add_row(category, *cells)
        whose = "verdict on the reference" if report["target"].get("embedded") else "verdict"
        table.add_row(Text(whose, "bold"), *[_cell(p) for p in report["profiles"].values()])
        self.console.print()
        self.console.print(table)

    def _last_lines(self, report: dict[str, Any], code: int) -> None:
        run = report["run"]
        from reports import view  # noqa: PLC0415  # as where the report is written: not in workers

        typed = cast("Report", report)
        decided = any(entry["outcome"] in {"held", "broken"} for entry in report["requirements"])
        left_out = view.scope(typed, run["profile"])
        if left_out:
            self.console.print(Text.assemble(f"\n{run['profile']}: ", left_out))
        part = "" if run["complete"] else " (a part of the suite: no certificate)"
        self.console.print(
            f"\n{view.counted(typed)}{part}; {run['exchanges']['count']} exchanges in {run['duration_seconds']:.1f} s, "
            f"contract checks {run['exchanges']['contract_ms_per_exchange']:.2f} ms each"
        )
        if count := run.get("repositories"):
            stays = f"{count} repositories stay" if count > 1 else "1 repository stays"
            self.console.print(f"{stays}, as no request deletes one.")
        if sampled := run.get("sampled"):
            self.console.print(visible(f"Looked at in part: {'; '.join(sampled)}"), soft_wrap=True)
        if report["findings"] and not self.controller.settings.keep:
            self.console.print(
                Text(
                    "With --keep the content that these commands ask for stays; scripts that make it are on the page.",
                    "dim",
                )
            )
        if report["target"].get("embedded"):
            self.console.print(Text(view.EMBEDDED, "yellow"))
        complaint = self.controller.complaint or ("" if decided else "Nothing was decided.")
        if complaint:
            self.console.print(Text(complaint, "bold red"), soft_wrap=True)
        if (given := self.controller.settings.report) != (folder := self.controller.folder):
            self.console.print(f"{given.resolve()} keeps the report of a whole run.", soft_wrap=True)
        page = (folder / "report.html").resolve()
        told = f"Report: {page}" if self.controller.written else "There is no report."
        self.console.print(f"{told}  (exit code {code})", soft_wrap=True)

    def pytest_unconfigure(self) -> None:
        """Say what clean-up, which comes last, had to leave."""
        if self.controller.rest and (left := str(self.controller.rest)):
            self.console.print(visible(f"Left on the target: {left}"))
        if self.controller.late:
            self.console.print("The clean-up was interrupted.  (exit code 2)")

    # -- pytest's own summaries, which say less

    def summary_errors(self) -> None:
        """See `_screen`."""

    def summary_failures(self) -> None:
        """See `_screen`."""

    def short_test_summary(self) -> None:
        """See `_screen`."""

    def summary_stats(self) -> None:
        """See `_screen`."""


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."


def visible_lines(text: str) -> Text:
    """Return a text of several lines with control characters shown."""
    return Text("\n").join(visible(line) for line in text.splitlines())


def _cell(part: dict[str, Any] | None) -> Text:
    if part is None:
        return Text("-", "dim")
    verdict = Verdict(part["verdict"])
    numbers = "/".join(str(part["counts"].get(v.value, 0)) for v in (Verdict.FAIL, Verdict.WARNING, Verdict.PASS))
    return Text.assemble((verdict.value, _STYLES[verdict]), (f" {numbers}", "dim"))
