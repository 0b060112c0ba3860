"""What a job of GitHub Actions shows of a report: annotations, and outputs for the steps after it."""

from __future__ import annotations

from collections.abc import Iterator

from reports import view
from reports.model import Report
from reports.text import shorten, visible
from spec.model import Verdict

_KINDS = {Verdict.FAIL: "error", Verdict.WARNING: "warning", Verdict.KNOWN_FAILURE: "notice"}
_LONGEST = 600


def annotate(report: Report) -> str:
    """Return a workflow command for each finding that the profile weighs, and one for what else prevents a pass."""
    return "".join(f"{line}\n" for line in _annotations(report))


def _annotations(report: Report) -> Iterator[str]:
    profile = report["run"]["profile"]
    for item in view.weighed(report):
        verdict = Verdict(item.requirement["verdicts"][profile])
        told = f"{item.requirement['statement']} {view.reason(item.requirement, profile, item.finding)}"
        yield _command(_KINDS[verdict], f"{view.label(verdict)} {item.requirement['id']}", told)
    for entry in report["requirements"]:
        if entry["verdicts"].get(profile) == Verdict.ERROR:
            yield _command("error", f"ERROR of the suite {entry['id']}", entry["reason"])
    if short := view.shortfall(report):
        yield _command("error", f"{profile} is not passed", short)


def _command(kind: str, title: str, text: str) -> str:
    escaped = _data(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={escaped}::{_data(shorten(text, _LONGEST))}"


def _data(text: str) -> str:
    # A line end would begin another command.
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def outputs(report: Report) -> str:
    """Return the lines of the outputs of a step: verdict, findings, failures and the exit code."""
    profile = report["profiles"][report["run"]["profile"]]
    members = {
        "verdict": profile["verdict"],
        "findings": len(view.weighed(report)),
        "failures": profile["counts"].get(Verdict.FAIL, 0),
        "exit-code": report["run"]["exit_code"],
    }
    return "".join(f"{name}={value}\n" for name, value in members.items())
