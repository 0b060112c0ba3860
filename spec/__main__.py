"""``python -m spec``: check the specification, look at it, compare two of it, or begin a requirement."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from spec import catalogue, conditions, diff, implemented, listing, new, texts, trace, watch
from spec.catalogue import Catalogue, UnknownIdError
from spec.marks import SpecError
from spec.model import Requirement

_WIDTH = 110
_USAGE = 4


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the arguments, and exits with 4 as the suite does."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; 0, 1 if the check found problems, 4 for a wrong argument."""
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    if words[:1] == ["impact"]:
        return _impact(words[1:])
    options = _parser().parse_args(words)
    try:
        return int(options.run(options))
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m spec",
        description="The specification of the registry API: check it, look a requirement up, say what a change of it "
        "means, or begin a new requirement.",
        epilog="Exit codes: 0 all is well, 1 problems were found, 4 wrong argument.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    check = commands.add_parser(
        "check",
        help="list every inconsistency as file:line: message, then count the requirements",
        description="Check the OpenAPI document, the JSON Schemas and the catalogue, and what the suite and the "
        "reference say of requirements. Each problem is one line, file:line: message.",
    )
    show = commands.add_parser(
        "show",
        help="show a requirement with its sources, scenarios and faults",
        description="Show one requirement: statement, levels, sources, where it is decided, and which faults of the "
        "reference break it.",
    )
    show.add_argument("id", metavar="ID", help="the id of a requirement, such as PULL-BLOB-GET-200")
    stubs = commands.add_parser(
        "new",
        help="write the stubs of a requirement: catalogue entry, scenario and fault",
        description="Write the stubs of a new requirement: its catalogue entry, a scenario and a fault, all or none. "
        "A stub never passes: `python -m spec check` lists what is still to be written.",
    )
    new.add_arguments(stubs)
    difference = commands.add_parser(
        "diff",
        help="say what changed in meaning between two specifications",
        description="Compare two specifications requirement by requirement and profile by profile, and the statuses, "
        "headers, media types, parameters and schemas of their OpenAPI documents.",
    )
    diff.command.add_arguments(difference)
    listed = commands.add_parser(
        "list",
        help="list requirements by profile, level, section, operation, or what is not covered",
        description="List the requirements that all of the options choose, with their levels.",
    )
    listing.add_arguments(listed)
    watched = commands.add_parser(
        "watch",
        help="on each save check, compare, and say whom it breaks",
        description="On each save check the specification, compare it with a revision, say whom the change breaks, and "
        "run the scenarios and faults that were touched on the reference. An interrupt ends it.",
    )
    watch.add_arguments(watched)
    covered = commands.add_parser(
        "coverage",
        help="compare the normative sentences of a source with the catalogue",
        description="List the sentences of a source document that no decision covers, and decisions whose sentence is "
        "no longer there. Texts of sources are read, never kept.",
    )
    texts.command.add_arguments(covered)
    commands.add_parser("impact", help="say what a change does to registries whose runs are published", add_help=False)
    runs: tuple[tuple[argparse.ArgumentParser, Callable[[argparse.Namespace], int]], ...] = (
        (check, lambda options: _check(options.root)),
        (show, lambda options: _show(options.root, options.id)),
        (stubs, new.run),
        (difference, diff.command.run),
        (listed, listing.run),
        (watched, watch.run),
        (covered, texts.command.run),
    )
    for command, run in runs:
        command.set_defaults(run=run)
        command.add_argument(
            "--root",
            type=Path,
            default=catalogue.ROOT.parent,
            metavar="DIR",
            help="the folder that holds spec/, conformance/ and reference/ (default: that of this package)",
        )
    return parser


