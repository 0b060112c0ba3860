"""The tables of docs/configuration.md: each key of the reference's configuration, and the test that shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reference.configuration.keys import CONFIGURATION
from reference.configuration.table import Idle, Key, Kind, Member, Only, Refused, Table, walk
from tests.support.obeys import marked
from tests.support.servers import ROOT

Leaf = Key | Idle | Only | Refused
_KEYS = ROOT / "tests" / "reference" / "configuration" / "test_keys.py"
#: The tests that take all keys of a kind.
_OF_KIND: dict[type[Member], str] = {
    Refused: "test_what_is_refused_says_why",
    Only: "test_what_may_only_ask_for_what_is_done",
    Idle: "test_what_changes_nothing_is_said",
}
_HEAD = "| key | value | what of it | shown by |\n| --- | --- | --- | --- |\n"


def shown() -> dict[str, list[str]]:
    """Give for each key that is obeyed the links to the tests that show it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, path, test in marked(ROOT / "tests" / "reference"):
        found[name].append(f"[{test}](../{path.relative_to(ROOT).as_posix()})")
    return found


def tables() -> str:
    """Make a table for each section, and one for the keys at the top."""
    tests = shown()
    rows = {name: _row(name, member, tests) for name, member in walk(CONFIGURATION) if not isinstance(member, Table)}
    made = ["### At the top\n\n" + _HEAD + "\n".join(row for name, row in rows.items() if "." not in name)]
    for section, member in CONFIGURATION.members.items():
        if isinstance(member, Table):
            lines = "\n".join(row for name, row in rows.items() if name.startswith(f"{section}."))
            made.append(f"### `{section}`\n\n{member.says}\n\n{_HEAD}{lines}")
    return "\n\n".join(made)


def figures() -> str:
    """Count the keys of each kind."""
    members = [member for _, member in walk(CONFIGURATION)]
    counts = {kind: sum(isinstance(member, kind) for member in members) for kind in (Key, Idle, Only, Refused)}
    return (
        f"{counts[Key]} keys are obeyed, {counts[Only]} may only ask for what is done anyway, {counts[Idle]} change\n"
        f"nothing, and {counts[Refused]} are refused, some of them with all that is below. "
        "A key that is in no table is refused\nas unknown. The name of a list ends with `[]`."
    )


def _row(name: str, member: Leaf, tests: dict[str, list[str]]) -> str:
    links = tests.get(name, [])
    if (of_kind := _OF_KIND.get(type(member))) is not None:
        links = [f"[{of_kind}](../{_KEYS.relative_to(ROOT).as_posix()})"]
    cells = (f"`{name}`", _value(member), _what(name, member), ", ".join(links))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(member: Leaf) -> str:
    if isinstance(member, Only):
        return f"`{member.value}`"
    if not isinstance(member, Key):
        return ""
    choices = ", ".join(f"`{choice}`" for choice in member.choices)
    long = len(member.choices) > 5
    kind = f"names of {len(member.choices)} suites" if long else choices or _kind(member)
    default = "true" if member.default is True else "false" if member.default is False else member.default
    return kind + (f"; default `{default}`" if default is not None else "; needed" if member.required else "")


def _kind(member: Key) -> str:
    if member.kind is Kind.NUMBER and (member.least or member.most is not None):
        return f"{member.kind.value}, {member.least} " + (f"to {member.most}" if member.most else "or more")
    return member.kind.value.partition(",")[0]


def _what(name: str, member: Leaf) -> str:
    if isinstance(member, Refused):
        return f"**refused**: {member.why}"
    if isinstance(member, Only):
        return f"**only this**: {member.why}"
    if isinstance(member, Idle):
        return "changes nothing" + (f": {member.why}" if member.why else "")
    never = "".join(f"; **not** `{value}`: {why}" for value, why in member.never.items())
    return f"{member.says}{never}" + (" (of the reference alone)" if name in set(_own()) else "")


def _own(table: Table = CONFIGURATION, path: str = "", inherited: bool = False) -> Iterator[str]:
    """Give the names of the keys that the original does not have."""
    for key, member in table.members.items():
        own = inherited or (isinstance(member, Key | Table) and member.own)
        if isinstance(member, Table):
            yield from _own(member, f"{path}{key}{'[]' * member.many}.", own)
        elif own:
            yield f"{path}{key}"
