"""Write the matrix: an index, a page for each registry and each requirement, and the page of each report."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports import html, view
from reports.matrix import history
from reports.matrix.table import ABSENT, OUTDATED, SILENT, Matrix
from spec.model import Verdict

#: A letter for each verdict, in the data of a cell.
_LETTERS = {
    Verdict.PASS: "P",
    Verdict.FAIL: "F",
    Verdict.WARNING: "W",
    Verdict.UNSUPPORTED: "U",
    Verdict.INCONCLUSIVE: "I",
    Verdict.NOT_TESTED: "N",
    Verdict.KNOWN_FAILURE: "K",
    Verdict.ERROR: "E",
    OUTDATED: "O",
    ABSENT: "A",
    SILENT: "-",
}
#: The verdicts in words, as the legend shows them.
_WORDS = {letter: view.label(str(verdict)).lower() or "not in the profile" for verdict, letter in _LETTERS.items()}
_WORDS |= {"O": "judged by an earlier wording or level", "A": "not in its catalogue"}
_STYLES = ("report.css", "matrix/matrix.css")


def files(matrix: Matrix, title: str, profile: str) -> Iterator[tuple[str, str]]:
    """Give the files of the site by their paths.

    Args:
        matrix: the reports side by side.
        title: what the site is called.
        profile: the profile that is shown at first.
    """
    script = html.asset("matrix/matrix.js")
    common: dict[str, Any] = {
        "matrix": matrix,
        "title": title,
        "chosen": matrix.profiles.index(profile) if profile in matrix.profiles else 0,
        "letters": _LETTERS,
        "words": _WORDS,
        "verdicts": [*Verdict],
        "orders": view.ORDER,
        "policy": Markup(  # noqa: S704  # made of constants
            f"default-src 'none'; style-src 'self' file:; script-src '{html.source_hash(script)}'; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        ),
        "script": Markup(script),  # noqa: S704  # our own file
    }
    yield "matrix.css", "\n".join(map(html.asset, _STYLES))
    yield "index.html", _render("index", common, root="")
    for number, column in enumerate(matrix.columns):
        steps = history.of(matrix, column, matrix.profiles[common["chosen"]])
        comparable = {row.entry["id"] for row in matrix.rows if row.cells[number] in row.found}
        findings = [item for item in view.findings(column.report) if item.requirement["id"] in comparable]
        members = {"column": column, "number": number, "history": steps, "findings": findings}
        yield f"registry/{column.slug}.html", _render("registry", common, root="../", **members)
        if not matrix.is_old(column):
            # The page of an earlier report would show findings by words that were corrected since.
            yield f"report/{column.slug}.html", html.render(column.report)
    for row in matrix.rows:
        yield f"requirement/{row.entry['id']}.html", _render("requirement", common, root="../", row=row)


def _render(name: str, common: dict[str, Any], **members: Any) -> str:
    return html.environment().get_template(f"matrix/{name}.html.j2").render(**common, **members)


def write(matrix: Matrix, folder: Path, title: str, profile: str) -> int:
    """Write the site into a folder in the place of an earlier one, whole or not at all; return the number of files.

    Raises:
        OSError: it cannot be written.
        FileExistsError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "matrix.css").is_file():
        raise FileExistsError(f"{folder} holds something that is no matrix")
    folder.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as aside:
        made = Path(aside) / "made"
        for name, text in files(matrix, title, profile):
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            number += 1
        if folder.exists():
            shutil.move(folder, Path(aside) / "old")
        shutil.move(made, folder)
    return number
