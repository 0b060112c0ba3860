"""JUnit and Allure tell the verdicts of the chosen profile: a test case is a requirement."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reports import allure, check, junit, view
from reports.text import is_deceptive
from tests.reports import samples

_TAGS = {"FAIL": "failure", "ERROR": "error", "PASS": "", "WARNING": ""}
_STATUS = {"FAIL": "failed", "ERROR": "broken", "PASS": "passed", "WARNING": "passed"}


def _with(**changes: Any) -> dict[str, Any]:
    report = samples.report()
    report["run"] |= changes
    return report


def _cases(report: dict[str, Any]) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(check(report)))  # noqa: S314  # our own text
    suite = root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        for name, tag in (("tests", ""), ("failures", "/failure"), ("errors", "/error"), ("skipped", "/skipped")):
            assert int(element.get(name, "-1")) == len(suite.findall(f"testcase{tag}"))
    return {str(case.get("name")).partition(":")[0]: case for case in suite.iter("testcase")}


@pytest.mark.parametrize("profile", samples.PROFILES)
def test_each_requirement_of_the_profile_is_a_test_case(profile: str) -> None:
    report = _with(profile=profile)
    cases = _cases(report)
    wanted = {entry["id"]: entry for entry in report["requirements"] if profile in entry["verdicts"]}
    assert set(cases) == set(wanted)
    for name, entry in wanted.items():
        verdict, case = entry["verdicts"][profile], cases[name]
        assert case.get("classname") == entry["category"]
        children = [child.tag for child in case if child.tag not in {"properties", "system-out"}]
        assert children == ([tag] if (tag := _TAGS.get(verdict, "skipped")) else [])
        assert (case.find("system-out") is not None) == (verdict == "WARNING")
        told = {p.get("name"): p.get("value") for p in case.iter("property")}
        assert told["level"] == entry["levels"][profile]
        assert told["verdict"] == view.label(verdict)
        assert told["scenario"] == entry["scenarios"][0]


def test_the_words_of_a_verdict() -> None:
    cases = _cases(samples.report())
    failure = cases["DISCOVERY-TAGS-N"].find("failure")
    assert failure is not None
    assert failure.get("message") == ("FAIL: expected 2 tags, the first two in order: a, b, but 5 tags: a, b, c, d, e")
    assert "curl --silent" in str(failure.text)
    skipped = {name: case.find("skipped") for name, case in cases.items()}
    told = {name: element.get("message") for name, element in skipped.items() if element is not None}
    assert told["PULL-ACCEPT-EXACT"] == "INCONCLUSIVE: blocked by PULL-MANIFEST-GET-CONTENT-TYPE"
    assert told["PULL-BLOB-RANGE"] == "UNSUPPORTED: ranges are not offered"
    assert str(told["DISCOVERY-REFERRERS"]).startswith("NOT TESTED: ")
    assert str(cases["PULL-MANIFEST-HEAD-DIGEST"].findtext("system-out")).startswith("WARNING: expected ")


@pytest.mark.parametrize("form", ["junit", "allure"])
def test_a_run_that_did_not_pass_shows_no_green(form: str) -> None:
    """Where no requirement failed, and the run still ended with another code than 0, one more case says why."""
    held = [e for e in samples.report()["requirements"] if e["outcome"] in {"held", "not tested"}]
    for code, words in ((1, "MUST not decided"), (2, "interrupted"), (5, "Nothing was decided")):
        report = samples.report(held)
        report["profiles"][samples.CHOSEN]["verdict"] = "NOT_TESTED"
        report["run"] |= {"exit_code": code}
        if form == "junit":
            cases = _cases(report)
            failures = [case.find("failure") for case in cases.values()]
            said = [str(failure.get("message")) for failure in failures if failure is not None]
        else:
            results = [json.loads(text) for name, text in allure.render(check(report)).items() if "-result" in name]
            said = [each["statusDetails"]["message"] for each in results if each["status"] == "failed"]
        assert len(said) == 1
        assert words in said[0] and f"(exit code {code})" in said[0]
    report = samples.report([e for e in held if e["outcome"] == "held"])
    report["run"]["exit_code"] = 0
    assert len(_cases(report)) == sum(samples.CHOSEN in e["verdicts"] for e in report["requirements"])


def test_a_run_without_report() -> None:
    root = ET.fromstring(junit.without_report("no \x00 scenario ran", 5))  # noqa: S314  # our own text
    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert root.find("testsuite/testcase/error") is not None


@pytest.mark.parametrize("profile", samples.PROFILES)
def test_allure_has_a_result_for_each_requirement(profile: str) -> None:
    report = _with(profile=profile)
    files = allure.render(check(report))
    results = [json.loads(text) for name, text in files.items() if name.endswith("-result.json")]
    wanted = {entry["id"]: entry for entry in report["requirements"] if profile in entry["verdicts"]}
    assert len(results) == len(wanted)
    patterns = [(one["matchedStatuses"], one["messageRegex"]) for one in json.loads(files["categories.json"])]
    for result in results:
        labels = {label["name"]: label["value"] for label in result["labels"]}
        entry = wanted[labels["requirement"]]
        verdict = entry["verdicts"][profile]
        assert result["name"] == entry["statement"]
        assert result["status"] == _STATUS.get(verdict, "skipped")
        assert labels["severity"] == {"MUST": "critical", "SHOULD": "normal", "MAY": "minor"}[entry["levels"][profile]]
        message = result["statusDetails"].get("message", "")
        fits = [s for s, pattern in patterns if result["status"] in s and re.fullmatch(pattern, message)]
        assert len(fits) == (verdict != "PASS")
        assert {attachment["source"] for attachment in result["attachments"]} <= set(files)
    assert f"profile = {profile}\n" in files["environment.properties"]
    assert len({result["uuid"] for result in results}) == len(results)


def test_hostile_texts_are_plain_in_both_forms() -> None:
    report = check(samples.hostile(samples.report()))
    for text in (junit.render(report), *allure.render(report).values()):
        assert not any(is_deceptive(c) and c not in "\n\t" for c in text)
    root = ET.fromstring(junit.render(report))  # noqa: S314  # our own text
    assert "script" not in {element.tag for element in root.iter()}
