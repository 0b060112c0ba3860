"""The JUnit form of a report: a test case is a requirement, judged by the chosen profile."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from reports import view
from reports.model import Finding, Report, RequirementResult
from reports.text import shorten, visible
from spec.model import Verdict

_NAME = "registry-conformance"
_TEXT = 4000
_LINE = 300


def render(report: Report) -> str:
    """Return the XML of a report that was checked (``reports.loading.check``).

    FAIL is a failure and ERROR an error. PASS and WARNING are passed; anything else is skipped, with its verdict in
    words. Where the run ended with another code than 0 and no test case says so, one more says why: a run that did
    not pass shows no green.
    """
    profile = report["run"]["profile"]
    found = {finding["requirement"]: finding for finding in report["findings"]}
    suite = _suite(report)
    for category in view.categories(report):
        for entry in report["requirements"]:
            if entry["category"] == category and profile in entry["verdicts"]:
                suite.append(_case(entry, profile, found.get(entry["id"])))
    if why := view.shortfall(report):
        case = ET.SubElement(suite, "testcase", classname="run", name=f"The verdict by {profile} is reached", time="0")
        ET.SubElement(case, "failure", type=report["profiles"][profile]["verdict"], message=_line(why))
    return _document(suite, report["run"]["duration_seconds"])


def without_report(reason: str, code: int) -> str:
    """Return the XML of a run that left no report: one test case, an error."""
    suite = ET.Element("testsuite", name=_NAME)
    case = ET.SubElement(suite, "testcase", classname="run", name="A verdict is reached", time="0")
    ET.SubElement(case, "error", type="ERROR", message=_line(f"{reason} (exit code {code})"))
    return _document(suite, 0)


def _document(suite: ET.Element, seconds: float) -> str:
    counted = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    root = ET.Element("testsuites", name=_NAME)
    for element in (root, suite):
        element.attrib |= {name: str(number) for name, number in counted.items()}
        element.set("time", f"{seconds:.3f}")
    root.append(suite)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report) -> ET.Element:
    run, suite, target = report["run"], report["suite"], report["target"]
    chosen = report["profiles"][run["profile"]]
    element = ET.Element("testsuite", name=_NAME, timestamp=run["started"][:19])
    told = {
        "target": target["url"],
        "product": view.product(report),
        "profile": run["profile"],
        "verdict": chosen["verdict"],
        "scope": view.scope(report, run["profile"]),
        "note": view.warning(report),
        "exit code": str(run["exit_code"]),
        "seed": str(run["seed"]),
        "suite": f"{suite['version']} {suite['commit'] or ''}".strip(),
    }
    _properties(element, [(name, text) for name, text in told.items() if text])
    return element


def _case(entry: RequirementResult, profile: str, finding: Finding | None) -> ET.Element:
    verdict = entry["verdicts"][profile]
    name = _line(f"{entry['id']}: {entry['statement']}")
    case = ET.Element("testcase", classname=entry["category"], name=name, time="0")
    levels = [(f"level in {one}", level) for one, level in entry["levels"].items()]
    sources = [("source", f"{s['title']}, {s['section']} {s['url']}".strip()) for s in entry["sources"]]
    scenarios = [("scenario", scenario) for scenario in entry["scenarios"]]
    known = [("requirement", entry["id"]), ("level", entry["levels"][profile]), ("verdict", view.label(verdict))]
    _properties(case, [*known, *levels, *sources, *scenarios])
    said = _line(f"{view.label(verdict)}: {view.reason(entry, profile, finding)}")
    if verdict in {Verdict.FAIL, Verdict.ERROR}:
        tag = "failure" if verdict == Verdict.FAIL else "error"
        ET.SubElement(case, tag, type=verdict, message=said).text = _detail(entry, finding)
    elif verdict == Verdict.WARNING:
        ET.SubElement(case, "system-out").text = f"{said}\n{_detail(entry, finding)}"
    elif verdict != Verdict.PASS:
        ET.SubElement(case, "skipped", type=verdict, message=said)
    return case


def _detail(entry: RequirementResult, finding: Finding | None) -> str:
    """Return what a reader of a failure wants to see without the page."""
    lines = [entry["statement"]]
    if finding:
        lines += [f"expected: {finding['expected']}", f"but:      {finding['actual']}"]
    lines += [f"by:       {source['title']}, {source['section']}" for source in entry["sources"]]
    if finding:
        lines += [f"found by: {finding['scenario']}"]
        lines += [f"note:     {finding['note']}"] if finding["note"] else []
        if finding["also_affected"]:
            lines.append(f"also:     {len(finding['also_affected'])} requirements cannot be decided because of it")
        lines += ["", finding["curl"]] if finding["curl"] else []
    return visible(shorten("\n".join(lines), _TEXT), block=True)


def _properties(element: ET.Element, pairs: list[tuple[str, str]]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in pairs:
        ET.SubElement(properties, "property", name=_line(name), value=_line(value))


def _line(text: str) -> str:
    return visible(shorten(text, _LINE))
