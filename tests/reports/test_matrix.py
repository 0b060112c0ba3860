"""The matrix: what its cells say, what it refuses, and its page in a browser."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from reports import ReportError
from reports.__main__ import main
from reports.matrix.columns import read
from reports.matrix.table import ABSENT, OUTDATED, SILENT, build
from tests.reports import samples

_AT = samples.PROFILES.index("oci-1.1")


def _save(folder: Path, name: str, report: dict[str, Any], **changes: Any) -> Path:
    path = folder / name / "report.json"
    path.parent.mkdir(parents=True)
    for part in ("target", "run"):
        report[part].update(changes.get(part, {}))
    path.write_text(json.dumps(report), encoding="utf-8")
    return path


def _held() -> dict[str, Any]:
    entries = copy.deepcopy(samples.report()["requirements"])
    for entry in entries:
        entry.update(outcome="held", reason="", verdicts=dict.fromkeys(entry["levels"], "PASS"))
    return samples.report(entries)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two versions of a product, and another product by an earlier catalogue."""
    _save(tmp_path, "docker-registry-2.8.2", samples.report())
    (tmp_path / "docker-registry-2.8.2" / "how.txt").write_text("docker-registry serve <config>", encoding="utf-8")
    _save(
        tmp_path, "docker-registry-2.9.0", _held(), target={"version": "2.9.0"}, run={"started": "2026-11-25T10:00:00Z"}
    )
    old = _held()
    old["requirements"] = [entry for entry in old["requirements"] if entry["id"] != "BASE-GET-200"]
    for entry in old["requirements"]:
        if entry["id"] in {"PULL-BLOB-GET-200", "DISCOVERY-TAGS-N"}:
            entry["statement"] = "It was said otherwise."
        if entry["id"] == "DISCOVERY-TAGS-N":
            entry.update(outcome="broken", verdicts=dict.fromkeys(entry["levels"], "FAIL"))
        if entry["id"] == "PUSH-MOUNT-201":
            entry["levels"]["oci-1.1"] = "MUST"
    other = samples.report(old["requirements"])
    _save(
        tmp_path,
        "olareg-1",
        other,
        target={"product": "olareg", "version": "1"},
        run={"started": "2026-11-20T10:00:00Z"},
    )
    return tmp_path


def test_cells(folder: Path) -> None:
    matrix = build(read([folder]))
    assert [column.title for column in matrix.columns] == ["docker-registry 2.8.2", "docker-registry 2.9.0", "olareg 1"]
    cells = {row.entry["id"]: [cell.verdicts[_AT] for cell in row.cells] for row in matrix.rows}
    assert cells["DISCOVERY-TAGS-ORDER"] == ["FAIL", "PASS", "PASS"]
    # Not by the words or the level that the newest catalogue has.
    assert cells["PULL-BLOB-GET-200"] == ["PASS", "PASS", OUTDATED]
    assert cells["PUSH-MOUNT-201"] == ["PASS", "PASS", OUTDATED]
    assert cells["DISCOVERY-TAGS-N"] == ["FAIL", "PASS", OUTDATED]
    assert cells["BASE-GET-200"] == ["PASS", "PASS", ABSENT]
    assert cells["BASE-VERSION-HEADER"] == [SILENT, SILENT, SILENT]
    assert matrix.is_old(matrix.columns[2]) and not matrix.is_old(matrix.columns[0])
    found = next(row for row in matrix.rows if row.entry["id"] == "DISCOVERY-TAGS-N").found
    assert [cell.column.slug for cell in found] == ["docker-registry-2.8.2"]
    share = matrix.share(0, _AT, "discovery")
    assert (share.passed, share.decided) == (1, 3)


def test_the_part_beside_a_whole_is_passed_over(tmp_path: Path) -> None:
    _save(tmp_path, "one", samples.report())
    part = samples.report()
    part["run"]["complete"] = False
    _save(tmp_path, "one/part", part)
    assert [column.slug for column in read([tmp_path])] == ["one"]


