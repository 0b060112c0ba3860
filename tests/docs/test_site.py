"""The site builds without a warning, has an entry for everything, and loads nothing remote."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from conformance.run.option_table import OPTIONS
from docs.site import pages
from docs.site.contract import Reader, brief
from docs.site.facts import Facts
from docs.site.markdown import code, escape, prose, table
from reference.faults import ALL as FAULTS
from reference.variants import ALL as VARIANTS
from spec import document
from spec.catalogue import load
from tests.support.servers import ROOT

_COMMAND = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html")


class _Page(HTMLParser):
    """Collects anchors, and whatever a page loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors.add(values.get("id") or "")
        if tag in {"script", "img", "iframe", "source"}:
            self.loads.append(values.get("src") or "")
        elif tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loads.append(values.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [*_COMMAND, "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[str, _Page]:
    return {path.relative_to(site).as_posix(): _Page(path) for path in site.rglob("*.html")}


def test_everything_has_its_entry(parsed: dict[str, _Page]) -> None:
    there = set[str]().union(*(page.anchors for name, page in parsed.items() if name.startswith("reference/")))
    known = load()
    assert {f"requirement-entry-{requirement.id}" for requirement in known} <= there
    operations = [name for each in document.operations(document.load()) for name in each.ids]
    assert {f"operation-entry-{name}" for name in operations} <= there
    for kind, names in (("fault", FAULTS), ("variant", VARIANTS), ("profile", known.profiles)):
        assert {f"{kind}-entry-{name}" for name in names} <= there
    assert {f"source-entry-{name}" for name in known.sources} <= there
    assert {f"capability-entry-{name}" for name in known.capabilities} <= there
    assert {f"setting-entry-{option.name}" for option in OPTIONS} <= there


def test_nothing_comes_from_elsewhere(site: Path, parsed: dict[str, _Page]) -> None:
    for name, page in parsed.items():
        for load_ in page.loads:
            assert "//" not in load_, name
            assert not load_ or load_.startswith("data:") or _target(site, name, load_).is_file(), (name, load_)
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text(encoding="utf-8"), style
        assert "@import" not in style.read_text(encoding="utf-8"), style


def _target(site: Path, page: str, link: str) -> Path:
    return (site / page).parent / link.partition("?")[0]


def test_the_document_is_shown_where_pages_are_files(site: Path, parsed: dict[str, _Page]) -> None:
    loads = {link.partition("?")[0].rpartition("/")[2] for link in parsed["reference/openapi.html"].loads}
    assert {"swagger-ui.css", "swagger-ui-bundle.js", "openapi.js", "openapi-page.js"} <= loads
    assert (site / "_static" / "openapi.js").read_text(encoding="utf-8").startswith("window.openapi = {")
    others = [link for name, page in parsed.items() if name != "reference/openapi.html" for link in page.loads]
    assert not [link for link in others if "swagger" in link]


@pytest.mark.needs("chromium", "chromedriver")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_document_is_shown_in_a_browser(site: Path, browser: Chrome, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get("about:blank")
    browser.get(f"{(site / 'reference' / 'openapi.html').as_uri()}#/manifests/manifest.put")
    WebDriverWait(browser, 20).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".opblock.is-open .parameters"))
    text = browser.find_element(By.ID, "swagger-ui").text
    assert "Could not resolve" not in text
    assert "an image with one layer" in text
    assert "the name of the repository" in text
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    dark = browser.execute_script("return document.documentElement.classList.contains('dark-mode')")
    assert dark == (scheme == "dark")


def test_search_finds_requirements_by_their_id(site: Path) -> None:
    assert "PULL-BLOB-GET-200" in (site / "searchindex.js").read_text(encoding="utf-8")


def test_links_that_lead_nowhere_are_errors(tmp_path: Path) -> None:
    gone = ["[gone](gone.md)", "[gone](there.md#gone)", "[gone](../gone.py)", "{req}`PULL-GONE`", "{fault}`gone`"]
    (tmp_path / "index.md").write_text("# Title\n\n" + "\n\n".join(gone), encoding="utf-8")
    (tmp_path / "there.md").write_text("---\norphan: true\n---\n# There\n", encoding="utf-8")
    configuration = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    configuration = configuration.replace('"docs.site"]', '"tests.docs.bare"]').replace('"site/static"', "")
    configuration = configuration.replace("Path(__file__).resolve().parent.parent", f'"{ROOT}"')
    (tmp_path / "conf.py").write_text(configuration, encoding="utf-8")
    command = [*_COMMAND, str(tmp_path), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    told = sorted(int(number) for number in re.findall(r"index\.md:(\d+): WARNING", done.stderr))
    assert told == [3, 5, 7, 9, 11], done.stderr


def test_pages_are_the_same_each_time() -> None:
    assert pages.made(Facts(ROOT)) == pages.made(Facts(ROOT))


def test_what_faults_and_variants_say_is_read_rightly() -> None:
    found = Facts(ROOT).trace
    assert {each.name: (each.title, each.ids) for each in found.faults} == {
        name: (fault.title, fault.breaks) for name, fault in FAULTS.items()
    }
    assert {each.name: (each.title, each.words.get("lacks", ())) for each in found.variants} == {
        name: (variant.title, variant.lacks) for name, variant in VARIANTS.items()
    }


def test_text_means_nothing_to_markdown_and_is_linked() -> None:
    assert escape("a *b* [c](d) <e> {f}`") == r"a \*b\* \[c\](d) \<e\> \{f\}`"
    known = {"BASE-V2-200"}
    text = "A `<b>` beside BASE-V2-200, BASE-V2-999 and PULL-*-GET, <script>."
    assert prose(text, known) == r"A `<b>` beside {req}`BASE-V2-200`, BASE-V2-999 and PULL-\*-GET, \<script\>."
    assert table(("a", "b"), [("x|y", "")]) == "| a | b |\n| --- | --- |\n| x\\|y |  |\n"
    assert table(("a",), _nothing()) == ""
    assert (code(""), code("x")) == ("", "`x`")


def _nothing() -> Iterator[tuple[str, ...]]:
    yield from ()


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
