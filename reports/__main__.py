"""``python -m reports html|summary|junit REPORT.json`` makes a form of a report again; ``compare OLD NEW`` compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from reports import comparison, html, junit, summary
from reports.compare import compare
from reports.files import store
from reports.loading import ReportError, load
from reports.model import Report
from reports.text import visible

_REGRESSED = 1
_USAGE = 4
_FORMS: Mapping[str, tuple[str, Callable[[Report], str]]] = {
    "html": ("a self-contained HTML page", html.render),
    "summary": ("a Markdown summary", lambda report: summary.render(report) + "\n"),
    "junit": ("a JUnit file", junit.render),
}
_COMPARED = {"text": comparison.text, "markdown": comparison.as_markdown, "json": comparison.as_json}
_COMPARE = """Compare two reports requirement by requirement, by the verdicts of one profile. What changed in the
registry is told apart from what changed in the catalogue: reports of different versions of the suite can be compared.
The exit code is 1 where something that was not broken is broken now, or something that held is no longer offered."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {visible(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m reports", description="Read the report.json of a run, or compare two.")
    commands = parser.add_subparsers(dest="form", required=True, metavar="|".join((*_FORMS, "compare")))
    for form, (said, _) in _FORMS.items():
        command = commands.add_parser(form, help=said, description=f"Make {said} from a report.json.")
        command.add_argument("report", type=Path, metavar="REPORT.json", help="the record of a run")
        command.add_argument("-o", "--output", type=Path, metavar="FILE", help="standard output where it is left out")
    command = commands.add_parser("compare", help="what changed between two runs", description=_COMPARE)
    command.add_argument("old", type=Path, metavar="OLD.json", help="the record of the earlier run")
    command.add_argument("new", type=Path, metavar="NEW.json", help="the record of the later run")
    command.add_argument("--profile", default="", help="the profile to compare by; that of the later run by default")
    command.add_argument("--format", choices=list(_COMPARED), default="text", help="text by default")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="standard output where it is left out")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a comparison that found a regression, or 4 for bad input."""
    options = _parser().parse_args(arguments)
    code = 0
    try:
        if options.form == "compare":
            compared = compare(load(options.old), load(options.new), options.profile)
            text = _COMPARED[options.format](compared)
            code = _REGRESSED if compared.regressed else 0
        else:
            text = _FORMS[options.form][1](load(options.report))
    except ReportError as error:
        print(f"python -m reports: {error}", file=sys.stderr)
        return _USAGE
    return _give(text, options.output) or code


def _give(text: str, output: Path | None) -> int:
    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return 0
    try:
        store({output.name: text}, output.parent)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        print(f"python -m reports: --output {visible(str(output))} cannot be written: {cause}.", file=sys.stderr)
        return _USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
