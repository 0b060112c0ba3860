"""What the proof found, as text, as data and as a page."""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.proof.workshop import Result

TITLES = {
    "fault": "faults caught",
    "variant": "variants acquitted",
    "together": "variants together",
    "beside": "faults among variants",
    "mutant": "mutants killed",
    "check": "weaker checks noticed",
    "hostile": "hostile targets survived",
    "secret": "secrets kept",
}
#: The least share, in per cent of what is observable.
LEAST = {"mutant": 95, "check": 90}
#: The kinds whose good cases are listed by name.
_NAMED = {"hostile", "secret"}
_SENTENCES = {
    "fault": "*Caught*: a requirement that the fault names is broken and no other is, but for those that it lists.",
    "variant": "*Acquitted*: no profile that allows the variant has a FAIL.",
    "together": "Rows of variants in which each pair of two themes comes together once; acquitted as one alone.",
    "beside": "Each fault among five variants that the seed chooses: caught as if it were alone.",
    "mutant": "One place of the code that answers is changed; the suite alone has to tell it from the reference.",
    "check": "One check of the suite holds always, or looks at less; some fault has to be missed.",
    "hostile": "A whole run against what no registry should be: a verdict or a sentence, in bounds, nothing left over.",
    "secret": "Canary credentials go through a configuration; no output may hold one.",
}


def summary(results: Sequence[Result], arguments: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """The figures of a run, by kind of case."""
    found: dict[str, Any] = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "command": "make prove-all" if arguments.whole else "make prove",
        "seed": arguments.seed,
        "seconds": round(seconds),
        "python": platform.python_version(),
    }
    for kind in TITLES:
        mine = [result for result in results if result.kind == kind]
        if mine:
            found[kind] = _figures(mine)
    findings = [result.findings for result in results if result.kind == "fault"]
    if findings:
        found["findings per fault"] = {"median": statistics.median(findings), "most": max(findings)}
    return found


def _figures(results: Sequence[Result]) -> dict[str, Any]:
    """The numbers of cases, of good ones, and of unobservable ones; open ones are not good."""
    unseen = sum(result.unseen for result in results)
    good = sum(result.good and not result.reason for result in results)
    figures: dict[str, Any] = {"good": good, "all": len(results) - unseen}
    if unseen:
        figures["unseen"] = unseen
    return figures


def falls_short(found: dict[str, Any], results: Sequence[Result]) -> list[str]:
    """What is not as it should be, a sentence each: single cases, and shares that are too small."""
    kinds = {result.kind for result in results if not _is_fine(result)}
    short = [f"falls short: {title}" for kind, title in TITLES.items() if kind in kinds]
    few = [kind for kind, least in LEAST.items() if kind in found and not _reaches(found[kind], least)]
    return [*short, *(f"falls short: {TITLES[kind]}, fewer than {LEAST[kind]} %" for kind in few)]


def _reaches(figures: dict[str, Any], least: int) -> bool:
    return bool(100 * figures["good"] >= least * figures["all"])


def _is_fine(result: Result) -> bool:
    """Some weaker checks may go unnoticed; all other cases are good or have a reason."""
    return result.good or (result.kind == "check" and result.word in {"unnoticed", "unwatched"})


def as_text(found: dict[str, Any]) -> str:
    """The figures, a line each."""
    lines = [f"{title}: {_told(found[kind])}" for kind, title in TITLES.items() if kind in found]
    if "findings per fault" in found:
        per = found["findings per fault"]
        lines.insert(1, f"findings per fault: median {per['median']:g}, most {per['most']}")
    if "secret" in found:
        lines.append(f"secrets found: {found['secret']['all'] - found['secret']['good']}")
    lines.append(f"seed {found['seed']}, {found['seconds']} s")
    return "\n".join(lines)


def _told(figures: dict[str, Any]) -> str:
    text = f"{figures['good']}/{figures['all']}"
    if figures["all"]:
        text += f" ({100 * figures['good'] / figures['all']:.1f} %)" if figures["good"] < figures["all"] else ""
    unseen = figures.get("unseen")
    return f"{text}, and {unseen} that nobody can see or that are legal, each with its reason" if unseen else text


def line(result: Result) -> str:
    """What is said at once of a case that is not as it should be."""
    beside = f" beside {', '.join(result.beside)}" if result.beside else ""
    text = f"{result.kind} {result.name}{beside}: {result.word} {' '.join(result.broken)}".rstrip()
    detail = result.text.strip()
    if not detail:
        return text
    if result.word == "no start" or result.word.startswith("exit "):
        return f"{text}\n{textwrap.indent(detail, '    ')}"
    return f"{text}\n    {detail[:1500]}" if result.kind in {"hostile", "secret"} else text


