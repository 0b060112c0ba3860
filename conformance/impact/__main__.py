"""``python -m conformance.impact OLD NEW``, which ``python -m spec impact`` starts: the command line of the impact."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from conformance.impact import forms
from conformance.impact.effects import Effect
from conformance.impact.impact import Impact, impact
from conformance.impact.runs import RunError, published
from conformance.impact.scenarios import PARTS
from conformance.recording import RecordingError
from spec.catalogue import ROOT
from spec.diff import TreeError, tree
from spec.diff.command import add_trees
from spec.marks import SpecError

_FOUND, _USAGE = 1, 4
_FORMS = {"text": forms.text, "markdown": forms.as_markdown, "json": forms.as_json}
_FAIL_ON = {"fails": frozenset({Effect.FAILS}), "unknown": frozenset({Effect.FAILS, Effect.UNKNOWN})}
_DESCRIPTION = """Say what a change of the specification does to registries whose runs are published: what would be
newly FAIL or WARNING, repaired, or no longer decided. It is weighed (the outcome of the run with another level),
replayed (the changed document over the recorded exchanges), or unknown (the registry has to be run again)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(_USAGE)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m spec impact", description=_DESCRIPTION)
    add_trees(parser)
    parser.add_argument("--root", type=Path, default=ROOT.parent, metavar="DIR", help="the folder that holds spec/ "
        "(default: that of this package)")  # fmt: skip
    parser.add_argument("--runs", type=Path, action="append", metavar="PATH", help="a folder of reports, or one; "
        "FILE.har.gz beside FILE.json is its recording (repeatable; default: reports/published)")  # fmt: skip
    parser.add_argument("--profile", default="", metavar="NAME", help="only this profile")
    parser.add_argument("--format", choices=list(_FORMS), default="text", help="text by default")
    parser.add_argument("--fail-on", choices=list(_FAIL_ON), help="exit with 1 where a registry newly fails (fails), "
        "or where that or nothing is known of one (unknown)")  # fmt: skip
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the impact; 0, 1 where --fail-on says so, 4 where something cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        found = _impact(options)
    except (TreeError, RunError, RecordingError, SpecError) as error:
        print(f"python -m spec impact: {error}", file=sys.stderr)
        return _USAGE
    sys.stdout.write(_FORMS[options.format](found))
    return _FOUND if options.fail_on and any(map(found.of, _FAIL_ON[options.fail_on])) else 0


def _impact(options: argparse.Namespace) -> Impact:
    root, name = options.root, options.new or str(options.root)
    with tree(options.old, root, PARTS) as old, tree(name, root, PARTS) as new:
        folders = options.runs or [root / "reports" / "published"]
        return impact(old, new, published(folders), options.profile)


if __name__ == "__main__":
    raise SystemExit(main())
