"""``python -m reports html|summary|junit REPORT.json`` makes a form of a report again; ``compare OLD NEW`` compares."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reports.commands import COMMANDS, FORMS, invoke

_NAME = "python -m reports"


@click.group(help="Read the report.json of a run, or compare two.")
def group() -> None:
    """Take the commands that ``registry-conformance`` has for reports, its forms without the word report."""


for _command in (*FORMS, *(each for each in COMMANDS if each.name != "report")):
    group.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a comparison that found a regression, or 4 for bad input."""
    return invoke(group, _NAME, arguments)


if __name__ == "__main__":
    sys.exit(main())
