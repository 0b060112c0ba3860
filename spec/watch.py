"""``python -m spec watch``: on each save, what the specification says of itself and of registries.

It looks at the files again and again, and starts the other commands as processes of their own: what they load is as new
as what was saved.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spec import trace
from spec.diff.trees import TreeError, tree

#: What is looked at, below the repository, and the ends of the names.
_FOLDERS = {"spec": (".yaml", ".json"), "conformance/scenarios": (".py",), "reference/faults": (".py",)}
_PAUSE = 0.5
#: Faults that are tried on one save.
_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Touched:
    """What a save touched: the specification, requirements by their scenarios, and faults."""

    specification: bool
    requirements: tuple[str, ...]
    faults: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--against", default="HEAD", metavar="REVISION", help="what is compared with (default: HEAD)")
    parser.add_argument("--once", action="store_true", help="look once at what differs from it, and end")


def run(options: argparse.Namespace) -> int:
    """Look until an interrupt; with --once the worst exit code of the commands."""
    repository: Path = options.root
    if options.once:
        try:
            with tree(options.against, repository) as before:
                touched = compare(_texts(before.repository), _texts(repository))
        except TreeError as error:
            print(f"python -m spec watch: {error}", file=sys.stderr)
            return 4
        return _round(repository, options.against, touched)
    print(f"watching {', '.join(_FOLDERS)} below {repository}; an interrupt ends it", flush=True)
    seen, texts = _moments(repository), _texts(repository)
    try:
        while True:
            time.sleep(_PAUSE)
            now = _moments(repository)
            if now != seen:
                fresh = _texts(repository)
                touched, seen, texts = compare(texts, fresh), now, fresh
                _round(repository, options.against, touched)
    except KeyboardInterrupt:
        return 0


def _files(repository: Path) -> Iterator[Path]:
    for folder, ends in _FOLDERS.items():
        for path in (repository / folder).rglob("*"):
            if path.name.endswith(ends):
                yield path


def _moments(repository: Path) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for path in _files(repository):
        try:
            found[path] = path.stat().st_mtime_ns
        except OSError:  # an editor is putting another in its place
            continue
    return found


def _texts(repository: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in _files(repository):
        try:
            found[path.relative_to(repository).as_posix()] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return found


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> Touched:
    """Say what the texts of some files touch, by their paths."""
    files = [file for file in {**old, **new} if old.get(file) != new.get(file)]
    requirements: dict[str, None] = {}
    faults: dict[str, None] = {}
    for file in files:
        before, after = (_parts(file, texts.get(file, "")) for texts in (old, new))
        for name, (code, ids) in after.items():
            if before.get(name, ("", ()))[0] != code:
                (requirements if file.startswith("conformance/") else faults).update(dict.fromkeys(ids))
    return Touched(any(file.startswith("spec/") for file in files), tuple(requirements), tuple(faults))


def _parts(file: str, text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give the scenarios of a module with their code and ids, or the faults with that of the module."""
    if not file.endswith(".py"):
        return {}
    try:
        module = ast.parse(text)
    except SyntaxError:
        return {}
    found = trace.of_module(text, file)
    if file.startswith("reference/"):
        whole = ast.dump(module)
        return {fault.name: (whole, (fault.name,)) for fault in found.faults}
    functions = {node.name: ast.dump(node) for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    return {s.name: (functions.get(s.name.rpartition(".")[2], ""), s.ids) for s in found.scenarios}


def _round(repository: Path, against: str, touched: Touched) -> int:
    """Run the commands that a save asks for, each with the seconds that it took."""
    print(f"\n== {time.strftime('%H:%M:%S')} ==", flush=True)
    root = ("--root", str(repository))
    worst = _step("check", ["-m", "spec", "check", *root], quiet=True)
    if touched.specification and not worst:
        differs = _step(f"diff {against}", ["-m", "spec", "diff", *root, "--fail-on", "meaning", against])
        if differs == 1 and (repository / "reports" / "published").is_dir():
            worst = max(worst, _step("impact", ["-m", "spec", "impact", *root, against]))
    with tempfile.TemporaryDirectory(prefix="spec-watch-") as folder:
        if touched.requirements:
            chosen = [word for name in touched.requirements for word in ("--requirement", name)]
            suite = ["-m", "pytest", "conformance", "-q", "--registry-url", "embedded", "--report", folder]
            worst = max(worst, _step("on the reference", [*suite, *chosen], repository))
    if touched.faults and (repository / "tests" / "proof").is_dir():
        names = touched.faults[:_FAULTS]
        if len(touched.faults) > _FAULTS:
            print(f"{_FAULTS} of {len(touched.faults)} faults of the module are tried", flush=True)
        worst = max(worst, _step("conviction", ["-m", "tests.proof", "--kind", "fault", *names], repository))
    return worst


def _step(title: str, words: Iterable[str], folder: Path | None = None, quiet: bool = False) -> int:
    """Run one command; a quiet one shows nothing where all is well."""
    started = time.monotonic()
    # The code of this command, on the files of another repository too.
    path = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if not quiet or done.returncode:
        print(done.stdout.rstrip())
    print(f"-- {title}: {'well' if done.returncode == 0 else f'exit {done.returncode}'}, "
          f"{time.monotonic() - started:.1f} s", flush=True)  # fmt: skip
    return done.returncode
