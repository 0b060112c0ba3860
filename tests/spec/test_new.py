"""``python -m spec new``: three stubs, none of which passes, or a sentence and no change."""

from __future__ import annotations

import argparse
import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from spec.__main__ import main
from spec.catalogue import PREFIXES, ROOT, load
from spec.new import code, command, places

from .miniature import Tree

ENTRIES = "spec/requirements/base.yaml"
SCENARIOS = "conformance/scenarios/base/test_base.py"
FAULTS = "reference/faults/base.py"
TABLE = """\
from reference.modifications import Fault

FAULTS = (
    Fault(
        name="no-base",
        title="GET of /v2/ returns 404.",
        breaks=("BASE-V2-200",),
        apply=None,
    ),
    Fault(name="no-header", title="GET of /v2/ has no version.", breaks=("BASE-V2-HEADER",), apply=None),
)
"""
GOOD = ("--statement", "The version check is quick.", "--level", "SHOULD", "--source", "docker-api: Version Check")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.write(FAULTS, TABLE)
    made.write("reference/faults/__init__.py", "")
    made.write("conformance/scenarios/base/__init__.py", "")
    assert made.problems() == []
    return made


def _new(tree: Tree, name: str, *options: str) -> int:
    return main(["new", name, *options, "--root", str(tree.folder)])


