"""The check names each kind of inconsistency with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from spec.__main__ import main

from .miniature import Tree

BASE = "spec/requirements/base.yaml"
PATH = "spec/paths/base.yaml"
SCENARIO = "conformance/scenarios/base/test_base.py"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_consistent_tree_has_no_problem_and_is_counted(tree: Tree) -> None:
    result = tree.check()
    assert result.problems == []
    base = dict(result.counts())["base"]
    assert base == {"all": 3, "docker-v2": 3, "decided": 2, "untestable": 1, "planned": 0}


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        pytest.param(BASE, "MUST", "MUSST", f'{BASE}:3: level.docker-v2: "MUSST" is not one of', id="off schema"),
        pytest.param(
            BASE, "needs: [", "wants: [", f"{BASE}:8: Additional properties are not allowed", id="unknown member"
        ),
        pytest.param(
            BASE,
            "  statement: The v",
            "  level: {}\n  statement: The v",
            f"{BASE}:4: key 'level' is repeated",
            id="repeated key",
        ),
        pytest.param(
            BASE, "- id: BASE-V2-HEADER", "- id: BASE-V2-200", f"{BASE}:8: duplicate id BASE-V2-200", id="duplicate id"
        ),
        pytest.param(
            BASE, "BASE-V2-FREE", "PULL-V2-FREE", f"{BASE}:16: id PULL-V2-FREE does not begin with BASE-", id="category"
        ),
        pytest.param(
            BASE,
            "- id: BASE-V2-FREE",
            "- id: BASE-V1-200",
            f"{BASE}:16: BASE-V1-200 was withdrawn and must not be used again",
            id="withdrawn",
        ),
        pytest.param(BASE, "document: docker-api", "document: oci", f"{BASE}:5: unknown source oci", id="source"),
        pytest.param(BASE, "[base.get]", "[base.got]", f"{BASE}:6: unknown operation base.got", id="operation"),
        pytest.param(BASE, "docker-v2: SHOULD", "oci-9: SHOULD", f"{BASE}:10: unknown profile oci-9", id="profile"),
        pytest.param(BASE, "docker-v2: MAY", "docker-v2: null", f"{BASE}:18: BASE-V2-FREE has no level", id="no level"),
        pytest.param(BASE, "[ranges]", "[range]", f"{BASE}:14: unknown capability range", id="capability"),
        pytest.param(
            BASE, "[BASE-V2-200]", "[BASE-V3]", f"{BASE}:15: presumes unknown requirement BASE-V3", id="presumes"
        ),
        pytest.param(
            BASE,
            "[BASE-V2-200]",
            "[BASE-V2-HEADER]",
            f"{BASE}:8: cycle of presumes: BASE-V2-HEADER > BASE-V2-HEADER",
            id="own cycle",
        ),
        pytest.param(
            BASE,
            "  untestable: It cannot fail.\n",
            "",
            f"{BASE}:16: BASE-V2-FREE is decided by no scenario",
            id="undecided",
        ),
        pytest.param(
            BASE,
            "  needs:",
            '  planned: "4"\n  needs:',
            f"{BASE}:8: BASE-V2-HEADER has an x-requirement (spec/paths/base.yaml:9) and yet is planned",
            id="decided and planned",
        ),
        pytest.param(
            BASE,
            "[200]\n- id: BASE-V2-H",
            "[200]\n  untestable: no way\n- id: BASE-V2-H",
            f"{BASE}:1: BASE-V2-200 has a scenario (conformance/scenarios/base/test_base.py:4) and yet is untestable",
            id="decided and untestable",
        ),
        pytest.param(BASE, "- id: BASE-V2-FREE", "- id: [", f"{BASE}:", id="no yaml"),
        pytest.param(
            "spec/profiles.yaml",
            "[docker-api]",
            "[oci]",
            "spec/profiles.yaml:3: unknown source oci",
            id="source of a profile",
        ),
        pytest.param("spec/sources.yaml", "version", "edition", "spec/sources.yaml:1: ", id="sources off schema"),
        pytest.param(
            "spec/capabilities.yaml", "title", "name", "spec/capabilities.yaml:1: ", id="capabilities off schema"
        ),
        pytest.param(PATH, "required: true", "required: perhaps", f"{PATH}:", id="no openapi"),
        pytest.param(
            PATH,
            "version.schema",
            "versions.schema",
            f"{PATH}:10: reference ../schemas/versions.schema.json leads to no file",
            id="reference",
        ),
        pytest.param(
            PATH,
            "BASE-V2-HEADER",
            "BASE-V2-HEADERS",
            f"{PATH}:9: x-requirement names nothing: BASE-V2-HEADERS",
            id="x-requirement",
        ),
        pytest.param(
            PATH,
            "x-requirement: BASE-V2-HEADER",
            "x-requirement: {base.got: BASE-V2-HEADER}",
            f"{PATH}:9: unknown operation base.got",
            id="operation of an x-requirement",
        ),
        pytest.param(
            "spec/schemas/version.schema.json",
            '"string"',
            '"text"',
            'spec/schemas/version.schema.json:3: is not a valid JSON Schema: type: "text"',
            id="no schema",
        ),
        pytest.param(
            "spec/schemas/version.schema.json",
            '"string"',
            '"string",',
            "spec/schemas/version.schema.json:",
            id="no json",
        ),
        pytest.param(
            SCENARIO,
            '"BASE-V2-200"',
            '"BASE-V2-200", "BASE-V2-404"',
            f"{SCENARIO}:4: @verifies on test_version_check names nothing: BASE-V2-404",
            id="verifies",
        ),
        pytest.param(
            SCENARIO,
            '    """',
            '    blocked("BASE-V2-405")\n    """',
            f"{SCENARIO}:6: there is no requirement BASE-V2-405",
            id="mention",
        ),
        pytest.param(
            SCENARIO,
            '    """',
            '    blocked(f"BASE-V3-{kind}")\n    """',
            f"{SCENARIO}:6: there is no requirement BASE-V3-*",
            id="composed mention",
        ),
        pytest.param(SCENARIO, "def test", "def 1test", f"{SCENARIO}:5: is not valid Python", id="no python"),
        pytest.param(
            "reference/faults/base.py",
            "BASE-V2-200",
            "BASE-V3",
            "reference/faults/base.py:1: there is no requirement BASE-V3",
            id="fault",
        ),
    ],
)
def test_problem_is_named_with_its_place(tree: Tree, file: str, old: str, new: str, problem: str) -> None:
    tree.replace(file, old, new)
    problems = tree.problems()
    assert any(line.startswith(problem) for line in problems), "\n".join(problems)


