"""A comparison as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reports import view
from reports.compare import Change, Comparison, Kind
from reports.text import markdown, markdown_code, visible

_FORMAT = "1"


def _counted(compared: Comparison) -> str:
    """Return one sentence: how many requirements differ, and in what way."""
    told = [f"{len(found)} {kind}" for kind in Kind if (found := compared.of(kind))]
    return ", ".join(told) if told else "nothing differs"


def _verdicts(compared: Comparison) -> str:
    before, after = map(view.label, compared.verdicts)
    return before if before == after else f"{before}, now {after}"


def _was(change: Change) -> str:
    """Return what a change was before, in levels where the catalogue changed and in verdicts where the registry did."""
    before, after = change.levels if change.kind is Kind.LEVEL else map(view.label, change.verdicts)
    told = f"{before or 'not in the profile'}, now {after or 'not in the profile'}"
    if change.kind in {Kind.ADDED, Kind.DROPPED}:
        told = after or before
    return f"{told} (its statement is worded otherwise)" if change.reworded else told


def text(compared: Comparison) -> str:
    """Return a comparison for a terminal."""
    old, new = compared.products
    lines = [
        f"{old} ({compared.suites[0]})  ->  {new} ({compared.suites[1]})",
        f"{compared.profile}: {_verdicts(compared)}; {_counted(compared)}",
        *(f"note: {note}" for note in compared.notes),
    ]
    for kind in Kind:
        if found := compared.of(kind):
            lines += ["", f"{kind} ({len(found)})"]
            for change in found:
                lines.append(f"  {change.id}: {_was(change)}")
                lines.append(f"      {change.statement}")
                if change.reason and not kind.of_the_catalogue and kind is not Kind.REPAIRED:
                    lines.append(f"      {change.reason}")
    return "\n".join(visible(line) for line in lines) + "\n"


def as_markdown(compared: Comparison) -> str:
    """Return a comparison for a pull request; what says something of the catalogue alone is folded."""
    return "\n".join(_markdown(compared)) + "\n"


def _markdown(compared: Comparison) -> Iterator[str]:
    old, new = map(markdown, compared.products)
    sign = "❌" if compared.regressed else "✅"
    yield f"# {sign} {old} and {new} by {markdown_code(compared.profile)}"
    yield ""
    yield f"{_verdicts(compared)}; {_counted(compared)}."
    yield ""
    yield f"Judged by the suite {markdown_code(compared.suites[0])} and {markdown_code(compared.suites[1])}."
    for note in compared.notes:
        yield f"- Note: {markdown(note)}"
    for kind in Kind:
        found = compared.of(kind)
        if not found:
            continue
        yield ""
        yield (
            f"<details><summary>{kind}: {len(found)}</summary>"
            if kind.of_the_catalogue
            else f"## {kind} ({len(found)})"
        )
        yield ""
        for change in found:
            yield f"- {markdown_code(change.id)}, {markdown(_was(change))}: {markdown(change.statement)}"
            if change.reason and not kind.of_the_catalogue and kind is not Kind.REPAIRED:
                yield f"  {markdown(change.reason)}"
        if kind.of_the_catalogue:
            yield ""
            yield "</details>"


def as_json(compared: Comparison) -> str:
    """Return a comparison as data: ``changes`` has for each kind the requirements, ``of`` tells whose change it is."""
    document = {
        "format": _FORMAT,
        "profile": compared.profile,
        "regressed": compared.regressed,
        "old": {"product": compared.products[0], "suite": compared.suites[0], "verdict": compared.verdicts[0]},
        "new": {"product": compared.products[1], "suite": compared.suites[1], "verdict": compared.verdicts[1]},
        "notes": compared.notes,
        "counts": {kind.value: len(compared.of(kind)) for kind in Kind},
        "changes": [
            {
                "kind": change.kind.value,
                "of": "catalogue" if change.kind.of_the_catalogue else "registry",
                "requirement": change.id,
                "category": change.category,
                "statement": change.statement,
                "levels": list(change.levels),
                "verdicts": list(change.verdicts),
                "reason": change.reason,
                "reworded": change.reworded,
            }
            for kind in Kind
            for change in compared.of(kind)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"
