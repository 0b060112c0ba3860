"""The Markdown summary of a report: a screen, with what is longer folded, fit for the job summary of a code forge."""

from __future__ import annotations

from collections.abc import Iterator

from reports import view
from reports.model import Latency, Report
from reports.text import markdown, markdown_block, markdown_code, safe_url, shorten
from spec.model import Verdict

#: A comment on a pull request holds 65,536 characters; a job may write something beside this.
LIMIT = 60_000
#: Lines of findings that are not folded, and findings that are.
_LINES = 12
_FINDINGS = 50
_GROUPS = 20
_TEXT = 400
_CURL = 1500

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
    """Return the summary of a report that was checked (``reports.loading.check``), below `LIMIT` characters."""
    text = "\n".join((*_head(report), *_load(report), *_profiles(report), *_failures(report)))
    for fold in (_findings, _categories, _undecided, _capabilities):
        text = _added(text, fold(report))
    return text


def _added(text: str, pieces: Iterator[str]) -> str:
    """Add what may be left out as long as there is room: a heading, and whole pieces of it, folded."""
    title = next(pieces, "")
    if not title:
        return text
    folded = [f"\n<details><summary>{title}</summary>\n"]
    room = LIMIT - len(text) - len(title) - 200
    left = 0
    for piece in pieces:
        if left or len(piece) + 1 > room:
            left += 1
            continue
        folded.append(piece)
        room -= len(piece) + 1
    if left:
        folded.append(f"{left} more are in report.html.\n")
    return "\n".join([text, *folded, "</details>"])


def _verdict(verdict: str) -> str:
    return f"{_SIGN[verdict]} {view.label(verdict)}"


def _head(report: Report) -> Iterator[str]:
    run, suite, chosen = report["run"], report["suite"], view.chosen(report)
    product = markdown(shorten(view.product(report), _TEXT))
    yield f"# {_verdict(chosen.verdict)}: {product} by {markdown_code(chosen.id)}"
    yield ""
    if warning := view.warning(report):
        yield f"> **{warning}**"
        yield ""
    yield f"{markdown(view.counted(report))}." + (f" Scope: {markdown(chosen.scope)}." if chosen.scope else "")
    if others := view.elsewhere(report):
        yield f"{markdown(others)}."
    yield ""
    commit = f" ({markdown_code(suite['commit'])})" if suite["commit"] else ""
    yield (
        f"Target {markdown_code(report['target']['url'])}, judged on {markdown(run['started'][:16].replace('T', ' '))} "
        f"UTC by {markdown(suite['name'])} {markdown(suite['version'])}{commit} in "
        f"{view.duration(run['duration_seconds'])} ({run['exchanges']['count']:,} exchanges), "
        f"seed {markdown(str(run['seed']))}."
    )
    yield ""


def _load(report: Report) -> Iterator[str]:
    """The figures of a load, where the report is that of one."""
    found = report.get("load")
    if found is None:
        return
    rate, knee = found["throughput"], found["knee"]
    told = "There was no knee."
    if knee is not None:
        before = f"it was {knee['before']['p99_ms']:g} ms with {knee['before']['users']}"
        told = f"The knee: with {knee['users']} users the p99 is {knee['p99_ms']:g} ms; {before}."
    yield (
        f"Under load: {found['requests']:,} requests in {found['seconds']:g} s, "
        f"{rate['requests_per_second']:g} in a second. {told}"
    )
    yield ""
    yield "| Milliseconds | Requests | p50 | p95 | p99 | most |"
    yield "|---|---|---|---|---|---|"
    for step in found["steps"]:
        yield f"| {step['users']} users | {_latency(step)} |"
    for each in found["operations"]:
        yield f"| {markdown_code(each['operation'])} | {_latency(each)} |"
    yield ""


def _latency(found: Latency) -> str:
    times = (found["p50_ms"], found["p95_ms"], found["p99_ms"], found["max_ms"])
    return " | ".join([f"{found['requests']:,}", *(f"{time:g}" for time in times)])


def _profiles(report: Report) -> Iterator[str]:
    yield "| Profile | Verdict | | Decided |"
    yield "|---|---|---|---|"
    for one in view.profiles(report):
        name = f"**{markdown_code(one.id)}** (chosen)" if one.decisive else markdown_code(one.id)
        yield f"| {name} | **{_verdict(one.verdict)}** | {markdown(one.headline)} | {one.decided} of {one.total} |"
    yield ""


def _failures(report: Report) -> Iterator[str]:
    """One line for each finding of the chosen profile, failures first."""
    found, profile = view.weighed(report), report["run"]["profile"]
    failed = [item for item in found if item.requirement["verdicts"][profile] == Verdict.FAIL]
    shown = (failed or found)[:_LINES]
    for item in shown:
        entry = item.requirement
        sign = _verdict(entry["verdicts"][profile])
        yield f"- {sign} {markdown_code(entry['id'])}: {markdown(shorten(entry['statement'], _TEXT))}"
    if len(shown) < len(failed or found):
        yield f"- and {len(failed or found) - len(shown)} more"
    if not found:
        yield f"No requirement of {markdown_code(profile)} was found broken."


def _findings(report: Report) -> Iterator[str]:
    found = view.findings(report)
    if not found:
        return
    yield f"What was expected, and what came: {len(view.weighed(report))} findings, and those of other profiles"
    for item in found[:_FINDINGS]:
        yield "\n".join(_finding(item, report["run"]["profile"]))
    if len(found) > _FINDINGS:
        yield f"{len(found) - _FINDINGS} more findings are in report.html.\n"


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


def _categories(report: Report) -> Iterator[str]:
    names = list(report["profiles"])
    yield "Verdicts by category"
    lines = ["| Category | " + " | ".join(markdown_code(name) for name in names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for category in view.categories(report):
        cells = [_cell(report, name, category) for name in names]
        lines.append(f"| {markdown(category)} | " + " | ".join(cells) + " |")
    yield "\n".join([*lines, ""])


def _cell(report: Report, profile: str, category: str) -> str:
    tally = report["profiles"][profile]["categories"].get(category)
    if tally is None:
        return "not in it"
    counts = tally["counts"]
    return f"{_verdict(tally['verdict'])} ({counts.get('PASS', 0)} of {sum(counts.values())} pass)"


def _undecided(report: Report) -> Iterator[str]:
    groups = view.undecided(report)
    if not groups:
        return
    yield f"What this report does not say: {sum(len(group.ids) for group in groups)} requirements of all profiles"
    for group in groups[:_GROUPS]:
        reason = markdown(shorten(group.reason, _TEXT)) or "no reason is recorded"
        yield f"- {len(group.ids)} {view.label(group.verdict)}: {reason}"
    if len(groups) > _GROUPS:
        yield f"- and {len(groups) - _GROUPS} more reasons, in report.html"
    yield ""


def _capabilities(report: Report) -> Iterator[str]:
    capabilities = report["target"]["capabilities"]
    absent = [markdown_code(name) for name, one in capabilities.items() if one["present"] is False]
    unknown = [markdown_code(name) for name, one in capabilities.items() if one["present"] is None]
    if not absent and not unknown:
        return
    yield "Optional parts"
    if absent:
        yield "The target does not offer " + ", ".join(absent) + ".\n"
    if unknown:
        yield "This run could not find out whether there are " + ", ".join(unknown) + ".\n"
