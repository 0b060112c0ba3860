"""What the proof found, as text, as data and as a page."""

from __future__ import annotations

import datetime
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference.faults import ALL as FAULTS
from reference.variants import ALL as VARIANTS
from tests.proof.runner import Result

_TITLES = {
    "fault": "faults caught",
    "variant": "variants acquitted",
    "together": "rows of variants together acquitted",
    "beside": "faults caught among five variants",
}


def summary(results: Sequence[Result], seed: str, seconds: float) -> dict[str, Any]:
    """The figures of a run, by kind of case."""
    found: dict[str, Any] = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "command": "make prove",
        "seed": seed,
        "seconds": round(seconds),
    }
    for kind in _TITLES:
        mine = [result for result in results if result.case.kind == kind]
        if mine:
            found[kind] = {"good": sum(result.good for result in mine), "all": len(mine)}
    findings = [result.findings for result in results if result.case.kind == "fault"]
    if findings:
        found["findings per fault"] = {"median": statistics.median(findings), "most": max(findings)}
    return found


def as_text(found: dict[str, Any]) -> str:
    """The figures, a line each."""
    lines = [f"{title}: {found[kind]['good']}/{found[kind]['all']}" for kind, title in _TITLES.items() if kind in found]
    if "findings per fault" in found:
        per = found["findings per fault"]
        lines.append(f"findings per fault: median {per['median']:g}, most {per['most']}")
    lines.append(f"seed {found['seed']}, {found['seconds']} s")
    return "\n".join(lines)


def write(folder: Path, found: dict[str, Any], results: Sequence[Result]) -> None:
    """Write ``proof.json`` and a page ``README.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(results, key=lambda result: (result.case.kind, result.case.name))
    data = {"summary": found, "cases": [_stable(result) for result in ordered]}
    (folder / "proof.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_page(found, ordered), encoding="utf-8")


def _stable(result: Result) -> dict[str, Any]:
    """A result without what changes from run to run, so that two proofs can be compared."""
    return {name: value for name, value in result.as_json().items() if name not in {"seconds", "scope"} and value}


def _page(found: dict[str, Any], results: Sequence[Result]) -> str:
    lines = [
        "# The proof",
        "",
        f"Written by `{found['command']}` on {found['date']} (seed {found['seed']}, {found['seconds']} s).",
        "",
        *(f"- {line}" for line in as_text(found).splitlines()[:-1]),
        "",
        "A fault is *caught* where a requirement that it names is broken and no other is, but for those that it lists;",
        "a variant is *acquitted* where no profile that allows it has a FAIL. Data: [proof.json](proof.json).",
        "",
        "## Faults",
        "",
        "| fault | what it does | convicted of | findings |",
        "| --- | --- | --- | --- |",
    ]
    for result in results:
        if result.case.kind == "fault":
            title = FAULTS[result.case.name].title.replace("|", "\\|")
            of = ", ".join(f"`{name}`" for name in result.broken) or result.word
            lines.append(f"| `{result.case.name}` | {title} | {of} | {result.findings} |")
    lines += ["", "## Variants", "", "| variant | what it does | verdict |", "| --- | --- | --- |"]
    for result in results:
        if result.case.kind == "variant":
            title = VARIANTS[result.case.name].title.replace("|", "\\|")
            lines.append(f"| `{result.case.name}` | {title} | {result.word} |")
    return "\n".join(lines) + "\n"
