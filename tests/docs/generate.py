"""Write the generated parts of README.md, CONTRIBUTING.md and docs/configuration.md: ``python -m tests.docs.generate``.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; what is quoted has a second
word, ``<!-- generated: scenario ID -->``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache

from conformance.run.option_table import OPTIONS, Option
from reference import faults, variants
from spec import check
from tests.docs import keys, quotes
from tests.proof import page
from tests.support.servers import ROOT

README = ROOT / "README.md"
#: The documents with generated parts.
DOCUMENTS = (
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "configuration.md",
    ROOT / "docs" / "how-to" / "test-a-client-in-python.md",
)
MEASUREMENTS = ROOT / "docs" / "measurements.md"
PROOF = ROOT / "docs" / "proof" / "proof.json"
_PART = re.compile(r"(<!-- generated: ([a-z]+)(?: (\S+))? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
#: The heading in docs/measurements.md under which the table of a whole run stands.
_MEASURED = "## A run in figures"


def render(text: str) -> str:
    """Return a document with its generated parts made anew."""

    def made(match: re.Match[str]) -> str:
        part = QUOTES[match[2]](match[3]) if match[3] else PARTS[match[2]]()
        return f"{match[1]}{part}\n{match[5]}"

    return _PART.sub(made, text)


def options() -> str:
    """Make the table of the suite's options."""
    return _table(("option", "what it does", "default"), map(_option, OPTIONS))


def _option(option: Option) -> tuple[str, str, str]:
    value = "" if option.kind == "flag" else f" {option.metavar}"
    what = option.help + (f": {', '.join(option.choices)}" if option.choices else "")
    return f"`{option.flag}{value}`", what, f"`{option.default}`" if option.default else ""


def counts() -> str:
    """Make the table of requirements for each category and profile."""
    rows = _counts()
    columns = [name for name in rows["all"] if name not in {"untestable", "planned"}]
    names = {"all": "requirements", "decided": "decided by the suite"}
    lines = ([name, *(str(numbers[column]) for column in columns)] for name, numbers in rows.items())
    return _table(("category", *(names.get(column, f"`{column}`") for column in columns)), lines)


@cache
def _counts() -> dict[str, dict[str, int]]:
    return dict(check.check(ROOT).counts())


def figures() -> str:
    """Make the table of the proof's figures, with the measurements of a run."""
    total = _counts()["all"]
    rows = [
        ("requirements in the catalogue", str(total["all"])),
        ("of these decided by the suite", str(total["decided"])),
        ("faults of the reference, each to be convicted", str(len(faults.listing()))),
        ("variants of the reference, each to be acquitted", str(len(variants.listing()))),
    ]
    return _table(("", ""), [*rows, *_proved(), *_measured()])


def _proved() -> Iterable[tuple[str, str]]:
    """Take the figures of the last proof, with its command and its date."""
    if PROOF.is_file():
        found = json.loads(PROOF.read_text(encoding="utf-8"))["summary"]
        for line in page.as_text(found).splitlines()[:-1]:
            what, _, figure = line.partition(": ")
            source = page.source_of(found, what)
            yield f"{what} (`{source['command']}`, {source['date']})", figure


def _measured() -> Iterable[tuple[str, str]]:
    """Take the rows of the table of a whole run from docs/measurements.md."""
    section = MEASUREMENTS.read_text(encoding="utf-8").partition(_MEASURED + "\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and any(cells) and not set(cells[0]) <= set("-: "):
            yield cells[0], cells[1]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


PARTS: dict[str, Callable[[], str]] = {
    "options": options,
    "counts": counts,
    "figures": figures,
    "keys": keys.tables,
    "keyfigures": keys.figures,
}
QUOTES: dict[str, Callable[[str], str]] = {
    "requirement": quotes.requirement,
    "scenario": quotes.scenario,
    "fault": quotes.fault,
    "example": quotes.example,
}


def main() -> None:
    """Write the documents."""
    for document in DOCUMENTS:
        document.write_text(render(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
