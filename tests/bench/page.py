"""The tables of a measurement, for the terminal and for docs/measurements.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.support.servers import ROOT

DOCUMENT = ROOT / "docs" / "measurements.md"
_PART = re.compile(r"(<!-- measured: bench -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_HEAD = (
    "target",
    "effort",
    "round trip",
    "seconds",
    "ratio",
    "processor s",
    "ratio",
    "MiB",
    "ratio",
    "requests",
    "base",
)


def tables(result: Mapping[str, Any]) -> str:
    """Return a measurement as Markdown: a row for each setting, then the requests by operation."""
    rows = [_row(entry) for entry in result["settings"]]
    parts = [
        f"{result['date']}, {result['machine']}, load average {result['load_average']} at the start. Commit "
        f"`{result['commit']}`; the base is `{result['baseline']['commit']}` with "
        f"`{' '.join(result['baseline']['options'])}`. Ratios are to the base: *turns* was measured in turns with it, "
        "*file* is from `tests/bench/baseline.json`, with the day of that.",
        _table(_HEAD, rows),
    ]
    counted = {f"{e['target']}, {e['effort']}": e["operations"] for e in result["settings"] if e.get("operations")}
    if counted:
        names = sorted({name for found in counted.values() for name in found})
        head = ("requests by operation", *counted)
        lines = ((f"`{name}`", *(str(found.get(name, 0)) for found in counted.values())) for name in names)
        parts.append(_table(head, [*lines, ("all", *(str(sum(found.values())) for found in counted.values()))]))
    return "\n\n".join(parts)


def put(text: str, part: str) -> str:
    """Return a document with the part between its marks made anew.

    Raises:
        ValueError: it has no marks.
    """
    if not _PART.search(text):
        raise ValueError("there are no marks for a measurement")
    return _PART.sub(lambda found: f"{found[1]}\n{part}\n\n{found[3]}", text)


def _row(entry: Mapping[str, Any]) -> Sequence[str]:
    now, ratios = entry["now"], entry.get("ratios") or {}
    near = f"{entry['distance']:g} ms" if entry["distance"] else "near"
    cells = [entry["target"], entry["effort"], near]
    for name, form in (("seconds", ".1f"), ("processor", ".1f"), ("memory", ".0f")):
        cells += [format(now[name], form), f"{ratios[name]:.2f}" if name in ratios else "-"]
    return (*cells, str(now["exchanges"]), entry.get("base", "-"))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [[*line] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
