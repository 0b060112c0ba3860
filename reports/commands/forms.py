"""``report``: a form of a report, made again from its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from reports import html, junit, summary
from reports.commands.calling import Unusable, give
from reports.excerpts import jobs, known_failures
from reports.files import write_allure
from reports.loading import load
from reports.model import Report

_MADE: dict[str, tuple[str, Callable[[Report], str]]] = {
    "html": ("a self-contained HTML page", html.render),
    "summary": ("a Markdown summary", lambda report: summary.render(report) + "\n"),
    "junit": ("a JUnit file", junit.render),
    "annotations": ("annotations of GitHub Actions", jobs.annotate),
    "outputs": ("outputs of a step of GitHub Actions", jobs.outputs),
    "known-failures": ("a list for --known-failures of what is broken", known_failures.render),
}


def _form(name: str, said: str, make: Callable[[Report], str]) -> click.Command:
    def write(path: Path, output: Path | None) -> None:
        give(make(load(path)), output)

    return click.Command(
        name,
        callback=write,
        params=[
            click.Argument(["path"], metavar="REPORT.json", type=click.Path(path_type=Path)),
            click.Option(
                ["-o", "--output"],
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="standard output where it is left out",
            ),
        ],
        help=f"Make {said} from the record of a run.",
        short_help=said,
    )


@click.command()
@click.argument("path", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def allure(path: Path, folder: Path) -> None:
    """Write the folder of Allure results from the record of a run."""
    try:
        write_allure({**load(path)}, folder)
    except OSError as error:
        raise Unusable(f"{folder} cannot be written: {error.strerror or type(error).__name__}.") from None


#: The forms, each a command.
FORMS: tuple[click.Command, ...] = (*(_form(name, *made) for name, made in _MADE.items()), allure)


@click.group()
def report() -> None:
    """Make a form of a report again from its report.json."""


for _command in FORMS:
    report.add_command(_command)
