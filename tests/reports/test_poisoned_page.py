"""Reports of runs against targets that send markup and control characters show them as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.hostile.targets.poison import CASES
from tests.hostile.trial import judged, trial
from tests.support.sampling import sampled

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "chromedriver")]

#: Those that get as far as a report.
_NAMES = [case.name for case in CASES if 1 in case.endings]
_POLICY = re.compile(
    r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; img-src data:; "
    r"base-uri 'none'; form-action 'none'"
)


def _log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]  # selenium has no types there


def _requests(browser: Chrome) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in _log(browser, "performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


@pytest.mark.parametrize("name", sampled(_NAMES, 0, always=["poison-everywhere"]))
def test_poison_is_shown_as_text(name: str, browser: Chrome, tmp_path: Path) -> None:
    done = trial(name, tmp_path)
    # Terminal, Markdown, JUnit and Allure are looked at there.
    assert judged(done) == []
    page = done.folder / "report" / "report.html"
    assert done.run.report is not None

    for kind in ("browser", "performance"):
        _log(browser, kind)
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    policy = browser.find_element(By.CSS_SELECTOR, "meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert _POLICY.fullmatch(str(policy))
    titled = browser.title
    assert "owned" not in titled and done.target.address in titled
    # Clicks and filters make parts of the page anew.
    for box in browser.find_elements(By.CSS_SELECTOR, "input[name=verdict]"):
        browser.execute_script("arguments[0].click()", box)
    browser.execute_script("return new Promise(done => setTimeout(done, 200))")
    assert browser.title == titled
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed, [onerror], [onload], [style]")
    for link in browser.find_elements(By.CSS_SELECTOR, "a[href]"):
        assert str(link.get_dom_attribute("href")).startswith(("#", "https://"))
    assert _log(browser, "browser") == []
    assert _requests(browser) == [page.as_uri()]
    # Not all of them come as far as a finding.
    if "<script>" in json.dumps(done.run.report["findings"]):
        text = str(browser.execute_script("return document.body.textContent"))
        assert "<script>document.title='owned'</script>" in text
