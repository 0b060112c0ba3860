"""``python -m spec watch``: on each save, what the specification says of itself and of registries.

It looks at the files again and again, and starts the other commands as processes of their own: what they load is as new
as what was saved.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spec import trace
from spec.diff.trees import TreeError, tree

#: What is looked at, below the repository, and the ends of the names.
_FOLDERS = {"spec": (".yaml", ".json"), "conformance/scenarios": (".py",), "reference/faults": (".py",)}
_PAUSE = 0.25
#: Faults that are tried on one save: more would take longer than one waits for an answer.
_FAULTS = 2
#: The priority of a step that gives way to another, as `nice` counts.
_BEHIND = 10


@dataclass(frozen=True, slots=True)
class Touched:
    """What a save touched: the specification, scenarios as pytest names them, and faults."""

    specification: bool
    scenarios: tuple[str, ...]
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
    scenarios: dict[str, None] = {}
    requirements: dict[str, None] = {}
    faults: dict[str, None] = {}
    for file in files:
        before, after = (_parts(file, texts.get(file, "")) for texts in (old, new))
        for name, (code, ids) in after.items():
            if before.get(name, ("", ()))[0] == code:
                continue
            if file.startswith("reference/"):
                faults[name] = None
            else:
                scenarios[_node(file, name)] = None
                requirements.update(dict.fromkeys(ids))
    if requirements and not faults:
        faults = dict.fromkeys(_convicting(new, requirements))
    return Touched(any(file.startswith("spec/") for file in files), tuple(scenarios), tuple(faults))


def _node(file: str, name: str) -> str:
    """Give the name of a scenario for pytest; that of its module where pytest makes the scenarios of something else."""
    return f"{file}::{name.replace('.', '::')}" if name.rpartition(".")[2].startswith("test") else file


def _convicting(texts: Mapping[str, str], requirements: Iterable[str]) -> Iterator[str]:
    """Give the first fault that breaks one of some requirements: the changed scenario has to see it still."""
    for name in requirements:
        for file, text in texts.items():
            if file.startswith("reference/faults/") and name in text:
                for fault in trace.of_module(text, file).faults_of(name):
                    yield fault.name
                    return


def _parts(file: str, text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give the scenarios or the faults of a module by name, each with all code that it needs and its ids."""
    if not file.endswith(".py"):
        return {}
    try:
        module = ast.parse(text)
    except SyntaxError:
        return {}
    found = trace.of_module(text, file)
    definitions = {name: node for node in module.body for name in _defined(node)}
    if file.startswith("reference/"):
        calls: dict[int, ast.Call] = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                calls.setdefault(node.lineno, node)
        return {
            fault.name: (_code(calls[fault.line], definitions), (fault.name,))
            for fault in found.faults
            if fault.line in calls
        }
    return {
        scenario.name: (_code(definitions[top], definitions) if top in definitions else "", scenario.ids)
        for scenario in found.scenarios
        for top in [scenario.name.partition(".")[0]]
    }


def _defined(node: ast.stmt) -> list[str]:
    """Give the names that a statement of a module gives a meaning, without imports."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _code(node: ast.AST, definitions: Mapping[str, ast.stmt]) -> str:
    """Give the code of a node and of all in its module that it names, and so on."""
    wanted: list[ast.AST] = [node]
    seen: dict[str, str] = {}
    for each in wanted:
        for name in (inner.id for inner in ast.walk(each) if isinstance(inner, ast.Name)):
            if name in definitions and name not in seen:
                seen[name] = ast.dump(definitions[name])
                wanted.append(definitions[name])
    return ast.dump(node) + "".join(seen[name] for name in sorted(seen))


def _round(repository: Path, against: str, touched: Touched) -> int:
    """Run the commands that a save asks for side by side, and print them in order, each with its seconds."""
    began = time.monotonic()
    print(f"\n== {time.strftime('%H:%M:%S')} ==", flush=True)
    root = ("--root", str(repository))
    with tempfile.TemporaryDirectory(prefix="spec-watch-") as folder, contextlib.ExitStack() as stack:

        def start(title: str, *words: str, place: Path | None = None) -> _Step:
            return stack.enter_context(contextlib.closing(_Step(title, words, place)))

        check = start("check", "-m", "spec", "check", *root)
        meaning: list[_Step] = []
        if touched.specification:
            meaning.append(start(f"diff {against}", "-m", "spec", "diff", *root, "--fail-on", "meaning", against))
            if (repository / "reports" / "published").is_dir():
                meaning.append(start("impact", "-m", "spec", "impact", *root, against))
        trials: list[_Step] = []
        if touched.scenarios:
            suite = ("-m", "pytest", "-q", "--registry-url", "embedded", "--report", folder)
            trials.append(start("on the reference", *suite, *touched.scenarios, place=repository))
        if touched.faults and (repository / "tests" / "proof").is_dir():
            proof = ("-m", "tests.proof", "--kind", "fault")
            trials.append(start("conviction", *proof, *touched.faults[:_FAULTS], place=repository))
            # It takes the longest, so that the others wait for it where there are too few processors.
            for step in (check, *meaning, *trials[:-1]):
                step.give_way()
        worst = check.told(quiet=True)
        # What is inconsistent in itself has no meaning to compare, and what means the same breaks nobody.
        if not worst and meaning and meaning[0].told() == 1:
            worst = max([worst, *(step.told() for step in meaning[1:])])
        if len(touched.faults) > _FAULTS:
            print(f"{_FAULTS} of {len(touched.faults)} faults are tried", flush=True)
        worst = max([worst, *(step.told() for step in trials)])
    print(f"-- all in {time.monotonic() - began:.1f} s", flush=True)
    return worst


class _Step:
    """One command as a process, which begins at once."""

    def __init__(self, title: str, words: Iterable[str], place: Path | None) -> None:
        self._title = title
        self._began = time.monotonic()
        # The code of this command, on the files of another repository too.
        path = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, *words], cwd=place, env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._text, self._seconds = "", 0.0
        # Read beside the others, so that no process waits for its reader.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def give_way(self) -> None:
        """Let other steps have the processor first."""
        with contextlib.suppress(OSError):  # it may have ended
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _BEHIND)

    def _read(self) -> None:
        self._text, _ = self._process.communicate()
        self._seconds = time.monotonic() - self._began

    def told(self, quiet: bool = False) -> int:
        """Wait for the end, print the output and the seconds; a quiet one shows nothing where all is well."""
        self._reader.join()
        code = self._process.returncode
        if not quiet or code:
            print(self._text.rstrip())
        print(f"-- {self._title}: {'well' if code == 0 else f'exit {code}'}, {self._seconds:.1f} s", flush=True)
        return code

    def close(self) -> None:
        """End the process where it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
        self._reader.join()
