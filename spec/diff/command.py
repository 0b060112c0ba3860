"""``python -m spec diff OLD NEW``: its options and its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from spec.diff import forms
from spec.diff.changes import Asks, Diff
from spec.diff.compare import compare, read
from spec.diff.trees import TreeError, tree

_FOUND, _USAGE = 1, 4
_FORMS = {"text": forms.text, "markdown": forms.as_markdown, "json": forms.as_json}
#: What each word of --fail-on stops at.
FAIL_ON: Mapping[str, tuple[Asks, ...]] = {
    "raised": (Asks.MORE,),
    "meaning": (Asks.MORE, Asks.OTHERWISE, Asks.LESS),
    "any": (*Asks,),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_trees(parser)
    parser.add_argument("--format", choices=list(_FORMS), default="text", help="text by default")
    parser.add_argument(
        "--fail-on",
        choices=list(FAIL_ON),
        default=None,
        help="exit with 1 where something asks more of a registry (raised), asks anything else (meaning), or differs "
        "at all (any)",
    )


def add_trees(parser: argparse.ArgumentParser) -> None:
    """Add the two specifications that are compared."""
    parser.add_argument("old", metavar="OLD", help="a revision of git, or a folder that holds spec/")
    parser.add_argument("new", metavar="NEW", nargs="?", default="", help="the same; the folder of --root by default")


def run(options: argparse.Namespace) -> int:
    """Print the difference; 0, 1 where --fail-on says so, 4 where one of both cannot be read."""
    try:
        with (
            tree(options.old, options.root, ("spec",)) as old,
            tree(options.new or str(options.root), options.root, ("spec",)) as new,
        ):
            found = compare(read(old), read(new))
    except TreeError as error:
        print(f"python -m spec diff: {error}", file=sys.stderr)
        return _USAGE
    sys.stdout.write(_FORMS[options.format](found))
    return _FOUND if options.fail_on and fails(found, options.fail_on) else 0


def fails(diff: Diff, word: str) -> bool:
    """Whether a difference has what a word of ``--fail-on`` stops at."""
    return bool(diff.asking(*FAIL_ON[word]))
