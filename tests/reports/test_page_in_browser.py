"""The page as its reader has it: in a browser, by mouse and by keyboard, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

import reports
from tests.reports import samples

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "chromedriver")]

Pages = dict[str, Path]


#: Whether a part of a card stands on another, or a card on a card.
_OVERLAPS = """
    const under = (boxes) => boxes.some((box, at) => boxes.slice(at + 1).some(other =>
        box.left < other.right - 1 && other.left < box.right - 1
        && box.top < other.bottom - 1 && other.top < box.bottom - 1));
    const boxes = (elements) => [...elements].map(each => each.getBoundingClientRect());
    const cards = [...document.querySelectorAll('.card')];
    return under(boxes(cards)) || cards.some(card => under(boxes(card.children)));
"""


def _open(browser: Chrome, page: Path, *, width: int = 1280, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # Without smooth scrolling a click meets its target where it was found.
    media = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]
    features = [{"name": name, "value": value} for name, value in media]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for log in ("browser", "performance"):
        browser.get_log(log)  # type: ignore[no-untyped-call]  # selenium has no types there
    browser.get(page.as_uri())


def _count(browser: Chrome, selector: str) -> int:
    return int(
        _run(browser, "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden).length", selector)
    )


def _run(browser: Chrome, script: str, *arguments: object) -> Any:
    return browser.execute_script(script, *arguments)


def _rows(browser: Chrome) -> int:
    return _count(browser, "#reqs > tbody > tr")


def _find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def _requests(browser: Chrome) -> list[str]:
    entries = browser.get_log("performance")  # type: ignore[no-untyped-call]  # selenium has no types there
    messages = [json.loads(entry["message"])["message"] for entry in entries]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


def _unfold(browser: Chrome) -> None:
    button = _find(browser, "#unfold")
    if button.is_displayed():
        button.click()


def _expected(report: dict[str, Any], profile: str = samples.CHOSEN, **want: str) -> int:
    entries = [entry for entry in report["requirements"] if profile in entry["verdicts"]]
    if "verdict" in want:
        entries = [entry for entry in entries if entry["verdicts"][profile] == want["verdict"]]
    if "category" in want:
        entries = [entry for entry in entries if entry["category"] == want["category"]]
    return len(entries)


def titled(report: dict[str, Any], verdict: str) -> list[str]:
    """Return the ids of the chosen profile that have a verdict."""
    return sorted(e["id"] for e in report["requirements"] if e["verdicts"].get(samples.CHOSEN) == verdict)


@pytest.mark.parametrize("name", ["plain", "hostile", "large", "without-findings"])
def test_page_loads_nothing_and_complains_of_nothing(browser: Chrome, pages: Pages, name: str) -> None:
    _open(browser, pages[name])
    assert _requests(browser) == [pages[name].as_uri()]
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]  # selenium has no types there


def test_hostile_texts_are_shown_and_not_obeyed(browser: Chrome, pages: Pages) -> None:
    _open(browser, pages["hostile"])
    _run(browser, "document.querySelectorAll('details').forEach(d => { d.open = true })")
    for link in browser.find_elements(By.CSS_SELECTOR, "a[href]"):
        assert str(link.get_dom_attribute("href")).startswith(("#", "https://"))
    assert _run(browser, "return window.pwned") is None
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "main img, main b > b, [onload], [onerror], main script, iframe")
    assert browser.find_elements(By.CSS_SELECTOR, "main") and len(browser.find_elements(By.TAG_NAME, "main")) == 1
    text = str(_run(browser, "return document.body.textContent"))
    for shown in ("<script>window.pwned=1</script>", "\\u{1b}[31m", "\\u{0}", "\\u{202e}evil", "\\u{d800}", "{{7*7}}"):
        assert shown in text
    assert not set(text) & set("\x00\x1b\x07\u202e\u2066\u200b\u2028\ufeff\ufffd\x9b\ud800")
    assert browser.title.startswith("FAIL: <script>")
    _unfold(browser)
    assert _rows(browser) == _expected(samples.report())


def test_a_breach_of_the_policy_is_stopped(browser: Chrome, pages: Pages) -> None:
    _open(browser, pages["plain"])
    _run(
        browser,
        "const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s);"
        "const i = new Image(); i.src = 'http://127.0.0.1:9/x'; document.body.append(i);"
        "document.body.setAttribute('onclick', 'window.pwned = 2'); document.body.click();",
    )
    assert _run(browser, "return window.pwned") is None
    assert "violates" in str(browser.get_log("browser"))  # type: ignore[no-untyped-call]  # selenium has no types there


def test_numbers_are_those_of_the_report(browser: Chrome, pages: Pages) -> None:
    report = samples.report()
    _open(browser, pages["plain"])
    assert _rows(browser) == 17 - _expected(report, verdict="PASS") - _expected(report, verdict="UNSUPPORTED") == 8
    assert _find(browser, "#unfold").text == "Show 9 that are PASS or UNSUPPORTED"
    assert _find(browser, "#status").text == "Showing 8 of 17 requirements and 4 findings of oci-1.1."
    _unfold(browser)
    assert not _find(browser, "#unfold").is_displayed()
    assert _rows(browser) == _expected(report) == 17
    assert _count(browser, ".finding") == len(report["findings"])
    assert _find(browser, "[data-count='verdict:FAIL']").text == str(_expected(report, verdict="FAIL"))
    assert _find(browser, "[data-count='category:pull']").text == str(_expected(report, category="pull"))
    card = _find(browser, ".card.decisive")
    assert (
        "oci-1.1" in card.text and "FAIL" in card.text and "3 FAIL, 1 ERROR, 1 WARNING, 3 MUST not decided" in card.text
    )
    assert [link.text for link in card.find_elements(By.CSS_SELECTOR, ".failures a")] == titled(report, "FAIL")
    assert _find(browser, "#status").text == "Showing 17 requirements and 4 findings of oci-1.1."
    titles = [row.text for row in browser.find_elements(By.CSS_SELECTOR, ".finding .pill") if row.is_displayed()]
    assert titles == ["FAIL", "FAIL", "FAIL", "WARNING"]


def test_filters_by_mouse(browser: Chrome, pages: Pages) -> None:
    report = samples.report()
    _open(browser, pages["plain"])
    _find(browser, "input[name=verdict][value=FAIL]").click()
    assert (_rows(browser), _count(browser, ".finding")) == (_expected(report, verdict="FAIL"), 3)
    _find(browser, "input[name=category][value=pull]").click()
    assert (_rows(browser), _count(browser, ".finding")) == (1, 1)
    assert _find(browser, "#status").text == "Showing 1 of 17 requirements and 1 of 4 findings of oci-1.1."
    _find(browser, "input[name=verdict][value=WARNING]").click()
    assert (_rows(browser), _count(browser, ".finding")) == (2, 2)
    _find(browser, "#reset").click()
    assert _rows(browser) == 8
    _unfold(browser)
    assert _rows(browser) == 17
    _find(browser, "input[name=profile][value='0']").click()
    assert _rows(browser) == _expected(report, "docker-v2") == 15
    assert _count(browser, ".finding") == 3
    _find(browser, "#text").send_keys("lexical order")
    assert _rows(browser) == 0
    assert _find(browser, "#no-requirements").is_displayed()


def test_a_cell_of_the_matrix_leads_to_its_requirements(browser: Chrome, pages: Pages) -> None:
    report = samples.report()
    _open(browser, pages["plain"])
    _find(browser, "button.cell[data-profile='3'][data-category=discovery]").click()
    assert _rows(browser) == _expected(report, "oci-1.2-dev", category="discovery")
    assert _find(browser, "input[name=profile][value='3']").is_selected()


def test_everything_works_by_keyboard(browser: Chrome, pages: Pages) -> None:
    report = samples.report()
    _open(browser, pages["plain"])
    keys = ActionChains(browser)
    keys.send_keys(Keys.TAB).perform()
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the findings" and skip.rect["y"] >= 0
    assert "none" not in skip.value_of_css_property("outline-style")
    keys.send_keys(Keys.ENTER).perform()
    assert browser.switch_to.active_element.get_attribute("id") == "findings"
    _find(browser, "#text").send_keys("TAGS", Keys.TAB)
    assert _rows(browser) == 3
    assert browser.switch_to.active_element.get_attribute("value") == "2"
    keys.send_keys(Keys.ARROW_UP).perform()
    assert _rows(browser) == 3 and _find(browser, "input[name=profile][value='1']").is_selected()
    keys.send_keys(Keys.TAB, Keys.SPACE).perform()
    assert browser.switch_to.active_element.get_attribute("value") == "FAIL"
    assert _rows(browser) == 2
    _find(browser, "#reset").send_keys(Keys.ENTER)
    _find(browser, "#unfold").send_keys(Keys.ENTER)
    assert _rows(browser) == _expected(report)
    summary = _find(browser, ".exchange > summary")
    summary.send_keys(Keys.ENTER)
    assert _find(browser, ".exchange").get_attribute("open") == "true"
    button = _find(browser, "button.copy")
    assert button.is_displayed()
    button.send_keys(Keys.SPACE)


def test_a_link_to_what_is_filtered_away_shows_it(browser: Chrome, pages: Pages) -> None:
    _open(browser, pages["plain"])
    _find(browser, "input[name=verdict][value=PASS]").click()
    assert not _find(browser, "#r-DISCOVERY-TAGS-N").is_displayed()
    _run(browser, "location.hash = '#r-DISCOVERY-TAGS-N'")
    ActionChains(browser).pause(0.1).perform()
    assert _find(browser, "#r-DISCOVERY-TAGS-N").is_displayed()


def test_dark_theme_by_preference_and_by_button(browser: Chrome, pages: Pages) -> None:
    def ground() -> str:
        return str(_run(browser, "return getComputedStyle(document.body).backgroundColor"))

    _open(browser, pages["plain"])
    light = ground()
    _find(browser, "#theme").click()
    dark = ground()
    assert dark != light
    assert _find(browser, "#theme").get_attribute("aria-pressed") == "true"
    _open(browser, pages["plain"], scheme="dark")
    assert ground() == dark
    _find(browser, "#theme").click()
    assert ground() == light


@pytest.mark.parametrize("name", ["plain", "hostile"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browser: Chrome, pages: Pages, name: str, width: int) -> None:
    _open(browser, pages[name], width=width)
    _run(browser, "document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert _run(browser, "return document.documentElement.scrollWidth") <= width


def test_a_scope_moves_nothing_of_its_card_onto_something_else(browser: Chrome, tmp_path: Path) -> None:
    report = samples.report()
    one = next(each for each in report["requirements"] if set(each["verdicts"]) == {"docker-v2"})
    one |= {"outcome": "not tested", "verdicts": {"docker-v2": "NOT_TESTED"}, "withheld": "listener", "reason": "none"}
    report["run"]["profile"] = "docker-v2"
    reports.write(samples.tally(report), tmp_path)
    _open(browser, tmp_path / "report.html")
    assert _count(browser, ".card .scope") == 1
    assert not _run(browser, _OVERLAPS)


def test_the_deciding_card_stands_first_and_wide(browser: Chrome, pages: Pages) -> None:
    for width in (1280, 390):
        _open(browser, pages["plain"], width=width)
        boxes = [card.rect for card in browser.find_elements(By.CSS_SELECTOR, ".card")]
        assert boxes[0]["y"] == min(box["y"] for box in boxes)
        assert boxes[0]["height"] > max(box["height"] for box in boxes[1:])
        assert "decisive" in str(_find(browser, ".card").get_dom_attribute("class"))
        links = browser.find_elements(By.CSS_SELECTOR, ".masthead nav a")
        assert [link.text for link in links if link.is_displayed()] == ["Verdicts", "Findings", "Requirements", "Run"]
        assert not _run(browser, _OVERLAPS)


def test_a_finding_has_the_colour_of_its_verdict(browser: Chrome, pages: Pages) -> None:
    def ground(name: str) -> str:
        return str(_find(browser, f"#f-{name} .came").value_of_css_property("background-color"))

    _open(browser, pages["plain"])
    assert ground("PULL-MANIFEST-HEAD-DIGEST") != ground("DISCOVERY-TAGS-N")
    _find(browser, "input[name=profile][value='3']").click()
    assert ground("PULL-MANIFEST-HEAD-DIGEST") == ground("DISCOVERY-TAGS-N")


def test_what_was_left_and_the_command_to_run_again(browser: Chrome, tmp_path: Path) -> None:
    report = samples.report()
    report["run"] |= {"command": "pytest conformance --seed 5", "left": "2 manifests stay (status 405)"}
    reports.write(report, tmp_path)
    _open(browser, tmp_path / "report.html")
    assert "2 manifests stay (status 405)" in _find(browser, ".facts").text
    assert report["suite"]["commit"] in _find(browser, ".facts").text
    assert _find(browser, "#again-text").text == "pytest conformance --seed 5"


def test_five_hundred_requirements_are_filtered_at_once(browser: Chrome, pages: Pages) -> None:
    report = samples.large(500)
    _open(browser, pages["large"])
    _unfold(browser)
    assert _rows(browser) == _expected(report)
    box = _find(browser, "input[name=verdict][value=FAIL]")
    took = _run(browser, "const t = performance.now(); arguments[0].click(); return performance.now() - t", box)
    assert _rows(browser) == _expected(report, verdict="FAIL")
    assert took < 1000


def test_each_control_has_a_name(browser: Chrome, pages: Pages) -> None:
    _open(browser, pages["plain"])
    one_of_each = (
        ":is(header, aside, .card, .matrix tr:nth-child(2), .finding:first-of-type, #reqs tr:first-child, .group)"
    )
    controls = browser.find_elements(By.CSS_SELECTOR, f"{one_of_each} :is(button, input, a[href], summary)")
    assert len(controls) > 20
    assert [c.get_attribute("outerHTML") for c in controls if c.is_displayed() and not c.accessible_name] == []


def test_no_finding_is_said_in_words(browser: Chrome, pages: Pages) -> None:
    _open(browser, pages["without-findings"])
    assert _find(browser, "#no-findings").text == "No requirement was found broken."
    assert "PASS" in _find(browser, ".card.decisive .verdict").text
