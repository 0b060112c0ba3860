"""The reference pages: written into docs/reference/ before each build, and never committed."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from docs.site import modifications, operations, requirements, settings, swagger
from docs.site.facts import Facts
from docs.site.markdown import contents

FOLDER = "reference"
_NAMES = ("options", "verdicts", "requirements", "operations", "openapi", "schemas", "profiles", "faults", "variants")
_INDEX = f"""# Reference

`make docs` writes these pages from `spec/`, from the options of the suite, and from the faults and variants of the
reference registry.

{contents(_NAMES)}"""


def write(app: Sphinx) -> None:
    """Write the pages that changed, and remove those that are none any more."""
    folder = Path(app.srcdir) / FOLDER
    wanted = made(Facts(Path(app.srcdir).parent))
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).with_suffix("").as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


def made(facts: Facts) -> dict[str, str]:
    """Give the text of each page by its name, which has no suffix."""
    found = {"index": _INDEX, "openapi": swagger.PAGE}
    for module in (settings, requirements, operations, modifications):
        found |= dict(module.pages(facts))
    return found
