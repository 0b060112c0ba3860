"""``compare``: what changed between two runs."""

from __future__ import annotations

from pathlib import Path

import click

from reports import comparison
from reports.commands.calling import give
from reports.compare import compare as compared_by
from reports.loading import load

_REGRESSED = 1
_FORMS = {"text": comparison.text, "markdown": comparison.as_markdown, "json": comparison.as_json}


@click.command()
@click.argument("old", metavar="OLD.json", type=click.Path(path_type=Path))
@click.argument("new", metavar="NEW.json", type=click.Path(path_type=Path))
@click.option("--profile", default="", help="the profile to compare by; that of the later run by default")
@click.option("--format", "form", type=click.Choice([*_FORMS]), default="text", help="text by default")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="standard output by default")
def compare(old: Path, new: Path, profile: str, form: str, output: Path | None) -> int:
    """Compare two reports requirement by requirement, by the verdicts of one profile.

    What changed in the registry is told apart from what changed in the catalogue: reports of different versions of the
    suite can be compared. The exit code is 1 where something that was not broken is broken now, or something that held
    is no longer offered.
    """
    found = compared_by(load(old), load(new), profile)
    give(_FORMS[form](found), output)
    return _REGRESSED if found.regressed else 0
