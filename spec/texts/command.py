"""``python -m spec coverage``: its options and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from spec import catalogue
from spec.catalogue import Catalogue, resembling
from spec.marks import SpecError
from spec.texts.decisions import FOLDER, Coverage, candidates, cover, read
from spec.texts.sentences import sentences

_FOUND, _USAGE = 1, 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("document", type=Path, metavar="DOCUMENT", help="a Markdown file: a source at its version")
    add("--source", required=True, metavar="ID", help="its id in spec/sources.yaml")
    add("--decisions", type=Path, metavar="FILE", help="the decisions (default: spec/coverage/ID.yaml)")
    add("--plain", action="store_true", help="take must, should, may and will in lower case too, for a document "
        "without the words of RFC 2119")  # fmt: skip
    add("--stubs", action="store_true", help="print an entry for each undecided sentence, with the requirements that "
        "cite its section")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Print what is not covered; 0, 1 where something is undecided or gone, 4 where something cannot be read."""
    root: Path = options.root / "spec"
    known = catalogue.load(root)
    if options.source not in known.sources:
        close = ", ".join(resembling(options.source, known.sources) or known.sources)
        return _refuse(f"--source: there is no {options.source!r}; did you mean {close}?")
    try:
        text = options.document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _refuse(f"{options.document} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}")
    path = options.decisions or root / FOLDER / f"{options.source}.yaml"
    try:
        found = cover(sentences(text, options.plain), read(path, known))
    except SpecError as error:
        return _refuse(str(error))
    for line in _stubs(found, options.source, known) if options.stubs else _lines(found):
        print(line)
    return _FOUND if found.undecided or found.gone else 0


def _refuse(message: str) -> int:
    print(f"python -m spec coverage: {message}", file=sys.stderr)
    return _USAGE


def _lines(found: Coverage) -> Iterator[str]:
    for sentence in found.undecided:
        yield f"undecided  {sentence.hash}  line {sentence.line}, {sentence.section}"
        yield f"           {sentence.text}"
    for decision in found.gone:
        hung = f"; on it hang {', '.join(decision.ids)}" if decision.ids else ""
        yield f"gone       {decision.hash}  {decision.section}: changed or withdrawn{hung}"
    ids = {name for _, decision in found.covered for name in decision.ids}
    yield (
        f"{len(found.covered)} sentences covered by {len(ids)} requirements, {len(found.reasoned)} left out with a "
        f"reason, {len(found.undecided)} undecided, {len(found.gone)} gone"
    )


def _stubs(found: Coverage, source: str, known: Catalogue) -> Iterator[str]:
    for sentence in found.undecided:
        # A sentence of a source is never kept: its words of duty and its line say which it is.
        yield f"# line {sentence.line}: {', '.join(sentence.words)}"
        yield f"- section: {json.dumps(sentence.section)}"
        yield f'  hash: "{sentence.hash}"'
        yield f"  ids: [{', '.join(candidates(sentence, source, known))}]"
