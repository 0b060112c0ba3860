"""``submission``: the folder for the repository of OCI's conformance programme."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reports.commands.calling import Unusable
from reports.excerpts.submission import MEMBERS, files
from reports.files import store
from reports.loading import ReportError, load


def _write(path: Path, output: Path, **given: Any) -> None:
    report = load(path)
    try:
        texts, missing = files(report, {member: value for member, value in given.items() if value})
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from None
    try:
        for name, text in texts.items():
            place = output / name
            place.parent.mkdir(parents=True, exist_ok=True)
            store({place.name: text}, place.parent)
            click.echo(place)
    except OSError as error:
        raise Unusable(f"--output: {output} cannot be written: {error.strerror or type(error).__name__}.") from None
    click.echo("Missing:")
    for one in missing:
        click.echo(f"  - {one}")


_PATH = click.Path(path_type=Path)
submission = click.Command(
    "submission",
    callback=_write,
    params=[
        click.Argument(["path"], metavar="REPORT.json", type=_PATH),
        click.Option(["-o", "--output"], metavar="DIR", type=_PATH, default=Path(), help="here by default"),
        *(
            click.Option([f"--{member.replace('_', '-')}", member], metavar="TEXT", help=f"{member} of PRODUCT.yaml")
            for member in MEMBERS
        ),
    ],
    help="""Write the folder that the repository of OCI's conformance programme asks for, as far as a
    report can fill it.

    The conformance tests of distribution-spec still have to be run: the programme takes their results, and not ours.
    """,
)
