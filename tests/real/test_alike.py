"""Terminal, page, summary, JUnit, Allure and exit code tell the same of one run, by whichever profile."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reports.view import MEANING, label
from spec.catalogue import load
from tests.support.forking import Forker
from tests.support.servers import docker_registry

pytestmark = pytest.mark.needs("docker-registry")

_COUNTED = re.compile(r"(\d+) of (\d+) requirements of (\S+) decided, (\d+) findings? \((\d+) FAIL, (\d+) WARNING\)")
_STATUS = {"FAIL": "failed", "ERROR": "broken", "PASS": "passed", "WARNING": "passed"}


def _junit(path: Path) -> Counter[str]:
    """Count test cases by the verdict that they have, in the words of an outcome of JUnit and of the property."""
    found: Counter[str] = Counter()
    for case in ET.parse(path).getroot().iter("testcase"):  # noqa: S314  # our own file
        verdict = next(str(p.get("value")) for p in case.iter("property") if p.get("name") == "verdict")
        kinds = {child.tag for child in case} - {"properties", "system-out"}
        expected = {"FAIL": {"failure"}, "ERROR": {"error"}, "PASS": set(), "WARNING": set()}
        assert kinds == expected.get(verdict, {"skipped"})
        found[verdict] += 1
    return found


def _allure(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in folder.glob("*-result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        verdict = next(one["value"] for one in result["labels"] if one["name"] == "verdict")
        assert result["status"] == _STATUS.get(verdict, "skipped")
        found[verdict] += 1
    return found


def _counted(text: str) -> tuple[str, ...]:
    """The sentence on what was decided and found, wherever the lines break."""
    found = _COUNTED.search(" ".join(text.split()))
    assert found, text[-2000:]
    return found.groups()


def test_all_outputs_tell_the_same(tmp_path: Path) -> None:
    forker = Forker()
    try:
        with docker_registry(tmp_path) as server:
            for profile in load().profiles:
                _check(forker, server.url, tmp_path / profile, profile)
    finally:
        forker.close()


def _check(forker: Forker, url: str, folder: Path, profile: str) -> None:
    report, junit, allure = folder / "report", folder / "junit.xml", folder / "allure"
    outputs = (f"--junitxml={junit}", f"--alluredir={allure}")
    run = forker.run(url, "--profile", profile, "--effort=quick", *outputs, report=report)
    assert run.report is not None, run.stdout + run.stderr
    told: dict[str, Any] = run.report["profiles"][profile]
    counts = Counter({label(verdict): number for verdict, number in told["counts"].items() if number})

    assert run.exit_code == run.report["run"]["exit_code"] == (0 if told["verdict"] == "PASS" else 1)
    assert _junit(junit) == _allure(allure) == counts
    page, summary = ((report / name).read_text(encoding="utf-8") for name in ("report.html", "summary.md"))
    decided = sum(counts[verdict] for verdict in ("PASS", "FAIL", "WARNING"))
    found = counts["FAIL"] + counts["WARNING"]
    sentence = (decided, sum(counts.values()), profile, found, counts["FAIL"], counts["WARNING"])
    for text in (run.stdout, page, summary):
        assert _counted(text) == tuple(map(str, sentence))
    assert len(re.findall(r"^(?:FAIL|WARNING)  [A-Z]", run.stdout, re.MULTILINE)) == found
    assert f"<title>{told['verdict']}: " in page
    assert re.match(rf"# \S+ {told['verdict']}: .* by `{re.escape(profile)}`\n", summary)
    verdicts = [line for line in run.stdout.splitlines() if line.startswith("verdict ")]
    place = list(run.report["profiles"]).index(profile)
    cells = re.findall(r"([A-Z_]+) (\d+)/(\d+)/(\d+)", verdicts[0])
    assert cells[place] == (told["verdict"], *(str(counts[v]) for v in ("FAIL", "WARNING", "PASS")))
    assert set(counts) <= {label(verdict) for verdict in MEANING}
