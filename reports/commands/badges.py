"""``badge``: the badges of a report."""

from __future__ import annotations

from pathlib import Path

import click

from reports.commands.calling import Unusable, give
from reports.excerpts.badge import as_json, as_svg, badge
from reports.files import store
from reports.loading import ReportError, load

_FORMS = {"svg": as_svg, "json": as_json}


@click.command("badge")
@click.argument("path", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.option("--profile", default="", help="that of the run by default")
@click.option("--format", "form", type=click.Choice([*_FORMS]), default="svg", help="svg by default")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="standard output by default")
@click.option("--all", "folder", metavar="DIR", type=click.Path(path_type=Path), help="both forms of each profile")
def badges(path: Path, profile: str, form: str, output: Path | None, folder: Path | None) -> None:
    """Make the badge of a profile: a picture, or the JSON of an endpoint of shields.io.

    It is green only where the profile passed and nothing was withheld; blue where it passed in a scope, which it says.
    """
    report = load(path)
    if folder is None:
        try:
            made = badge(report, profile)
        except ReportError as error:
            raise Unusable(f"--profile: {path}: {error}") from None
        give(_FORMS[form](made), output)
        return
    if profile or output:
        raise click.UsageError("--all: writes each profile to its own file; --profile and --output do not go with it")
    texts = {f"{name}.{end}": make(badge(report, name)) for name in report["profiles"] for end, make in _FORMS.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store(texts, folder)
    except OSError as error:
        raise Unusable(f"--all: {folder} cannot be written: {error.strerror or type(error).__name__}.") from None
