"""The difference of two specifications says what changed in meaning, and what it asks of registries."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spec import diff
from spec.__main__ import main
from spec.diff import Asks, Kind
from spec.diff.schemas import Way, decide

from . import prepared
from .miniature import Tree

BASE = "spec/requirements/base.yaml"
PATH = "spec/paths/base.yaml"
HEADER = "header Version of status 200 of base.get"
TIED = "      x-no-requirement: BASE-V2-200 has a scenario\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made = tmp_path_factory.mktemp("diff")
    return prepared.tree(made / "old"), prepared.tree(made / "new", prepared.CHANGES)


def compared(old: Path, new: Path) -> diff.Diff:
    with diff.tree(str(old), old) as before, diff.tree(str(new), new) as after:
        return diff.compare(diff.read(before), diff.read(after))


def test_six_prepared_changes_give_exactly_their_difference(folders: tuple[Path, Path]) -> None:
    found = compared(*folders)
    assert [(change.kind, change.asks, change.subject, change.levels) for change in found.changes] == [
        (Kind.RAISED, Asks.MORE, "PULL-ACCEPT-CASE", (("oci-1.2-dev", "SHOULD", "MUST"),)),
        (Kind.ADDED, Asks.MORE, "PULL-BLOB-GET-ETAG", (("oci-1.2-dev", "", "MUST"),)),
        (Kind.TIGHTENED, Asks.MORE, "header ETag of status 200 of blob.get", ()),
        (Kind.TIGHTENED, Asks.MORE, "status 202 of blob.delete", ()),
        (Kind.TIGHTENED, Asks.MORE, "schema errors", ()),
        (Kind.STATUSES, Asks.OTHERWISE, "MGMT-BLOB-DELETE-202", ()),
        (Kind.BOOKED, Asks.OTHERWISE, "header ETag of status 200 of blob.get", ()),
        (Kind.REWORDED, Asks.OTHERWISE, "MGMT-BLOB-DELETE-202", ()),
        (Kind.LOWERED, Asks.LESS, "PUSH-PATCH-OUT-OF-ORDER-GAP-416", (("oci-1.1", "MUST", "SHOULD"),)),
        (Kind.LOWERED, Asks.LESS, "DISC-TAGS-ORDER-MIXED-CASE", (("oci-1.1", "SHOULD", ""),)),
        (Kind.LOOSENED, Asks.LESS, "status 204 of blob.delete", ()),
    ]
    schema = next(change for change in found.changes if change.subject == "schema errors")
    assert schema.why == "at /allOf/0/properties/errors/items/required"
    assert "manifest.get" in schema.places


def test_every_form_tells_the_same_changes(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, str] = {}
    for form in ("text", "markdown", "json"):
        assert main(["diff", *map(str, folders), "--format", form]) == 0
        told[form] = capsys.readouterr().out
    data = json.loads(told["json"])
    for change in data["changes"]:
        assert change["subject"] in told["text"]
        assert change["subject"] in told["markdown"]
    assert "oci-1.2-dev: PULL-ACCEPT-CASE SHOULD -> MUST; PULL-BLOB-GET-ETAG - -> MUST" in told["text"]
    assert data["asks"] == {"more": 5, "otherwise": 3, "less": 3, "nothing": 0}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ((), (0, 0, 0)),
        (("raise",), (1, 1, 1)),
        (("lower",), (0, 1, 1)),
        (("null",), (0, 1, 1)),
        (("new",), (1, 1, 1)),
        (("status",), (1, 1, 1)),
        (("schema",), (1, 1, 1)),
    ],
)
def test_exit_code_follows_what_is_asked(
    tmp_path: Path, folders: tuple[Path, Path], changes: tuple[str, ...], codes: tuple[int, ...]
) -> None:
    new = prepared.tree(tmp_path / "new", changes)
    found = [main(["diff", str(folders[0]), str(new), "--fail-on", word]) for word in ("raised", "meaning", "any")]
    assert tuple(found) == codes


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ((BASE, "needs: [ranges]", "needs: []"), (Kind.NEEDS, Asks.MORE, "BASE-V2-HEADER")),
        ((BASE, "presumes: [BASE-V2-200]", "presumes: []"), (Kind.PRESUMES, Asks.OTHERWISE, "BASE-V2-HEADER")),
        ((BASE, "section: API Version Check", "section: Version"), (Kind.SOURCES, Asks.NOTHING, "BASE-V2-200")),
        ((BASE, "It cannot fail", "It never fails"), (Kind.NOTES, Asks.NOTHING, "BASE-V2-FREE")),
        ((BASE, "statuses: [200]", "statuses: [200, 204]"), (Kind.STATUSES, Asks.LESS, "BASE-V2-200")),
        ((PATH, "required: true", "required: false"), (Kind.LOOSENED, Asks.LESS, HEADER)),
        (
            (PATH, "  responses:\n", "  parameters: [{name: n, in: query, schema: {}}]\n  responses:\n"),
            (Kind.EXTENDED, Asks.NOTHING, "parameter n of base.get"),
        ),
        (
            (PATH, TIED, f"{TIED}      content: {{text/plain: {{schema: {{}}}}}}\n"),
            (Kind.LOOSENED, Asks.LESS, "type text/plain of status 200 of base.get"),
        ),
        (
            (PATH, TIED, f'{TIED}    "404": {{description: no such API}}\n'),
            (Kind.LOOSENED, Asks.LESS, "status 404 of base.get"),
        ),
        (
            (PATH, "x-requirement: BASE-V2-HEADER", "x-requirement: BASE-V2-200"),
            (Kind.BOOKED, Asks.OTHERWISE, HEADER),
        ),
        (("spec/profiles.yaml", "Docker Registry", "A Registry"), (Kind.NOTES, Asks.NOTHING, "profile docker-v2")),
    ],
)
def test_a_change_has_its_kind(tmp_path: Path, edit: tuple[str, str, str], expected: tuple[Kind, Asks, str]) -> None:
    trees = Tree(tmp_path / "old"), Tree(tmp_path / "new")
    trees[1].replace(*edit)
    found = compared(trees[0].folder, trees[1].folder)
    assert [(change.kind, change.asks, change.subject) for change in found.changes] == [expected]


def test_a_withdrawn_requirement_is_told_with_its_reason(tmp_path: Path) -> None:
    trees = Tree(tmp_path / "old"), Tree(tmp_path / "new")
    text = (trees[1].folder / BASE).read_text(encoding="utf-8")
    trees[1].write(BASE, text[: text.index("- id: BASE-V2-FREE")])
    told = compared(trees[0].folder, trees[1].folder).changes
    assert [(c.kind, c.subject, c.levels, c.new) for c in told] == [
        (Kind.WITHDRAWN, "BASE-V2-FREE", (("docker-v2", "MAY", ""),), "without a word in withdrawn.yaml")
    ]
    trees[1].write("spec/withdrawn.yaml", "- {id: BASE-V2-FREE, reason: Nothing follows from it.}\n")
    assert "Nothing follows from it." in [c.new for c in compared(trees[0].folder, trees[1].folder).changes]


def test_revisions_of_git_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(tmp_path)

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "first")
    tree.replace(BASE, "{docker-v2: SHOULD}", "{docker-v2: MUST}")
    assert main(["diff", "HEAD", "--root", str(tmp_path), "--fail-on", "raised"]) == 1
    assert "BASE-V2-HEADER: docker-v2 SHOULD -> MUST" in capsys.readouterr().out
    git("commit", "-qam", "second")
    assert main(["diff", "HEAD~1", "main", "--root", str(tmp_path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["raised"] == 1


@pytest.mark.parametrize("name", ["no-such-revision", "--help-me", "/tmp/no/such/folder"])
def test_what_is_no_specification_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["diff", "--root", str(tmp_path), "--", name, name]) == 4
    error = capsys.readouterr().err
    assert error.startswith("python -m spec diff: ")
    assert error.count("\n") == 1


def test_a_malformed_specification_is_named_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trees = Tree(tmp_path / "old"), Tree(tmp_path / "new")
    trees[1].replace(BASE, "MUST", "MUSST")
    assert main(["diff", *(str(tree.folder) for tree in trees)]) == 4
    error = capsys.readouterr().err
    assert f"{trees[1].folder} is malformed" in error
    assert f"{BASE}:1: malformed entry" in error


STRING: dict[str, Any] = {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "examples", "way"),
    [
        (STRING, {**STRING, "description": "a word"}, (), Way.SAME),
        ({}, STRING, (), Way.TIGHTENED),
        (True, STRING, (), Way.TIGHTENED),
        (STRING, False, (), Way.TIGHTENED),
        ({"type": ["string", "null"]}, STRING, (), Way.TIGHTENED),
        ({"type": "number"}, {"type": "integer"}, (), Way.TIGHTENED),
        ({"enum": [1, 2]}, {"const": 1}, (), Way.TIGHTENED),
        ({"minimum": 1}, {"minimum": 2}, (), Way.TIGHTENED),
        ({"maxLength": 9}, {"maxLength": 10}, (), Way.LOOSENED),
        ({"required": ["a"]}, {"required": []}, (), Way.LOOSENED),
        ({"required": ["a"]}, {"required": ["b"]}, (), Way.CHANGED),
        ({"properties": {"a": {}}}, {"properties": {"a": STRING}}, (), Way.TIGHTENED),
        ({"properties": {"title": STRING}}, {"properties": {}}, (), Way.LOOSENED),
        ({"items": STRING}, {}, (), Way.LOOSENED),
        ({"not": STRING}, {"not": {"type": ["string", "null"]}}, (), Way.TIGHTENED),
        ({"anyOf": [STRING]}, {"anyOf": [STRING, {"type": "null"}]}, (), Way.LOOSENED),
        ({"allOf": [STRING]}, {"allOf": [STRING, {"minLength": 1}]}, (), Way.TIGHTENED),
        ({"pattern": "a"}, {}, (), Way.LOOSENED),
        ({"pattern": "^a+$"}, {"pattern": "^a$"}, (), Way.CHANGED),
        ({"pattern": "^a+$"}, {"pattern": "^a$"}, ("aa", "a"), Way.TIGHTENED),
        ({"pattern": "^a$"}, {"pattern": "^a+$"}, ("aa",), Way.LOOSENED),
        ({"pattern": "^a$"}, {"pattern": "^b$"}, ("a", "b"), Way.CHANGED),
        ({"pattern": "^a+$", "minLength": 1}, {"pattern": "^a$", "minLength": 0}, ("aa",), Way.CHANGED),
    ],
)
def test_direction_of_a_schema(old: Any, new: Any, examples: tuple[Any, ...], way: Way) -> None:
    assert decide(old, new, ({}, {}), examples).way is way
