"""The Markdown summary of a report, fit for the job summary of a code forge."""

from __future__ import annotations

from collections.abc import Iterator

from reports import view
from reports.model import Report
from reports.text import markdown, markdown_block, markdown_code, safe_url, shorten

#: A job summary holds one MiB; what is longer is in the page.
_FINDINGS = 50
_TEXT = 600
_CURL = 4000

_SIGN = {
    "PASS": "✅",
    "FAIL": "❌",
    "WARNING": "⚠️",
    "UNSUPPORTED": "\N{HEAVY MINUS SIGN}",
    "INCONCLUSIVE": "❔",
    "NOT_TESTED": "⬜",
    "KNOWN_FAILURE": "🚩",
    "ERROR": "💥",
}


def render(report: Report) -> str:
    """Return the summary of a report that was checked (``reports.loading.check``)."""
    return "\n".join((*_head(report), *_profiles(report), *_categories(report), *_findings(report), *_foot(report)))


def _verdict(verdict: str) -> str:
    return f"{_SIGN[verdict]} {view.label(verdict)}"


def _head(report: Report) -> Iterator[str]:
    run, suite = report["run"], report["suite"]
    yield f"# Registry conformance: {markdown(shorten(view.product(report), _TEXT))}"
    yield ""
    yield (
        f"Target {markdown_code(report['target']['url'])}, judged on {markdown(run['started'][:16].replace('T', ' '))} "
        f"UTC by {markdown(suite['name'])} {markdown(suite['version'])} in {view.duration(run['duration_seconds'])} "
        f"({run['exchanges']['count']:,} exchanges)."
    )
    yield ""
    warning = view.warning(report)
    if warning:
        yield f"> **{warning}**"
        yield ""


def _profiles(report: Report) -> Iterator[str]:
    yield "| Profile | Verdict | | Decided |"
    yield "|---|---|---|---|"
    for one in view.profiles(report):
        name = f"**{markdown_code(one.id)}** (chosen)" if one.decisive else markdown_code(one.id)
        decided = f"{one.total - one.undecided} of {one.total}"
        yield f"| {name} | **{_verdict(one.verdict)}** | {markdown(one.headline)} | {decided} |"
    yield ""
    for one in view.profiles(report):
        if one.scope:
            yield f"- Scope of {markdown_code(one.id)}: {markdown(one.scope)}."
    yield ""


def _categories(report: Report) -> Iterator[str]:
    names = list(report["profiles"])
    yield "| Category | " + " | ".join(markdown_code(name) for name in names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for category in view.categories(report):
        cells = [_cell(report, name, category) for name in names]
        yield f"| {markdown(category)} | " + " | ".join(cells) + " |"
    yield ""


def _cell(report: Report, profile: str, category: str) -> str:
    tally = report["profiles"][profile]["categories"].get(category)
    if tally is None:
        return "not in it"
    counts = tally["counts"]
    return f"{_verdict(tally['verdict'])} ({counts.get('PASS', 0)} of {sum(counts.values())} pass)"


def _findings(report: Report) -> Iterator[str]:
    found = view.findings(report)
    yield f"## Findings ({len(found)})"
    yield ""
    if not found:
        yield "No requirement was found broken."
        yield ""
    profile = report["run"]["profile"]
    for item in found[:_FINDINGS]:
        yield from _finding(item, profile)
    if len(found) > _FINDINGS:
        yield f"{len(found) - _FINDINGS} more findings are in report.html."
        yield ""


def _finding(item: view.FindingView, profile: str) -> Iterator[str]:
    entry, finding = item.requirement, item.finding
    verdict = entry["verdicts"].get(profile)
    standing = f"{_verdict(verdict)}, {entry['levels'][profile]}" if verdict else f"not in {markdown(profile)}"
    yield f"### {markdown_code(entry['id'])} ({standing})"
    yield ""
    yield markdown(shorten(entry["statement"], _TEXT))
    yield ""
    yield f"- Expected: {markdown(shorten(finding['expected'], _TEXT))}"
    yield f"- What came: {markdown(shorten(finding['actual'], _TEXT))}"
    for source in entry["sources"]:
        url = safe_url(source["url"])
        title = markdown(shorten(source["title"], _TEXT))
        place = f"[{title}]({_link(url)})" if url else title
        yield f"- Source: {place}" + (f", {markdown(shorten(source['section'], _TEXT))}" if source["section"] else "")
    if finding["note"]:
        yield f"- Note: {markdown(shorten(finding['note'], _TEXT))}"
    if finding["also_affected"]:
        yield f"- Left undecided by this: {len(finding['also_affected'])} other requirements"
    yield ""
    if finding["curl"] and len(finding["curl"]) <= _CURL:
        yield markdown_block(finding["curl"], "sh")
        yield ""


def _link(url: str) -> str:
    return "".join(c if c.isalnum() or c in "-._~:/?#@!$&*+,;=%" else f"%{ord(c):02X}" for c in url)


def _foot(report: Report) -> Iterator[str]:
    groups = view.undecided(report)
    if groups:
        yield f"## What this report does not say ({sum(len(group.ids) for group in groups)})"
        yield ""
        for group in groups[:_FINDINGS]:
            reason = markdown(shorten(group.reason, _TEXT)) or "no reason is recorded"
            yield f"- {len(group.ids)} {group.outcome}: {reason}"
        if len(groups) > _FINDINGS:
            yield f"- and {len(groups) - _FINDINGS} more reasons, in report.html"
        yield ""
    capabilities = report["target"]["capabilities"]
    absent = [markdown_code(name) for name, one in capabilities.items() if one["present"] is False]
    if absent:
        yield "Optional parts that the target does not offer: " + ", ".join(absent) + "."
        yield ""
    unknown = [markdown_code(name) for name, one in capabilities.items() if one["present"] is None]
    if unknown:
        yield "Optional parts of which this run could not find out: " + ", ".join(unknown) + "."
        yield ""
