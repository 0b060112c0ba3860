"""``python -m reports html|summary REPORT.json -o FILE``: make the page or the summary again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from reports import html, summary
from reports.files import store
from reports.loading import ReportError, load
from reports.text import visible

_USAGE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {visible(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m reports", description="Make a page or a summary from a report.json.")
    commands = parser.add_subparsers(dest="form", required=True, metavar="html|summary")
    for form, said in (("html", "a self-contained HTML page"), ("summary", "a Markdown summary")):
        command = commands.add_parser(form, help=said, description=f"Make {said} from a report.json.")
        command.add_argument("report", type=Path, metavar="REPORT.json", help="the record of a run")
        command.add_argument("-o", "--output", type=Path, metavar="FILE", help="standard output where it is left out")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 4 for input that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        report = load(options.report)
    except ReportError as error:
        print(f"python -m reports: {error}", file=sys.stderr)
        return _USAGE
    text = html.render(report) if options.form == "html" else summary.render(report) + "\n"
    if options.output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return 0
    try:
        store({options.output.name: text}, options.output.parent)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        print(
            f"python -m reports: --output {visible(str(options.output))} cannot be written: {cause}.", file=sys.stderr
        )
        return _USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
