"""``matrix``: a static site of many reports."""

from __future__ import annotations

from pathlib import Path

import click

from reports.commands.calling import Unusable
from reports.loading import ReportError
from reports.matrix.columns import read
from reports.matrix.site import write
from reports.matrix.table import build


@click.command()
@click.argument("paths", metavar="REPORT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="DIR", default="matrix", type=click.Path(path_type=Path), help="matrix by default"
)
@click.option("--title", default="Registries and the specification", help="what the site is called")
@click.option("--profile", default="", help="the profile that is shown at first; that of the newest run by default")
def matrix(*, paths: tuple[Path, ...], output: Path, title: str, profile: str) -> None:
    """Make a static site of reports: registries against profiles, categories and requirements.

    REPORT is a report.json, or a folder with reports in its folders; the name of a report's folder is its name in
    links. A file how.txt beside a report says how it was run.
    """
    columns = read(paths)
    made = build(columns)
    if profile and profile not in made.profiles:
        raise ReportError(f"--profile: there is no {profile}; the reports have {', '.join(made.profiles)}.")
    try:
        number = write(made, output, title, profile or made.newest.report["run"]["profile"])
    except OSError as error:
        raise Unusable(f"--output: {error.strerror or error}: {output}.") from None
    click.echo(f"{output / 'index.html'}  ({len(columns)} reports, {len(made.rows)} requirements, {number} files)")
