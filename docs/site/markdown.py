"""Markdown of the generated pages: texts are escaped, and names become links."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from spec.trace import ID

_NAMES = re.compile(rf"`[^`]+`|{ID.pattern}(?![A-Z0-9*-])")
_LONG = 24
_SPECIAL = re.compile(r"([\\*_\[\]<>#$|~{}])")


def escape(text: str) -> str:
    """Give a text in which no character means anything to Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Give a text as code that may break anywhere if it is long; nothing for the empty text."""
    return f"`{text}`{'{.long}' if len(text) > _LONG else ''}" if text else ""


def prose(text: str, known: Container[str]) -> str:
    """Give a sentence with its `code`, and with links to the requirements that it names."""
    parts, end = [], 0
    for match in _NAMES.finditer(text):
        found = match[0]
        parts.append(escape(text[end : match.start()]))
        parts.append(found if found[0] == "`" else role("req", found) if found in known else escape(found))
        end = match.end()
    return " ".join(("".join(parts) + escape(text[end:])).split())


def role(kind: str, name: str) -> str:
    """Give a link to what has an entry of its own."""
    return f"{{{kind}}}`{name}`"


def roles(kind: str, names: Iterable[str]) -> str:
    """Give several such links."""
    return ", ".join(role(kind, name) for name in names)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Give a table; the empty text where it has no row. Cells are Markdown."""
    body = [list(row) for row in rows]
    if not body:
        return ""
    lines = [list(head), *body]
    lines.insert(1, ["---"] * len(lines[0]))
    # A bar within code would end the cell as well, unless it is escaped.
    shown = ([re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in shown) + "\n"


def entry(kind: str, name: str, body: str) -> str:
    """Give something an entry of its own, which roles link to and search finds."""
    return f"::::{{{kind}-entry}} {name}\n\n{body.strip()}\n::::\n"


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """Give a list of fields, without those that are empty."""
    return "\n".join(f":{name}: {text}" for name, text in pairs if text) + "\n"


def dropdown(title: str, body: str) -> str:
    """Give a part that is folded away."""
    return f":::{{dropdown}} {title}\n{body.strip()}\n:::\n"


def plural(number: int, one: str, many: str = "") -> str:
    """Give a number with its word."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def contents(names: Iterable[str], depth: int = 1) -> str:
    """Give the list of the pages below a page: a name, or ``title <name>``."""
    return "\n".join(["```{toctree}", f":maxdepth: {depth}", "", *names, "```", ""])
