"""The catalogue entry of a new requirement, in the form and at the place of its file."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from spec.catalogue import Catalogue
from spec.new.wanted import Wanted, related
from spec.ties import answered

_WIDTH = 118
_DECIDE = "TODO: say how a scenario decides it."
_CAUTION = "TODO: say how a careless test would accuse falsely, or remove this member."


def insert(text: str, wanted: Wanted, known: Catalogue) -> tuple[str, int]:
    """Give a catalogue file with the new entry, and the line (from 1) where it begins.

    The entry comes behind the last one whose id begins likewise, or else at the end.
    """
    lines = text.rstrip("\n").split("\n")
    among = known.category(wanted.category)
    near = related(wanted.id, among)
    same = [each for each in near if {*each.operations} & {*wanted.operations}] or near or among
    after = max((each.line for each in same), default=len(lines))
    # The entry ends where something else stands in the first column.
    end = next((n for n in range(after, len(lines)) if re.match(r"\S", lines[n])), len(lines))
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    made = [*lines[:end], "", *render(wanted), *lines[end:]]
    return "\n".join(made) + "\n", end + 2


def render(wanted: Wanted) -> list[str]:
    """Give the lines of the entry."""
    levels = ", ".join(f"{profile}: {level or 'null'}" for profile, level in wanted.levels.items())
    return [
        f"- id: {wanted.id}",
        *_text("statement", wanted.statement),
        f"  level: {{{levels}}}",
        "  sources:",
        *(f"    - {_flow({'document': each.document, 'section': each.section})}" for each in wanted.sources),
        f"  operations: {_list(wanted.operations)}",
        *_statuses(wanted),
        f"  needs: {_list(wanted.needs)}",
        f"  presumes: {_list(wanted.presumes)}",
        *_text("decide", _DECIDE),
        *_text("caution", _CAUTION),
        f"  implied: {'true' if wanted.implied else 'false'}",
    ]


def _statuses(wanted: Wanted) -> list[str]:
    """Give the statuses that the statement names, of the operation that is asked last."""
    told = [str(status) for status in answered(wanted.statement)]
    if not told:
        return []
    one = len(wanted.operations) == 1
    return [f"  statuses: {_list(told)}" if one else f"  statuses: {{{wanted.operations[-1]}: {_list(told)}}}"]


def _text(member: str, text: str) -> list[str]:
    dumped: str = yaml.safe_dump({member: text}, width=_WIDTH, allow_unicode=True)
    return [f"  {line}" for line in dumped.rstrip("\n").split("\n")]


def _flow(value: dict[str, str]) -> str:
    dumped: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return dumped.strip()


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"
