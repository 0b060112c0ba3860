"""An impact as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.impact.effects import Effect, Outlook
from conformance.impact.impact import Impact
from conformance.impact.lines import command, lines, told
from reports.text import markdown, visible
from spec.diff.forms import plain, summary

_FORMAT = "1"
#: Effects that break somebody, or of which nobody knows.
_OPEN = frozenset({Effect.FAILS, Effect.WARNS, Effect.UNKNOWN})


def _merged(found: list[Outlook]) -> Iterator[tuple[Outlook, list[str]]]:
    """Give each effect once, with all the profiles that have it alike."""
    alike: dict[tuple[str, ...], tuple[Outlook, list[str]]] = {}
    for outlook in found:
        key = (outlook.requirement, outlook.registry, outlook.way, outlook.before, outlook.after)
        alike.setdefault(key, (outlook, []))[1].append(outlook.profile)
    yield from alike.values()


def _head(impact: Impact) -> Iterator[str]:
    yield f"{impact.diff.names[0]}  ->  {impact.diff.names[1]}: {summary(impact.diff)}"
    recorded = sum(impact.replayed.values())
    again = f"; {recorded} recorded exchanges of {len(impact.replayed)} checked again" if recorded else ""
    yield f"{len(impact.runs)} published runs{again}"


def text(impact: Impact) -> str:
    """Return an impact for a terminal."""
    made = [*_head(impact), *(f"note: {note}" for note in impact.notes), ""]
    made += [*lines(impact)] or ["nothing changes for any of them"]
    for effect in Effect:
        if found := impact.of(effect):
            made += ["", f"{effect} ({len({(o.requirement, o.registry) for o in found})})"]
            for outlook, profiles in _merged(found):
                made.append(f"  {told(outlook)} in {', '.join(profiles)}")
                made += [f"      {outlook.why}"] if outlook.why else []
    for registry in impact.unknown:
        made += ["", f"to know of {registry}:", f"  {command(impact, registry)}"]
    return "\n".join(map(visible, made)) + "\n"


def as_markdown(impact: Impact) -> str:
    """Return an impact for a pull request; what breaks nobody is folded."""
    return "\n".join(_markdown(impact)) + "\n"


def _markdown(impact: Impact) -> Iterator[str]:
    yield "# Whom this change breaks"
    yield ""
    for line in _head(impact):
        yield f"{markdown(line)}  "
    for note in impact.notes:
        yield f"- Note: {markdown(note)}"
    yield ""
    yield from (f"- {markdown(line)}" for line in [*lines(impact)] or ["Nothing changes for any of them."])
    for effect in Effect:
        found = impact.of(effect)
        if not found:
            continue
        heading = f"{effect} ({len({(o.requirement, o.registry) for o in found})})"
        yield ""
        yield f"## {heading[0].upper()}{heading[1:]}" if effect in _OPEN else (f"<details><summary>{heading}</summary>")
        yield ""
        for outlook, profiles in _merged(found):
            yield f"- {markdown(told(outlook))} in {markdown(', '.join(profiles))}"
            if outlook.why:
                yield f"  {markdown(outlook.why)}"
        if effect not in _OPEN:
            yield ""
            yield "</details>"
    for registry in impact.unknown:
        yield ""
        yield f"To know of {markdown(registry)}:"
        yield ""
        yield f"    {command(impact, registry)}"


def as_json(impact: Impact) -> str:
    """Return an impact as data; ``diff`` has the difference itself."""
    document = {
        "format": _FORMAT,
        "diff": plain(impact.diff),
        "runs": [
            {
                "name": run.name,
                "suite": run.report["suite"]["commit"],
                "started": run.report["run"]["started"],
                "replayed": impact.replayed.get(run.name, 0),
            }
            for run in impact.runs
        ],
        "notes": list(impact.notes),
        "lines": [*lines(impact)],
        "outlooks": [
            {
                "requirement": outlook.requirement,
                "registry": outlook.registry,
                "profile": outlook.profile,
                "effect": outlook.effect.value,
                "way": outlook.way.value,
                "before": outlook.before,
                "after": outlook.after,
                "why": outlook.why,
            }
            for outlook in impact.outlooks
        ],
        "commands": {registry: command(impact, registry) for registry in impact.unknown},
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"
