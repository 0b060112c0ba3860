"""A difference as text, as Markdown and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from spec.diff.changes import Asks, Change, Diff, Kind

_FORMAT = "1"
_WIDTH = 110
#: Kinds that say nothing of what a registry has to do.
_FOLDED = frozenset({Kind.SOURCES, Kind.NOTES, Kind.EXTENDED, Kind.FORGOTTEN})


def summary(diff: Diff) -> str:
    """Return one sentence: how many changes there are, and what they ask."""
    if not diff.changes:
        return "nothing differs"
    counted = ", ".join(f"{len(found)} {kind}" for kind in Kind if (found := diff.of(kind)))
    asked = [(asks, len(diff.asking(asks))) for asks in Asks if asks is not Asks.NOTHING]
    told = ", ".join(f"{number} {_asks(asks)}" for asks, number in asked if number)
    return f"{counted}; {told or 'none asks anything else of a registry'}"


def _asks(asks: Asks) -> str:
    return {Asks.MORE: "ask more of a registry", Asks.LESS: "ask less"}.get(asks, "ask something else")


def what(change: Change) -> str:
    """Return what a change was, in a few words."""
    if change.levels:
        moved = ", ".join(f"{profile} {old or '-'} -> {new or '-'}" for profile, old, new in change.levels)
        return f"{moved} ({change.new})" if change.kind is Kind.WITHDRAWN else moved
    if change.kind in {Kind.PRESUMES, Kind.NEEDS, Kind.OPERATIONS, Kind.SOURCES}:
        parts = (f"without {change.old}" if change.old else "", f"with {change.new}" if change.new else "")
        return ", ".join(part for part in parts if part)
    moved = f"{change.old or '-'} -> {change.new or '-'}" if change.old or change.new else ""
    if change.kind is Kind.NOTES:
        moved = change.new or change.old
    return ", ".join(part for part in (moved, change.why) if part)


def profiles(diff: Diff) -> Iterator[str]:
    """Give a line for each profile in which levels changed."""
    for profile in diff.profiles:
        told = [f"{change.subject} {old or '-'} -> {new or '-'}" for change, old, new in diff.in_profile(profile)]
        if told:
            yield f"{profile}: {'; '.join(told)}"


def text(diff: Diff) -> str:
    """Return a difference for a terminal."""
    lines = [f"{diff.names[0]}  ->  {diff.names[1]}", summary(diff), *profiles(diff)]
    for kind in Kind:
        if found := diff.of(kind):
            lines += ["", f"{kind} ({len(found)})"]
            for change in found:
                lines += _wrapped(f"{change.subject}: {what(change)}".removesuffix(": "), "  ")
                lines += [] if kind in _FOLDED else _wrapped(change.statement, "      ")
                if change.places and change.subject.startswith("schema ") and change.document:
                    lines += _wrapped(f"in {', '.join(change.places)}", "      ")
    return "\n".join(lines) + "\n"


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(
        words, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ", break_on_hyphens=False
    )


def as_markdown(diff: Diff) -> str:
    """Return a difference for a pull request; what asks nothing of a registry is folded."""
    return "\n".join(_markdown(diff)) + "\n"


def _markdown(diff: Diff) -> Iterator[str]:
    yield f"# From `{diff.names[0]}` to `{diff.names[1]}`"
    yield ""
    yield f"{summary(diff)[0].upper()}{summary(diff)[1:]}."
    if told := [*profiles(diff)]:
        yield ""
        yield from (f"- {line}" for line in told)
    for kind in Kind:
        found = diff.of(kind)
        if not found:
            continue
        heading = f"{kind} ({len(found)})"
        yield ""
        yield f"<details><summary>{heading}</summary>" if kind in _FOLDED else f"## {heading[0].upper()}{heading[1:]}"
        yield ""
        for change in found:
            yield f"- `{change.subject}`: {_escaped(what(change))}".removesuffix(": ")
            if change.statement and kind not in _FOLDED:
                yield f"  {_escaped(change.statement)}"
        if kind in _FOLDED:
            yield ""
            yield "</details>"


def _escaped(words: str) -> str:
    return words.translate({ord(sign): f"\\{sign}" for sign in "\\`*_<>[]|"})


def as_json(diff: Diff) -> str:
    """Return a difference as data."""
    return json.dumps(plain(diff), indent=1, ensure_ascii=True) + "\n"


def plain(diff: Diff) -> dict[str, Any]:
    """Return a difference as JSON values."""
    return {
        "format": _FORMAT,
        "old": diff.names[0],
        "new": diff.names[1],
        "counts": {kind.value: len(diff.of(kind)) for kind in Kind},
        "asks": {asks.value: len(diff.asking(asks)) for asks in Asks},
        "changes": [
            {
                "kind": change.kind.value,
                "asks": change.asks.value,
                "of": "document" if change.document else "catalogue",
                "subject": change.subject,
                "statement": change.statement,
                "levels": {profile: [old or None, new or None] for profile, old, new in change.levels},
                "old": change.old,
                "new": change.new,
                "places": list(change.places),
                "requirements": list(change.requirements),
                "why": change.why,
            }
            for change in diff.changes
        ],
    }