def _impact(words: Sequence[str]) -> int:
    """Start the impact as a process of its own: it needs the contract of the suite, which nothing here may import."""
    path = os.pathsep.join(filter(None, (str(catalogue.ROOT.parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "conformance.impact", *words]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode


def _check(repository: Path) -> int:
    from spec.check import check  # noqa: PLC0415  `show` does without the validators

    result = check(repository)
    for problem in result.problems:
        print(problem)
    rows = result.counts()
    columns = list(rows[0][1])
    print(f"{'requirements':18}" + "".join(f"{name:>13}" for name in columns))
    for name, numbers in rows:
        print(f"{name:18}" + "".join(f"{numbers[column]:>13}" for column in columns))
    print(
        f"{len(result.trace.scenarios)} marks of scenarios, {len(result.trace.places)} of the OpenAPI document, "
        f"{len(result.trace.faults)} faults, {len(result.trace.variants)} variants; "
        f"{len(result.problems) or 'no'} problem{'' if len(result.problems) == 1 else 's'}"
    )
    return 1 if result.problems else 0


def _show(repository: Path, name: str) -> int:
    root = repository / "spec"
    known = catalogue.load(root)
    try:
        requirement = known.requirement(name)
    except UnknownIdError as error:
        print(f"python -m spec show: {error}", file=sys.stderr)
        return _USAGE
    laws = conditions.load(root) if (root / conditions.FILE).is_file() else None
    print("\n".join(_describe(known, requirement, trace.scan(repository, root), laws)))
    for outcome, registries in implemented.by_outcome(repository, requirement.id).items():
        print("\n".join(_wrap(f"{outcome} by", ", ".join(registries))), end="\n" if registries else "")
    return 0


def _describe(
    known: Catalogue, requirement: Requirement, found: trace.Trace, laws: conditions.Conditions | None
) -> Iterable[str]:
    yield f"{requirement.id}  ({requirement.file}:{requirement.line})"
    yield from _wrap("", requirement.statement)
    levels = (f"{profile} {requirement.levels.get(profile) or '-'}" for profile in known.profiles)
    yield from _wrap("levels", ", ".join(levels) + (" (implied)" if requirement.implied else ""))
    for citation in requirement.sources:
        source = known.sources.get(citation.document)
        title = f"{source.title}, {source.version}" if source else citation.document
        yield from _wrap("source", f"{title}: {citation.section}")
        if source:
            yield f"{'':14}{source.url}"
    yield from _wrap("operations", ", ".join(requirement.operations))
    stated = (f"{name} {' or '.join(map(str, statuses))}" for name, statuses in requirement.statuses.items())
    yield from _wrap("statuses", ", ".join(stated))
    for label in ("needs", "presumes"):
        yield from _wrap(label, ", ".join(getattr(requirement, label)))
    yield from _wrap("presumed by", ", ".join(known.presumed_by(requirement.id)))
    for label in ("decide", "caution", "ambiguity", "untestable", "unprovable"):
        yield from _wrap(label, getattr(requirement, label))
    beyond = (f"{profile}: {why}" for profile, why in requirement.presumed_beyond.items())
    yield from _wrap("beyond", "; ".join(beyond))
    yield from _wrap("planned", f"issue {requirement.planned}" if requirement.planned else "")
    for scenario in found.scenarios_of(requirement.id):
        yield from _wrap("scenario", f"{scenario.name}  {scenario.file}:{scenario.line}")
    if laws is not None:
        for law in laws.of(requirement.id):
            yield from _wrap("law", f"{law.statement} ({law.id})")
            yield from _wrap("conditions", "; ".join(d.title for d in laws.subjects[law.subject].dimensions))
    for place in found.places_of(requirement.id):
        only = f" for {place.operation}" if place.operation else ""
        yield from _wrap("contract", f"{place.path or 'whole schema'}{only}  {place.file}:{place.line}")
    for label, modifications in (
        ("fault", found.faults_of(requirement.id)),
        ("variant", found.variants_of(requirement.id)),
    ):
        for each in modifications:
            yield from _wrap(label, f"{each.name}  {each.file}:{each.line}")


def _wrap(label: str, text: str) -> Iterable[str]:
    if text:
        indent = " " * 14 if label else "  "
        first = f"  {label:12}" if label else indent
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


if __name__ == "__main__":
    raise SystemExit(main())
