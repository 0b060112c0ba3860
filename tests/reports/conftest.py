"""One headless Chromium for all the tests of the page, and the pages it looks at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

import reports
from tests.reports import samples

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: looks at the page in headless Chromium")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start Chromium with a profile of its own."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing = " and ".join(name for name, path in (("chromium", chromium), ("chromedriver", driver)) if not path)
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing} is missing, and with CI=true nothing is skipped")
        pytest.skip(f"{missing} is missing")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(20)
    yield chrome
    chrome.quit()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the sample reports and return the page of each."""
    made = {
        "plain": samples.report(),
        "hostile": samples.hostile(samples.report()),
        "large": samples.large(500),
        "without-findings": samples.report([e for e in samples.report()["requirements"] if e["outcome"] == "held"]),
    }
    root = tmp_path_factory.mktemp("pages")
    for name, report in made.items():
        reports.write(report, root / name)
    return {name: root / name / "report.html" for name in made}
