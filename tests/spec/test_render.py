"""The pages of the specification: complete, linked, escaped, and the same each time."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reference.faults import ALL as FAULTS
from reference.variants import ALL as VARIANTS
from spec import document
from spec.__main__ import main
from spec.catalogue import ROOT, load
from spec.render import Site, stale, write
from spec.render.contract import Reader, brief

from .miniature import Tree

REPOSITORY = ROOT.parent
OUTPUT = REPOSITORY / "docs" / "specification"


class _Page(HTMLParser):
    """Collects anchors, links and whatever a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        self.loads += [tag] if tag in {"script", "img", "iframe"} or "src" in values or "style" in values else []
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return Site(REPOSITORY, OUTPUT).pages()


@pytest.fixture(scope="module")
def parsed(pages: dict[str, str]) -> dict[str, _Page]:
    return {name: _Page(text) for name, text in pages.items() if name.endswith(".html")}


def test_everything_has_its_anchor(parsed: dict[str, _Page]) -> None:
    for requirement in load():
        assert requirement.id in parsed[f"requirements/{requirement.category}.html"].anchors
    for operation in document.operations(document.load()):
        assert set(operation.ids) <= set(parsed[f"operations/{operation.id}.html"].anchors)
    assert set(FAULTS) <= set(parsed["faults.html"].anchors)
    assert set(VARIANTS) <= set(parsed["variants.html"].anchors)
    known = load()
    anchors = set(parsed["profiles.html"].anchors)
    assert {
        *known.profiles,
        *(f"source-{s}" for s in known.sources),
        *(f"capability-{c}" for c in known.capabilities),
    } <= (anchors)


def test_links_lead_somewhere(parsed: dict[str, _Page], pages: dict[str, str]) -> None:
    assert not [f"{name}: {link}" for name, page in parsed.items() for link in _dead(name, page, parsed, pages)]


def _dead(name: str, page: _Page, parsed: dict[str, _Page], pages: dict[str, str]) -> Iterator[str]:
    for link in set(page.links):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(Path(name).parent / path) if path else name
        if target in pages:
            if anchor and anchor not in parsed[target].anchors:
                yield link
        elif anchor or not Path(os.path.normpath(OUTPUT / target)).is_file():
            yield link


def test_pages_load_nothing_and_are_well_formed(parsed: dict[str, _Page]) -> None:
    for name, page in parsed.items():
        assert not page.loads, name
        assert not page.open, name
        assert len(page.anchors) == len(set(page.anchors)), name


def test_pages_are_the_same_each_time(pages: dict[str, str]) -> None:
    assert Site(REPOSITORY, OUTPUT).pages() == pages
    assert sum(map(len, pages.values())) < 2_500_000


def test_what_faults_and_variants_say_is_read_rightly() -> None:
    found = Site(REPOSITORY, OUTPUT).trace
    assert {each.name: (each.title, each.ids) for each in found.faults} == {
        name: (fault.title, fault.breaks) for name, fault in FAULTS.items()
    }
    assert {each.name: (each.title, each.words.get("lacks", ())) for each in found.variants} == {
        name: (variant.title, variant.lacks) for name, variant in VARIANTS.items()
    }


def test_stale_pages_are_named_and_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(tmp_path)
    site = Site(tmp_path, tmp_path / "docs")
    assert len(stale(site)) == len(site.pages())
    assert len(write(site)) == len(site.pages())
    assert stale(site) == []
    assert write(site) == []
    tree.replace("docs/index.html", "registry", "registrar")
    tree.write("docs/old.html", "a page of before")
    arguments = ["render", "--root", str(tmp_path), "--output", str(tmp_path / "docs")]
    assert main([*arguments, "--check"]) == 1
    told = capsys.readouterr().out
    assert "index.html: is stale" in told
    assert "old.html: is no page any more" in told
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    assert not (tmp_path / "docs" / "old.html").exists()


def test_text_is_escaped_and_linked(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.replace(
        "spec/requirements/base.yaml",
        "The version check has a header.",
        'A `<b>` & "c" beside BASE-V2-200 and BASE-V2-999, <script>alert(1)</script>.',
    )
    tree.replace("reference/faults/base.py", "has no version", "has no <version>")
    pages = Site(tmp_path, tmp_path / "docs").pages()
    page = pages["requirements/base.html"]
    assert "<script" not in page
    assert (
        '<code>&lt;b&gt;</code> &amp; &#34;c&#34; beside <a href="#BASE-V2-200">BASE-V2-200</a> and BASE-V2-999' in page
    )
    assert "GET of /v2/ has no &lt;version&gt;" in page
    assert "GET of /v2/ has no &lt;version&gt;" in pages["faults.html"]


def test_operations_tell_headers_and_requirements() -> None:
    views = {view.name: view for view in Reader(document.load()).views()}
    answer = next(each for each in views["manifest.get"].answers if each.status == "200")
    headers = {header.name: header for header in answer.headers}
    assert headers["Docker-Content-Digest"].ids == ("PULL-MANIFEST-GET-DCD",)
    assert headers["Docker-Content-Digest"].schema == "digest-header"
    assert headers["Warning"].plain
    assert "PULL-MANIFEST-GET-CONTENT-TYPE" in answer.bodies[0].ids
    assert views["upload.start"].operation.ids == ("upload.start", "upload.start-digest", "upload.mount")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 0}, "integer at least 0"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"type": "string", "minLength": 1}, "string that is not empty"),
        ({"enum": [1, 2]}, "one of 1, 2"),
        ({"$ref": "#/components/schemas/errors"}, "errors"),
        ({}, ""),
    ],
)
def test_schemas_in_a_few_words(schema: dict[str, object], words: str) -> None:
    assert brief(schema) == words