def test_longer_cycle_is_named_once(tree: Tree) -> None:
    tree.replace(
        BASE,
        "  statuses: [200]\n- id: BASE-V2-H",
        "  statuses: [200]\n  presumes: [BASE-V2-HEADER]\n- id: BASE-V2-H",
    )
    assert tree.problems() == [f"{BASE}:1: cycle of presumes: BASE-V2-200 > BASE-V2-HEADER > BASE-V2-200"]


def test_composed_id_that_fits_a_requirement_is_no_problem(tree: Tree) -> None:
    tree.replace(SCENARIO, '    """', '    blocked(f"BASE-V2-{kind}", f"{place} was asked")\n    """')
    assert tree.problems() == []


def test_missing_file_is_a_problem_and_no_exception(tree: Tree) -> None:
    (tree.folder / "spec/sources.yaml").unlink()
    assert "spec/sources.yaml:1: cannot be read: No such file or directory" in tree.problems()


def test_ids_of_a_module_constant_count_as_verified(tree: Tree) -> None:
    tree.write(
        "conformance/scenarios/base/test_more.py",
        'IDS = ("BASE-V2-200", "BASE-V2-HEADER")\n\n\n@verifies(*IDS)\nclass TestMore:\n    pass\n',
    )
    scenarios = tree.check().trace.scenarios_of("BASE-V2-HEADER")
    assert [(s.name, s.file, s.line) for s in scenarios] == [("TestMore", "conformance/scenarios/base/test_more.py", 4)]


def test_what_no_fault_breaks_is_a_problem(tree: Tree) -> None:
    tree.replace("reference/faults/base.py", "BASE-V2-HEADER", "BASE-V2-200")
    assert tree.problems() == [f"{BASE}:8: no fault breaks BASE-V2-HEADER"]


def test_a_reason_stands_for_a_fault_and_not_beside_one(tree: Tree) -> None:
    tree.replace(BASE, "  needs:", "  unprovable: A permission is not owed.\n  needs:")
    place = "reference/faults/base.py:2"
    assert tree.problems() == [f"{BASE}:8: BASE-V2-HEADER is broken by no-header ({place}) and yet unprovable"]
    tree.replace("reference/faults/base.py", "BASE-V2-HEADER", "BASE-V2-200")
    assert tree.problems() == []
    tree.replace(BASE, "  untestable:", "  unprovable: It cannot fail.\n  untestable:")
    assert tree.problems() == [f"{BASE}:17: BASE-V2-FREE is unprovable although nothing decides it"]


def test_command_prints_problems_and_numbers(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--root", str(tree.folder)]) == 0
    assert "no problems" in capsys.readouterr().out
    tree.replace(BASE, "docker-api", "oci")
    assert main(["check", "--root", str(tree.folder)]) == 1
    output = capsys.readouterr().out
    assert output.startswith(f"{BASE}:5: unknown source oci\n")
    assert "1 problem\n" in output
    assert "planned" in output


def test_show_prints_all_that_refers_to_a_requirement(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "BASE-V2-200", "--root", str(tree.folder)]) == 0
    output = capsys.readouterr().out
    for part in (
        "BASE-V2-200  (spec/requirements/base.yaml:1)",
        "The version check is answered 200.",
        "docker-v2 MUST",
        "The Docker document, July 2021: API Version Check",
        "https://example.org/api.md",
        "presumed by BASE-V2-HEADER",
        "test_version_check  conformance/scenarios/base/test_base.py:4",
        "no-base  reference/faults/base.py:1",
    ):
        assert part in output


def test_show_names_who_implements_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "PULL-ACCEPT-CASE"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "held by distribution v3" in output
    assert "broken by docker-registry 2.8.2" in output


def test_show_of_an_unknown_id_is_one_sentence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "BASE-V2-20", "--root", str(tree.folder)]) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "There is no requirement 'BASE-V2-20' in the catalogue; did you mean BASE-V2-200" in error


def test_wrong_argument_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["shew"])
    assert stop.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1
