"""The sentences of a source are found, known by a hash, and compared with what is decided of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import spec
from spec import catalogue
from spec.__main__ import main
from spec.texts import sentences
from spec.texts.decisions import read

from .miniature import Tree

DOCUMENT = """\
# A specification

The words MUST and MAY are those of RFC 2119.

## API Version Check

A registry MUST answer `GET /v2/` with 200. It says more
in a header, and [SHOULD](#words) do so. Nothing else follows.

```
A block of code MUST be left out.
```

- An item MAY be a sentence of its own
- another says nothing

### Errors

| code | meaning |
| --- | --- |
| `X` | it SHOULD NOT be sent with <name> |

Those who write in lower case must be asked for.
"""


def test_sentences_have_section_line_and_words() -> None:
    found = [(each.section, each.line, each.words, each.text) for each in sentences(DOCUMENT)]
    top, check = "A specification", "A specification > API Version Check"
    assert found == [
        (top, 3, ("MUST", "MAY"), "The words MUST and MAY are those of RFC 2119."),
        (check, 7, ("MUST",), "A registry MUST answer GET /v2/ with 200."),
        (check, 7, ("SHOULD",), "It says more in a header, and SHOULD do so."),
        (check, 14, ("MAY",), "An item MAY be a sentence of its own"),
        (f"{check} > Errors", 21, ("SHOULD NOT",), "| X | it SHOULD NOT be sent with <name> |"),
    ]


def test_words_in_lower_case_are_taken_where_they_are_asked_for() -> None:
    assert "Those who write in lower case must be asked for." in [each.text for each in sentences(DOCUMENT, plain=True)]


def test_a_hash_depends_on_words_and_not_on_mark_up() -> None:
    def of(text: str) -> str:
        return next(sentences(text)).hash

    assert of("It **MUST** be `so`.\n") == of("\n\nIt MUST\nbe so.")
    assert of("It MUST be so.") != of("It MUST be thus.")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.write("document.md", DOCUMENT)
    return made


def run(tree: Tree, *more: str) -> int:
    document = str(tree.folder / "document.md")
    return main(["coverage", document, "--source", "docker-api", "--root", str(tree.folder), *more])


def decide(tree: Tree, *left_out: int) -> None:
    lines = []
    for number, each in enumerate(sentences(DOCUMENT)):
        if number not in left_out:
            decided = "ids: [BASE-V2-200]" if "200" in each.text else "reason: It asks nothing of a registry."
            lines.append(f'- section: {each.section}\n  hash: "{each.hash}"\n  {decided}\n')
    tree.write("spec/coverage/docker-api.yaml", "".join(lines))


def test_what_is_decided_is_counted(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tree) == 1
    assert "0 sentences covered by 0 requirements, 0 left out with a reason, 5 undecided" in capsys.readouterr().out
    decide(tree)
    assert run(tree) == 0
    told = capsys.readouterr().out
    assert told == "1 sentences covered by 1 requirements, 4 left out with a reason, 0 undecided, 0 gone\n"
    decide(tree, 1)
    assert run(tree) == 1
    assert "line 7, A specification > API Version Check\n           A registry MUST" in capsys.readouterr().out


def test_a_sentence_in_several_places_is_counted_once(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    decide(tree)
    tree.write("document.md", f"{DOCUMENT}\n# Once more\n\nA registry MUST answer `GET /v2/` with 200.\n")
    assert run(tree) == 0
    assert capsys.readouterr().out.startswith("1 sentences covered by 1 requirements, 4 left out")


def test_a_changed_sentence_is_told_with_what_hangs_on_it(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    decide(tree)
    tree.replace("document.md", "with 200", "with 204")
    assert run(tree) == 1
    told = capsys.readouterr().out
    assert "with 204." in told
    assert "A specification > API Version Check: changed or withdrawn; on it hang BASE-V2-200" in told


def test_stubs_name_candidates_and_no_text(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tree, "--stubs") == 1
    told = capsys.readouterr().out
    assert '- section: "A specification > API Version Check"' in told
    assert "ids: [BASE-V2-200, BASE-V2-HEADER, BASE-V2-FREE]" in told
    assert "A registry MUST answer" not in told
    tree.write("spec/coverage/docker-api.yaml", told)
    assert run(tree) == 4  # a stub without candidates is no decision
    assert "it has ids or a reason, and not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ("a: b\n", "spec/coverage/docker-api.yaml:1: is not a list of decisions"),
        ("- {section: a, hash: b, ids: [BASE-V9]}\n", "docker-api.yaml:1: there is no requirement BASE-V9"),
        ("- {section: a, hash: b, reason: c, why: d}\n", "malformed decision: unknown member why"),
        ("- {section: a, reason: c}\n", "malformed decision: 'hash'"),
        (
            "- {section: a, hash: b, reason: c}\n- {section: a, hash: b, reason: c}\n",
            "docker-api.yaml:2: b stands twice",
        ),
        ("- [\n", "is not valid YAML"),
    ],
)
def test_malformed_decisions_are_named(
    tree: Tree, capsys: pytest.CaptureFixture[str], decisions: str, told: str
) -> None:
    tree.write("spec/coverage/docker-api.yaml", decisions)
    assert run(tree) == 4
    assert told in capsys.readouterr().err


def test_bad_arguments_are_one_sentence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "nowhere.md", "--source", "docker-api", "--root", str(tree.folder)]) == 4
    assert "nowhere.md cannot be read: No such file" in capsys.readouterr().err
    assert main(["coverage", "nowhere.md", "--source", "docker-app", "--root", str(tree.folder)]) == 4
    assert "--source: there is no 'docker-app'; did you mean docker-api?" in capsys.readouterr().err


def test_the_check_reads_decisions(tree: Tree) -> None:
    tree.write("spec/coverage/docker-api.yaml", "- {section: a, hash: b, ids: [BASE-V9]}\n")
    assert tree.problems() == ["spec/coverage/docker-api.yaml:1: there is no requirement BASE-V9"]
    tree.write("spec/coverage/docker-api.yaml", "- {section: a, hash: b, ids: [BASE-V2-200]}\n")
    assert tree.problems() == []
    other = "- {id: oci, title: Another document, url: 'https://example.org/b.md', version: 'One'}\n"
    tree.write("spec/sources.yaml", (tree.folder / "spec/sources.yaml").read_text("utf-8") + other)
    tree.write("spec/coverage/oci.yaml", "- {section: a, hash: b, ids: [BASE-V2-200]}\n")
    assert tree.problems() == ["spec/coverage/oci.yaml:1: BASE-V2-200 does not cite oci"]
    (tree.folder / "spec/coverage/oci.yaml").unlink()
    (tree.folder / "spec/coverage/docker-api.yaml").rename(tree.folder / "spec/coverage/docker-app.yaml")
    assert tree.problems() == ["spec/coverage/docker-app.yaml:1: has the name of no source"]


def test_the_document_counts_what_is_decided() -> None:
    """The table of docs/how-to/change-the-specification.md is that of spec/coverage."""
    root, known = Path(spec.__file__).parent, catalogue.load()
    counted = []
    for path in sorted((root / "coverage").glob("*.yaml")):
        decisions = read(path, known)
        ids = {name for decision in decisions for name in decision.ids}
        reasons = sum(1 for decision in decisions if decision.reason)
        counted.append(f"| {path.stem} | {len(decisions) - reasons} | {len(ids)} | {reasons} |")
    assert "\n".join(counted) in (root.parent / "docs/how-to/change-the-specification.md").read_text(encoding="utf-8")
