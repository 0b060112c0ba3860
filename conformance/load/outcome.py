"""The report of a load: that of a run in which one scenario was all there was, with the figures of the load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.load import figures
from conformance.load.books import Books
from conformance.load.plan import Plan
from conformance.load.steps import Steps
from conformance.run import report_document
from conformance.verdict.rollup import Record, RollUp
from spec.catalogue import Catalogue

#: What stands in place of a scenario.
NODE = "load"


def report(catalogue: Catalogue, plan: Plan, books: Books, run: report_document.Run, code: int = 0) -> dict[str, Any]:
    """Return ``report.json`` of a load (``report.schema.json``), each breach under its requirement with its number.

    Args:
        catalogue: the requirements.
        plan: what the load was asked to do.
        books: what all processes found.
        run: the facts of the run.
        code: the exit code where the load did not come to its end; else it follows from what was found.
    """
    rollup = RollUp(catalogue, {NODE: record(books)}, frozenset())
    made = report_document.make(catalogue, rollup, run)
    for finding in made["findings"]:
        finding["times"] = books.times[finding["requirement"]]
        told = _times(finding["times"], "under load")
        finding["note"] = f"{told}; {finding['note']}" if finding["note"] else told
    made["load"] = load(plan, books, run.seconds)
    made["run"]["exit_code"] = code or report_document.exit_code(made, rollup)
    return made


def record(books: Books) -> Record:
    """Return what the books say as what one scenario leaves."""
    return {
        "judgements": [],
        "blocked": [books.judgements[name] for name in sorted(books.judgements)],
        "error": "; ".join(f"{text} ({_times(count)})" for text, count in books.errors.most_common()),
        "conditions": None,
        "exercised": sorted(books.exercised),
        "breaches": [],
        "contradictions": [],
        "exchanges": books.requests,
        "contract_seconds": books.contract_seconds,
    }


def load(plan: Plan, books: Books, seconds: float) -> dict[str, Any]:
    """Return the figures of a load, as a report has them: times in milliseconds, rates by second."""
    unanswered: dict[str, int] = {}
    for (operation, _), count in books.unanswered.items():
        unanswered[operation] = unanswered.get(operation, 0) + count
    lasted = max(min(seconds, plan.steps.seconds), 0.001)
    steps = [_step(plan.steps, number, books, lasted) for number in range(len(plan.steps.users))]
    return {
        "users": plan.steps.users[-1],
        "seconds": round(lasted, 1),
        "processes": plan.processes,
        "limit": plan.requests,
        "requests": books.requests,
        "mix": plan.mix.plain(),
        "deeds": dict(sorted(books.deeds.items())),
        "throughput": {
            "requests_per_second": round(books.requests / lasted, 1),
            "sent_bytes_per_second": round(books.sent / lasted),
            "received_bytes_per_second": round(books.received / lasted),
        },
        "operations": [
            {"operation": name, "requests": len(found), **found.shown(), "unanswered": unanswered.pop(name, 0)}
            for name, found in books.operations()
        ],
        "steps": steps,
        "knee": figures.knee(steps),
        "breaches": [{"requirement": name, "times": books.times[name]} for name in sorted(books.times)],
        "unanswered": [
            {"operation": operation, "reason": reason, "times": count}
            for (operation, reason), count in sorted(books.unanswered.items())
        ],
        "refused": [{"reason": reason, "times": count} for reason, count in sorted(books.refused.items())],
        "errors": [{"error": error, "times": count} for error, count in sorted(books.errors.items())],
        "unbooked": [{"what": what, "times": count} for what, count in sorted(books.unbooked.items())],
    }


def _step(steps: Steps, number: int, books: Books, lasted: float) -> dict[str, Any]:
    """Return the figures of one step; a load that ended early ended in the middle of one."""
    found, seconds = books.step(number), max(0.0, min(steps.each, lasted - number * steps.each))
    return {
        "users": steps.users[number],
        "seconds": round(seconds, 2),
        "requests": len(found),
        **found.shown(),
        "requests_per_second": round(len(found) / seconds, 1) if seconds else 0.0,
    }


def _times(count: int, what: str = "") -> str:
    return f"{'once' if count == 1 else f'{count} times'}{f' {what}' if what else ''}"


def text(made: dict[str, Any]) -> str:
    """Return what the terminal shows of a report: operations, steps, the knee, and each breach with its number."""
    found = made["load"]
    rate = found["throughput"]
    rows: list[tuple[str, ...]] = [("operation", "requests", "p50", "p95", "p99", "most", "unanswered")]
    rows += [_row(each["operation"], each, str(each["unanswered"])) for each in found["operations"]]
    lines = [*_table(rows), ""]
    rows = [("users", "requests", "p50", "p95", "p99", "most", "requests/s")]
    rows += [_row(str(each["users"]), each, f"{each['requests_per_second']:.0f}") for each in found["steps"]]
    lines += [*_table(rows), "", "Times in milliseconds."]
    lines.append(
        f"{found['requests']} requests in {found['seconds']:.1f} s: {rate['requests_per_second']:.0f} requests/s, "
        f"{rate['sent_bytes_per_second'] / 1e6:.1f} MB/s sent, "
        f"{rate['received_bytes_per_second'] / 1e6:.1f} MB/s received"
    )
    knee = found["knee"]
    lines.append(
        f"The knee: with {knee['users']} users the p99 is {knee['p99_ms']:g} ms; "
        f"it was {knee['before']['p99_ms']:g} ms with {knee['before']['users']}."
        if knee
        else "There was no knee: in no step was the p99 twice that of fewer users."
    )
    lines += [
        f"No answer: {each['operation']}, {each['reason']} ({_times(each['times'])})" for each in found["unanswered"]
    ]
    lines += [f"ERROR of the suite: {each['error']} ({_times(each['times'])})" for each in found["errors"]]
    lines += [f"Refused: {each['reason']} ({_times(each['times'])})" for each in found["refused"]]
    for finding in made["findings"]:
        entry = next(entry for entry in made["requirements"] if entry["id"] == finding["requirement"])
        verdict = entry["verdicts"].get(made["run"]["profile"], "no finding in this profile")
        lines += ["", f"{verdict}  {entry['id']}  {_times(finding['times'])}: {entry['statement']}"]
        lines += [f"  expected {finding['expected']}", f"  but      {finding['actual']}"]
    broken = {finding["requirement"] for finding in made["findings"]}
    others = [f"{e['requirement']} ({_times(e['times'])})" for e in found["breaches"] if e["requirement"] not in broken]
    if others:
        lines += ["", f"Broken as well, by the same causes: {', '.join(others)}"]
    if not found["breaches"]:
        lines.append("No exchange broke a requirement.")
    return "\n".join(lines)


def _row(name: str, figures_: dict[str, Any], last: str) -> tuple[str, ...]:
    times = (f"{figures_[key]:g}" for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))
    return name, str(figures_["requests"]), *times, last


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