def renewed(folder: Path, found: dict[str, Any], results: Sequence[Result]) -> tuple[dict[str, Any], Sequence[Result]]:
    """Replace the results of some kinds in a folder; the summary tells which, when and how."""
    old = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    kinds = [kind for kind in TITLES if kind in found]
    kept = [Result(**{"word": "", **case}) for case in old["cases"] if case["kind"] not in kinds]
    figures = {name: found[name] for name in (*kinds, "findings per fault") if name in found}
    command = " ".join(("python -m tests.proof", *(f"--kind {kind}" for kind in kinds)))
    again = {"kinds": kinds, "command": command, **{name: found[name] for name in ("date", "seed", "seconds")}}
    return {**old["summary"], **figures, "renewed": again}, [*results, *kept]


def source_of(found: dict[str, Any], title: str) -> dict[str, Any]:
    """The run that a figure comes from, by the figure's title: the last of its kind."""
    again: dict[str, Any] = found.get("renewed", {"kinds": []})
    titles = {TITLES[kind] for kind in again["kinds"]}
    titles |= {"findings per fault"} if "fault" in again["kinds"] else set()
    titles |= {"secrets found"} if "secret" in again["kinds"] else set()
    return again if title in titles else found


def write(folder: Path, found: dict[str, Any], results: Sequence[Result]) -> None:
    """Write ``proof.json`` with every case, and ``README.md`` with figures and exceptions."""
    folder.mkdir(parents=True, exist_ok=True)
    order = [*TITLES]
    ordered = sorted(results, key=lambda result: (order.index(result.kind), result.name))
    data = {"summary": found, "cases": [result.as_json() for result in ordered]}
    (folder / "proof.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_page(found, ordered), encoding="utf-8")


def _again(part: dict[str, Any] | None) -> list[str]:
    """Say what was run again after that."""
    if part is None:
        return []
    titles = " and ".join(TITLES[kind] for kind in part["kinds"])
    run = f"`{part['command']}` on {part['date']} (seed {part['seed']}, {part['seconds']} s)"
    return ["", f"After that, {titles} were run again by {run}: these figures are in the place of the first."]


def _page(found: dict[str, Any], results: Sequence[Result]) -> str:
    command, date = found["command"], found["date"]
    lines = [
        "# The proof",
        "",
        f"Written by `{command}` on {date} (seed {found['seed']}, {found['seconds']} s, Python {found['python']}).",
        *_again(found.get("renewed")),
        "",
        *(f"- {text}" for text in as_text(found).splitlines()[:-1]),
        "",
        "[proving.md](../proving.md) explains each word, and how to repeat one case. [proof.json](proof.json) has",
        "each case as data: which scenario convicts a fault of which requirement, and with which sentences.",
        "`python -m spec show ID` lists the faults of one requirement.",
    ]
    for kind, title in TITLES.items():
        mine = [result for result in results if result.kind == kind]
        if mine:
            lines += ["", f"## {title.capitalize()}", "", _SENTENCES[kind], ""]
            lines += _words(mine) if kind in _NAMED else _exceptions(mine)
    return "\n".join(lines) + "\n"


def _words(results: Sequence[Result]) -> list[str]:
    """Names in a row for what is as it should be; what is not stands alone."""
    good = ", ".join(f"`{result.name}`" for result in results if result.good)
    return [good, "", *_exceptions(results)] if good else _exceptions(results)


def _exceptions(results: Sequence[Result]) -> list[str]:
    """The numbers of each result, then exceptions, then accepted cases with their reasons."""
    counted = Counter(result.word for result in results)
    lines = ["; ".join(f"{count} {word}" for word, count in sorted(counted.items())) + "."]
    if short := [result for result in results if not result.good]:
        lines += ["", "| what | word |", "| --- | --- |", *(f"| `{_cell(r.name)}` | {r.word} |" for r in short)]
    reasons: dict[str, list[Result]] = {}
    for result in results:
        if result.reason:
            reasons.setdefault(result.reason, []).append(result)
    if reasons:
        lines += ["", "| accepted | how many | one of them |", "| --- | --- | --- |"]
        lines += [f"| {_cell(why)} | {len(of)} | `{_cell(of[0].name)}` |" for why, of in sorted(reasons.items())]
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")
