"""The documents agree with the code, and their links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from conformance.command.main import main
from conformance.run.option_table import OPTIONS
from reference.dist.__main__ import main as dist
from reference.faults import ALL as FAULTS
from reference.variants import ALL as VARIANTS
from spec.catalogue import load
from spec.model import Verdict
from tests.docs import generate
from tests.docs.shown import RECORD, shown
from tests.support.servers import ROOT

_LINK = re.compile(
    r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|<(?:img|source|a)\b[^>]*?\b(?:src|srcset|href)=\"([^\"]+)\""
)
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ +(.+?) *#*$", re.MULTILINE)
#: Options of pytest, the reference, curl and skopeo.
_OTHER_OPTIONS = {"--kind", "--junitxml", "--alluredir", "--memory", "--addr", "--fault", "--variant"}
_OTHER_OPTIONS |= {"--path-as-is", "--cacert", "--dest-tls-verify", "--pyargs", "--help"}
_LARGEST_PICTURE = 350_000


def _documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split("\n")  # fmt: skip
    found = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    return sorted(found or [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def _of_commands(command: click.Command) -> set[str]:
    """Return the options of a command and of those below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = {text for parameter in command.params for text in parameter.opts if text.startswith("--")}
    return own.union(*map(_of_commands, below))


def _links(document: Path) -> Iterator[str]:
    for match in _LINK.finditer(_CODE.sub("", document.read_text(encoding="utf-8"))):
        target = match[1] or match[2]
        if not re.match(r"[a-z][a-z0-9+.-]*:", target):
            yield target


def _anchors(document: Path) -> set[str]:
    """Return the anchors of the headings, those of documents that this one includes among them."""
    text = document.read_text(encoding="utf-8")
    included = [document.parent / name for name in re.findall(r"^```\{include\} (\S+)$", text, re.M)]
    headings = _HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    return set[str]().union(*map(_anchors, included)) | {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    dead = []
    for link in _links(document):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if target.parent in {ROOT / "docs" / "reference", ROOT / "docs" / "matrix"}:
            continue  # made when the site is built, which checks links to it
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("part", generate.PARTS)
def test_each_generated_part_is_in_a_document(part: str) -> None:
    wanted = f"<!-- generated: {part} -->\n{generate.PARTS[part]()}\n<!-- end -->"
    texts = [document.read_text(encoding="utf-8") for document in generate.DOCUMENTS]
    assert any(wanted in text for text in texts), "run: python -m tests.docs.generate"


@pytest.mark.parametrize("document", generate.DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_are_up_to_date(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert text == generate.render(text), "run: python -m tests.docs.generate"


def test_a_stale_quotation_is_seen() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for part in ("statement: ", "def test_", "breaks="):
        assert part in text
        assert generate.render(text.replace(part, "stale")) == text


def test_only_what_there_is_can_be_quoted() -> None:
    for part in generate.QUOTES:
        with pytest.raises(LookupError):
            generate.render(f"<!-- generated: {part} PULL-NOTHING -->\n<!-- end -->")


@pytest.mark.parametrize(
    "name", ["README.md", "docs/architecture.md", "docs/reading-a-report.md", "docs/how-to/copy-images.md"]
)
def test_options_that_are_named_exist(name: str) -> None:
    known = {option.flag for option in OPTIONS} | _OTHER_OPTIONS | _of_commands(main) | _of_commands(dist)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (ROOT / name).read_text(encoding="utf-8")))
    assert named <= known


def test_variables_that_are_named_exist() -> None:
    known = {option.variable for option in OPTIONS}
    named = set(re.findall(r"\bREGISTRY_[A-Z_]*[A-Z]", generate.README.read_text(encoding="utf-8")))
    assert named <= known


def test_every_verdict_and_profile_is_explained() -> None:
    text = (ROOT / "docs" / "reading-a-report.md").read_text(encoding="utf-8")
    assert not [word for word in (*Verdict, *load().profiles) if f"`{word}`" not in text]


def test_pictures_are_there_and_small() -> None:
    for name in ("terminal.png", "page.png"):
        picture = ROOT / "docs" / "pictures" / name
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < _LARGEST_PICTURE
    ElementTree.parse(ROOT / "docs" / "architecture.svg")  # noqa: S314  # our own file


def test_pictures_show_what_a_run_shows_today() -> None:
    there = json.loads(RECORD.read_text(encoding="utf-8"))
    assert there == shown(), "the pictures are old; run: make screenshots"


def test_leniencies_name_variants_and_faults() -> None:
    """A leniency names who needs it (variant or test module), and a fault that must not profit."""
    text = (ROOT / "docs" / "leniencies.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    modules = {path.name for path in (ROOT / "tests").rglob("*.py")}
    modules |= {path.relative_to(ROOT / "reference").as_posix() for path in (ROOT / "reference").rglob("*.py")}
    for row in (row for row in rows if len(row) == 4):
        for column, known in ((2, VARIANTS), (3, FAULTS)):
            named = set(re.findall(r"`([^`]+)`", row[column]))
            assert not {name for name in named if name not in known and name not in modules}
