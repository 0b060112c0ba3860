"""``spec watch`` knows what a save touched, and says what follows from it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from spec.__main__ import main
from spec.catalogue import ROOT
from spec.watch import Touched, compare

from .miniature import FILES, Tree

BASE = "spec/requirements/base.yaml"
SCENARIO = "conformance/scenarios/base/test_base.py"
FAULTS = "reference/faults/base.py"


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return made


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        (BASE, "SHOULD", "MUST", Touched(True, (), ())),
        (
            SCENARIO,
            '200."""\n',
            '200."""\n    registry.base()\n',
            Touched(False, (f"{SCENARIO}::test_version_check",), ("no-base",)),
        ),
        (SCENARIO, "\n\n@", "\nWORDS = 1\n\n@", Touched(False, (), ())),
        (SCENARIO, "from conf", "# A comment.\nfrom conf", Touched(False, (), ())),
        (SCENARIO, "def ", "def 1", Touched(False, (), ())),
        (FAULTS, "answers 404", "answers 405", Touched(False, (), ("no-base",))),
    ],
)
def test_a_save_touches_what_changed_in_it(file: str, old: str, new: str, touched: Touched) -> None:
    assert compare(FILES, {**FILES, file: FILES[file].replace(old, new, 1)}) == touched


BESIDE = "WORDS = [200]\n\ndef _is(status):\n    return status in WORDS\n\n"


@pytest.mark.parametrize(
    ("file", "text", "touched"),
    [
        (
            SCENARIO,
            '@verifies("BASE-V2-200")\ndef test_version_check(registry):\n    _is(registry)\n',
            Touched(False, (f"{SCENARIO}::test_version_check",), ("no-base",)),
        ),
        (
            FAULTS,
            'A = fault("no-base", breaks="BASE-V2-200", apply=_is)\nB = fault("no-header", breaks="BASE-V2-HEADER")\n',
            Touched(False, (), ("no-base",)),
        ),
    ],
)
def test_what_is_named_beside_them_is_of_those_that_name_it(file: str, text: str, touched: Touched) -> None:
    files = {**FILES, file: BESIDE + text}
    assert compare(files, {**files, file: BESIDE.replace("[200]", "[204]") + text}) == touched


def test_once_checks_and_compares(tree: Tree, capfd: pytest.CaptureFixture[str]) -> None:
    tree.replace(BASE, "{docker-v2: SHOULD}", "{docker-v2: MUST}")
    assert main(["watch", "--once", "--root", str(tree.folder)]) == 0
    told = capfd.readouterr().out
    assert "-- check: well" in told
    assert "BASE-V2-HEADER: docker-v2 SHOULD -> MUST" in told
    tree.replace(BASE, "docker-api", "oci")
    assert main(["watch", "--once", "--root", str(tree.folder)]) == 1
    told = capfd.readouterr().out
    assert f"{BASE}:5: unknown source oci" in told
    assert "diff" not in told


def working_copy(folder: Path) -> Path:
    """Give a copy of the repository whose specification, suite and reference can be changed."""
    copied = ("spec", "conformance", "reference")
    for name in copied:
        # With what is compiled already, as where an author works.
        shutil.copytree(ROOT.parent / name, folder / name)
    for path in ROOT.parent.iterdir():
        if path.name not in (*copied, ".git"):
            (folder / path.name).symlink_to(path)
    return folder


def answered(repository: Path) -> tuple[str, float]:
    """Look once; give the output, and the seconds that all processes together computed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        sys.executable,
        "-m",
        "spec",
        "watch",
        "--once",
        "--root",
        str(repository),
        "--against",
        str(ROOT.parent),
    ]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def change(repository: Path, file: str, old: str, new: str) -> None:
    text = (repository / file).read_text(encoding="utf-8")
    assert old in text, file
    (repository / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def raise_level(repository: Path) -> None:
    level = "oci-1.1: SHOULD, oci-1.2-dev: SHOULD}"
    text = (repository / "spec/requirements/pull.yaml").read_text(encoding="utf-8")
    before, entry, after = text.partition("- id: PULL-ACCEPT-CASE\n")
    after = after.replace(level, level.replace("dev: SHOULD", "dev: MUST"), 1)
    (repository / "spec/requirements/pull.yaml").write_text(before + entry + after, encoding="utf-8")


def test_a_save_is_answered_in_five_seconds(tmp_path: Path) -> None:
    """Another process may have the machine at the same time, so that what is counted is the time of computing.

    The commands run side by side: on two cores the answer comes in little more than half of it.
    """
    repository = working_copy(tmp_path)
    raise_level(repository)
    told, seconds = answered(repository)
    assert "raises PULL-ACCEPT-CASE to MUST in oci-1.2-dev" in told
    assert "-- all in " in told
    assert seconds < 2 * 5, told


@pytest.mark.slow
def test_a_scenario_and_a_level_are_answered_with_their_conviction(tmp_path: Path) -> None:
    repository = working_copy(tmp_path)
    raise_level(repository)
    change(repository, "conformance/scenarios/pull/test_accept.py", "own.upper()", "own.title()")
    told, seconds = answered(repository)
    assert "-- on the reference: well" in told
    assert "faults caught: 1/1" in told
    assert seconds < 2 * 5 * 1.5, told


def test_what_it_compares_with_has_to_be_there(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once", "--against", "nope", "--root", str(tree.folder)]) == 4
    assert "python -m spec watch: 'nope' is neither" in capsys.readouterr().err


def test_a_save_is_seen_until_an_interrupt(tree: Tree) -> None:
    command = [sys.executable, "-m", "spec", "watch", "--root", str(tree.folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # A shell has what it starts in the background ignore interrupts, and so would what we start.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    finally:
        signal.signal(signal.SIGINT, handler)
    with process:
        assert process.stdout is not None
        stop = threading.Timer(120, process.kill)
        stop.start()
        try:
            assert process.stdout.readline().startswith("watching spec")
            time.sleep(1.0)
            tree.replace(BASE, "{docker-v2: SHOULD}", "{docker-v2: MUST}")
            told = ""
            while "-- diff HEAD" not in told:
                line = process.stdout.readline()
                assert line, told
                told += line
            assert "BASE-V2-HEADER: docker-v2 SHOULD -> MUST" in told
        finally:
            stop.cancel()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


def test_the_workflow_runs_the_commands_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    workflow = yaml.safe_load((ROOT.parent / ".github" / "workflows" / "specification.yml").read_text("utf-8"))
    steps = "\n".join(str(step.get("run", "")) for step in workflow["jobs"]["meaning"]["steps"])
    for command in ("check", "impact", "diff"):
        assert f".venv/bin/python -m spec {command}" in steps
    assert main(["diff", str(ROOT.parent), str(ROOT.parent), "--format", "markdown"]) == 0
    assert "Nothing differs." in capsys.readouterr().out
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