def test_the_variant_is_what_the_folder_says_more(tmp_path: Path) -> None:
    _save(tmp_path, "docker-registry-2.8.2-delete-off", samples.report())
    assert read([tmp_path])[0].title == "docker-registry 2.8.2 (delete-off)"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def test_the_site(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "site"
    assert main(["matrix", str(folder), "-o", str(out)]) == 0
    assert "3 reports, 18 requirements" in capsys.readouterr().out
    pages = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.html"))
    assert len([page for page in pages if page.startswith("requirement/")]) == 18
    assert "registry/docker-registry-2.9.0.html" in pages
    # The page of an earlier report would show findings that were worded otherwise since.
    assert [page for page in pages if page.startswith("report/")] == [
        "report/docker-registry-2.8.2.html",
        "report/docker-registry-2.9.0.html",
    ]
    for page in pages:
        links = _Links()
        links.feed((out / page).read_text(encoding="utf-8"))
        for link in links.found:
            path, _, _ = link.partition("#")
            assert not path or re.match(r"https?:|data:", path) or (out / page).parent.joinpath(path).is_file(), link
    registry = (out / "registry/docker-registry-2.8.2.html").read_text(encoding="utf-8")
    assert "docker-registry serve &lt;config&gt;" in registry
    newer = (out / "registry/docker-registry-2.9.0.html").read_text(encoding="utf-8")
    assert "0 newly broken, 4 repaired" in newer
    requirement = (out / "requirement/DISCOVERY-TAGS-N.html").read_text(encoding="utf-8")
    assert requirement.count('<article class="card">') == 1
    # Again in its place, and never in the place of something else.
    assert main(["matrix", str(folder / "olareg-1"), "-o", str(out)]) == 0
    assert len(list((out / "registry").iterdir())) == 1
    assert main(["matrix", str(folder), "-o", str(folder)]) == 4
    assert "holds something that is no matrix" in capsys.readouterr().err
    assert (folder / "olareg-1" / "report.json").is_file()


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReportError, match=r"has no report\.json"):
        read([tmp_path / "empty"])
    part = samples.report()
    part["run"]["complete"] = False
    with pytest.raises(ReportError, match="is of a part of the suite"):
        read([_save(tmp_path, "part", part)])
    one = _save(tmp_path, "a/same", samples.report())
    two = _save(tmp_path, "b/same", samples.report())
    with pytest.raises(ReportError, match="another report is named same too"):
        read([one, two])
    assert main(["matrix", str(one), "--profile", "oci-9", "-o", str(tmp_path / "x")]) == 4
    assert "there is no oci-9" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_hostile_texts_are_text(tmp_path: Path, browser: webdriver.Chrome) -> None:
    _save(tmp_path, "one", samples.hostile(samples.report()))
    (tmp_path / "one" / "how.txt").write_text("</pre><script>window.pwned=1</script>", encoding="utf-8")
    assert main(["matrix", str(tmp_path), "-o", str(tmp_path / "site"), "--title", "<img src=x onerror=pwned=1>"]) == 0
    pages = ["index.html", *(f"{part}/{path.name}" for part in ("registry", "requirement")
             for path in sorted((tmp_path / "site" / part).iterdir())[:2])]  # fmt: skip
    for page in pages:
        browser.get((tmp_path / "site" / page).as_uri())
        assert not browser.execute_script("return window.pwned || document.images.length || document.forms.length > 1")


def test_filters_and_deep_links(folder: Path, tmp_path: Path, browser: webdriver.Chrome) -> None:
    assert main(["matrix", str(folder), "-o", str(tmp_path / "site")]) == 0
    address = (tmp_path / "site" / "index.html").as_uri()

    def shown() -> list[str]:
        rows = browser.find_elements(By.CSS_SELECTOR, "#grid tbody tr")
        return [str(row.get_attribute("id"))[2:] for row in rows if row.is_displayed()]

    def letters(name: str) -> str:
        cells = browser.find_elements(By.CSS_SELECTOR, f"#r-{name} td.c")
        return "".join(str(cell.get_attribute("class"))[-1] for cell in cells)

    browser.get("about:blank")
    browser.get(address)
    assert "BASE-VERSION-HEADER" not in shown() and len(shown()) == 17
    assert letters("DISCOVERY-TAGS-ORDER") == "FPP"
    browser.get(address + "#show=differ&category=discovery")
    assert shown() == ["DISCOVERY-TAGS-N", "DISCOVERY-TAGS-ORDER"]
    browser.get(address + "#profile=docker-v2&q=version")
    assert shown() == ["BASE-VERSION-HEADER"]
    assert letters("BASE-VERSION-HEADER") == "PPP"
    assert browser.find_element(By.ID, "status").text == "1 of 18"
    browser.execute_script("document.querySelector('#filters [type=reset]').click()")
    assert browser.execute_script("return new Promise(done => setTimeout(() => done(location.hash), 100))") in {"", "#"}
    browser.set_window_size(390, 800)
    wide = browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    browser.set_window_size(1280, 900)
    assert not wide
    assert not [entry for entry in cast("Any", browser).get_log("browser") if entry["level"] == "SEVERE"]