def _texts(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


def test_stubs_are_written_and_the_check_says_what_is_left(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert _new(tree, "BASE-V2-QUICK", *GOOD) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == [f"entry     {ENTRIES}:24", f"scenario  {SCENARIOS}:9", f"fault     {FAULTS}:11"]
    assert tree.problems() == [
        f"{SCENARIOS}:11: TODO: say in one sentence what must follow.",
        f"{SCENARIOS}:12: TODO: judge BASE-V2-QUICK",
        f"{FAULTS}:11: fault v2-quick changes nothing: give it apply, layer or tokens",
        f"{FAULTS}:13: TODO: say in one sentence what the registry does wrong.",
        f"{ENTRIES}:32: TODO: say how a scenario decides it.",
        f"{ENTRIES}:33: TODO: say how a careless test would accuse falsely, or remove this member.",
    ]


def test_entry_has_the_form_and_the_place_of_the_others(tree: Tree) -> None:
    assert (
        _new(
            tree,
            "BASE-V2-200-QUICK",
            *GOOD,
            "--statement",
            "It is answered 200 at once.",
            "--presumes",
            "BASE-V2-200",
            "--implied",
        )
        == 0
    )
    text = (tree.folder / ENTRIES).read_text(encoding="utf-8")
    # Behind the one that begins likewise.
    assert (
        text.index("- id: BASE-V2-200\n") < text.index("- id: BASE-V2-200-QUICK") < text.index("- id: BASE-V2-HEADER")
    )
    made = next(entry for entry in yaml.safe_load(text) if entry["id"] == "BASE-V2-200-QUICK")
    assert made["statuses"] == [200]
    assert [*made] == [*yaml.safe_load((ROOT / "requirements" / "pull.yaml").read_text(encoding="utf-8"))[0]]
    assert made["level"] == {"docker-v2": "SHOULD"}
    assert made["sources"] == [{"document": "docker-api", "section": "Version Check"}]
    assert made["operations"] == ["base.get"]
    assert (made["presumes"], made["implied"]) == (["BASE-V2-200"], True)


def test_stub_is_written_out_into_a_requirement(tree: Tree) -> None:
    """What the check asks for is enough."""
    assert _new(tree, "BASE-V2-QUICK", *GOOD) == 0
    tree.replace(SCENARIOS, '"""TODO: say in one sentence what must follow."""', '"""It is quick."""')
    tree.replace(SCENARIOS, '    raise NotImplementedError("TODO: judge BASE-V2-QUICK")\n', "    registry.base()\n")
    tree.replace(FAULTS, "TODO: say in one sentence what the registry does wrong.", "It is slow.")
    tree.replace(FAULTS, 'breaks=("BASE-V2-QUICK",),', 'breaks=("BASE-V2-QUICK",),\n        apply=slow,')
    tree.replace(ENTRIES, "'TODO: say how a scenario decides it.'", "Ask, and look at the clock.")
    text = (tree.folder / ENTRIES).read_text(encoding="utf-8")
    tree.write(ENTRIES, "".join(line for line in text.splitlines(keepends=True) if "TODO" not in line))
    assert tree.problems() == []


def test_new_modules_have_the_imports_of_what_is_like_them(tree: Tree) -> None:
    where = ("--scenario", "conformance/scenarios/base/test_speed.py", "--fault", "reference/faults/speed.py")
    assert _new(tree, "BASE-V2-QUICK", *GOOD, *where) == 0
    scenario = (tree.folder / where[1]).read_text(encoding="utf-8")
    assert "from conformance.verdict.judge import verifies\n" in scenario
    assert "def test_v2_quick(registry) -> None:" in scenario
    fault = (tree.folder / where[3]).read_text(encoding="utf-8")
    assert "from reference.modifications import Fault\n" in fault
    assert code.takes_faults(fault)
    assert (f"{where[1]}:1: TODO: say what the scenarios of this module are about.") in tree.problems()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("BASE-V2-200", GOOD, f"BASE-V2-200 exists: {ENTRIES}:1"),
        ("BASE-V1-200", GOOD, "BASE-V1-200 was withdrawn and must not be used again: The first version has no check."),
        ("base-v2-quick", GOOD, "'base-v2-quick' is no id"),
        ("BASE", GOOD, "'BASE' is no id"),
        ("BASE--QUICK", GOOD, "'BASE--QUICK' is no id"),
        ("SPEED-V2", GOOD, "SPEED-V2 is of no category: an id begins with BASE (base), PULL (pull)"),
        ("BASE-SPEED", GOOD, "no id begins like BASE-SPEED: name an operation with --operation"),
        ("BASE-SPEED", (*GOOD, "--operation", "base.put"), "--operation names the unknown 'base.put': it has base.get"),
        ("BASE-V2-QUICK", (*GOOD, "--needs", "wings"), "--needs names the unknown 'wings': it has ranges"),
        ("BASE-V2-QUICK", (*GOOD, "--presumes", "BASE-V3"), "--presumes names the unknown 'BASE-V3'"),
        ("BASE-V2-QUICK", (*GOOD, "--profile", "oci-9"), "--profile names the unknown 'oci-9': it has docker-v2"),
        ("BASE-V2-QUICK", (*GOOD, "--level", "MUST"), "--level has two levels for the same profiles"),
        ("BASE-V2-QUICK", (*GOOD, "--level", "docker-v2=SHALL"), "--level 'SHALL' is none of MUST, SHOULD, MAY"),
        ("BASE-V2-QUICK", (*GOOD, "--source", "docker-api"), "--source 'docker-api' is not of the form"),
        ("BASE-V2-QUICK", (*GOOD, "--source", "blog: 1"), "--source names the unknown 'blog': it has docker-api"),
        ("BASE-V2-QUICK", (*GOOD, "--statement", "Quick."), "--statement is no sentence"),
        ("BASE-V2-QUICK", (*GOOD, "--scenario", "spec/test_x.py"), "--scenario spec/test_x.py is no Python file in"),
        ("BASE-V2-QUICK", (*GOOD, "--scenario", "conformance/x/test_x.py"), "conformance/x is no package"),
        ("BASE-V2-QUICK", (*GOOD, "--scenario", "conformance/scenarios/base/x.py"), "begins with test_"),
        ("BASE-V2-QUICK", (*GOOD, "--fault", "reference/faults/__init__.py"), "the module has no table"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_told_and_nothing_changes(
    name: str, options: tuple[str, ...], words: str, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _texts(tree.folder)
    assert _new(tree, name, *options) == 4
    said = capsys.readouterr().err
    assert said.startswith("python -m spec new: ")
    assert words in said
    assert said.count("\n") == 1
    assert _texts(tree.folder) == before


def test_statement_level_and_source_are_asked_for(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _new(tree, "BASE-V2-QUICK")
    assert ended.value.code == 4
    assert "--statement, --level, --source" in capsys.readouterr().err


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_failure_leaves_no_half_written_tree(
    fails_at: int, tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, replace, calls = _texts(tree.folder), Path.replace, 0

    def full(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert _new(tree, "BASE-V2-QUICK", *GOOD) == 4
    assert "nothing was written: " in capsys.readouterr().err
    assert _texts(tree.folder) == before


def test_taken_names_get_the_whole_id_and_then_a_sentence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.replace(FAULTS, "no-base", "v2-quick")
    assert _new(tree, "BASE-V2-QUICK", *GOOD) == 0
    assert 'name="base-v2-quick"' in (tree.folder / FAULTS).read_text(encoding="utf-8")
    tree.replace(FAULTS, "no-header", "v2-quicker")
    tree.write("reference/variants/more.py", 'variant("base-v2-quicker", "It is quick.", apply=None)\n')
    assert _new(tree, "BASE-V2-QUICKER", *GOOD) == 4
    assert "the names v2-quicker and base-v2-quicker are taken" in capsys.readouterr().err


def test_full_modules_are_passed_over(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(FAULTS, TABLE + "#\n" * places.LONGEST)
    assert _new(tree, "BASE-V2-QUICK", *GOOD) == 4
    assert "name one with --fault PATH" in capsys.readouterr().err


def test_levels_by_profile() -> None:
    """One level is for the profiles that have the document; others are named."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    told = ["BASE-V2-QUICK", "--statement", "The version check is quick.", "--source", "oci-1.1.1: API"]
    options = parser.parse_args([*told, "--level", "MUST", "--level", "docker-v2=may"])
    options.root = ROOT.parent
    wanted = command._wanted(options, load())
    assert wanted.levels == {"docker-v2": "MAY", "oci-1.0": None, "oci-1.1": "MUST", "oci-1.2-dev": None}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the command looks at in this repository."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("spec", "conformance", "reference"):
        shutil.copytree(ROOT.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT.parent / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("category", PREFIXES)
def test_each_category_of_the_repository_has_a_place(category: str, repository: Path) -> None:
    """In this repository the stubs go to modules of the category, and pass the style checks."""
    like = load().category(category)[-1]
    name = f"{like.id}-{'ANEW-' * 4}NOW"
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    source = f"{like.sources[0].document}: 1"
    options = parser.parse_args(
        [name, "--statement", "It is made anew: " * 20, "--level", "MUST", "--profile", "docker-v2", "--source", source]
    )
    options.root = repository
    made = command.plan(options)
    entry, scenario, fault = made
    assert entry == f"spec/requirements/{category}.yaml"
    assert [each["id"] for each in yaml.safe_load(made[entry][0])].count(name) == 1
    assert f"/{category}/" in scenario
    assert fault.startswith("reference/faults/")
    for file in (scenario, fault):
        text, line = made[file]
        ast.parse(text)
        assert text.splitlines()[line - 1].strip() in {f'@verifies("{name}")', "Fault("}
        for told in (("format", "--check"), ("check",)):
            ran = subprocess.run(
                [sys.executable, "-m", "ruff", *told, "--no-cache", "--stdin-filename", str(ROOT.parent / file), "-"],
                cwd=ROOT.parent, input=text, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stdout + ran.stderr
