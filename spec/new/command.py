"""``python -m spec new ID``: its options, and what it writes."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from spec import catalogue, document, trace
from spec.catalogue import Catalogue
from spec.new import code, entry, places
from spec.new.wanted import NewError, Wanted, category_of, citations, expect, levels, usual_operations

_USAGE = 4
#: Where the module that an option names has to be.
_FOLDERS = {"--scenario": "conformance", "--fault": "reference/faults"}
#: Lines that a stub has at most.
_STUB = 12
#: A module, and ids that something in it is about.
_Mark = tuple[str, tuple[str, ...]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("id", metavar="ID", help="an id that was never used, such as PULL-BLOB-GET-200")
    add("--statement", required=True, metavar="TEXT", help="what must hold, in one sentence of your own words")
    add("--level", required=True, action="append", metavar="LEVEL", help="MUST, SHOULD or MAY, for the profiles whose "
        "documents are cited; or PROFILE=LEVEL (repeatable)")  # fmt: skip
    add("--profile", action="append", default=[], metavar="NAME", help="a profile that a single level is for "
        "(repeatable)")  # fmt: skip
    add("--source", required=True, action="append", metavar="DOCUMENT:SECTION", help="a document of spec/sources.yaml "
        "and its section (repeatable)")  # fmt: skip
    add("--operation", action="append", default=[], metavar="NAME", help="an operation of the OpenAPI document "
        "(repeatable; default: those of the requirements whose ids begin likewise)")  # fmt: skip
    add("--needs", action="append", default=[], metavar="NAME", help="a capability without which it does not apply "
        "(repeatable)")  # fmt: skip
    add("--presumes", action="append", default=[], metavar="ID", help="a requirement without which it cannot be "
        "decided (repeatable)")  # fmt: skip
    add("--implied", action="store_true", help="the level rests on a table, an example or a lower-case word")
    add("--scenario", type=Path, metavar="PATH", help="the module for the scenario, which may be new (default: the one "
        "with most scenarios like it)")  # fmt: skip
    add("--fault", type=Path, metavar="PATH", help="the module for the fault, which may be new (default: the one with "
        "most faults like it)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Write the stubs and print their places; 0, or 4 with a reason if nothing was written."""
    try:
        stubs = plan(options)
        write(options.root, {file: text for file, (text, _) in stubs.items()})
    except NewError as error:
        print(f"python -m spec new: {error}", file=sys.stderr)
        return _USAGE
    for what, (file, (_, line)) in zip(("entry", "scenario", "fault"), stubs.items(), strict=True):
        print(f"{what:9} {file}:{line}")
    print("`python -m spec check` lists what is still to be written; CONTRIBUTING.md says how.")
    return 0


def plan(options: argparse.Namespace) -> dict[str, tuple[str, int]]:
    """Make the new texts of the three files, each with the line of its stub.

    Raises:
        NewError: what is asked for cannot be made.
        SpecError: the specification itself is wrong.
    """
    repository: Path = options.root
    known = catalogue.load(repository / "spec")
    wanted = _wanted(options, known)
    found = trace.scan(repository, repository / "spec")
    file = f"spec/requirements/{wanted.category}.yaml"
    made = {file: entry.insert(_read(repository, file), wanted, known)}
    of = (wanted, known, repository)

    def takes_scenarios(name: str) -> bool:
        return Path(name).name.startswith("test_") and code.parameters(_read(repository, name)) is not None

    marks = [(each.file, each.ids) for each in found.scenarios]
    file, text, model = _module("--scenario", options.scenario, marks, takes_scenarios, of)
    if not Path(file).name.startswith("test_"):
        raise NewError(f"--scenario {file}: the name of a module of scenarios begins with test_")
    with _naming(file):
        made[file] = code.with_scenario(text, wanted, model)
    marks = [(each.file, each.ids) for each in found.faults]
    file, text, model = _module(
        "--fault", options.fault, marks, lambda name: code.takes_faults(_read(repository, name)), of
    )
    taken = {each.name for each in (*found.faults, *found.variants)}
    with _naming(file):
        made[file] = code.with_fault(text, wanted, taken, model)
    return made


def _wanted(options: argparse.Namespace, known: Catalogue) -> Wanted:
    category = category_of(options.id, known)
    cited = citations(options.source, known)
    operations = tuple(options.operation) or usual_operations(options.id, known)
    bundled = document.Bundler(options.root / "spec").bundle()
    expect("--operation", operations, sorted({name for each in document.operations(bundled) for name in each.ids}))
    expect("--needs", options.needs, known.capabilities)
    expect("--presumes", options.presumes, known.requirements)
    statement = " ".join(options.statement.split())
    if len(statement) < 10:  # the schema's minLength
        raise NewError("--statement is no sentence")
    return Wanted(
        options.id, category, statement, levels(options.level, options.profile, cited, known), cited, operations,
        tuple(options.needs), tuple(options.presumes), options.implied,
    )  # fmt: skip


def _module(
    option: str,
    path: Path | None,
    marks: Iterable[_Mark],
    fits: Callable[[str], bool],
    of: tuple[Wanted, Catalogue, Path],
) -> tuple[str, str | None, str]:
    """Give the module's name, its text if it exists, and the text of a similar module."""
    wanted, known, repository = of
    marks = [*marks]
    like = places.choose(marks, wanted, known, fits)
    if path is None:
        file = places.choose(marks, wanted, known, lambda name: fits(name) and _has_room(repository, name))
        if file is None:
            raise NewError(f"no module that is about the like has room: name one with {option} PATH")
    else:
        file = places.named(path, repository, _FOLDERS[option], option)
    if (repository / file).exists():
        text = _read(repository, file)
        return file, text, text
    if like is None:
        raise NewError(f"{option} {file} is new, and there is no module that is like it")
    return file, None, _read(repository, like)


def _has_room(repository: Path, file: str) -> bool:
    return _read(repository, file).count("\n") + _STUB <= places.LONGEST


def _read(repository: Path, file: str) -> str:
    return (repository / file).read_text(encoding="utf-8")


@contextlib.contextmanager
def _naming(file: str) -> Iterator[None]:
    """Say of which file it is where something cannot be made."""
    try:
        yield
    except NewError as error:
        raise NewError(f"{file}: {error}") from error


def write(repository: Path, texts: Mapping[str, str]) -> None:
    """Write all files or none: each is complete beside its place before the first is put there.

    Raises:
        NewError: one cannot be written; all are as they were.
    """
    ready: list[tuple[Path, Path]] = []
    before = {repository / file: _bytes(repository / file) for file in texts}
    try:
        for file, text in texts.items():
            target = repository / file
            number, name = tempfile.mkstemp(dir=target.parent, prefix=".new-", suffix=".tmp")
            ready.append((Path(name), target))
            with os.fdopen(number, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(name).chmod(target.stat().st_mode if target.exists() else 0o644)
        for made, target in ready:
            made.replace(target)
    except OSError as error:
        for made, target in ready:
            made.unlink(missing_ok=True)
            _restore(target, before[target])
        raise NewError(f"nothing was written: {error.filename}: {error.strerror}") from error


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif path.read_bytes() != content:
        path.write_bytes(content)
