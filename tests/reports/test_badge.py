"""Badges: what they say of a profile, and green for nothing that was withheld."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from reports import check
from reports.__main__ import main
from reports.excerpts.badge import as_json, as_svg, badge
from spec.model import Verdict
from tests.reports import samples

_HELD = [entry for entry in samples.report()["requirements"] if entry["outcome"] == "held"]


def _said(report: dict[str, Any]) -> tuple[str, str]:
    made = badge(check(report))
    return made.message, made.colour


def _held(**changes: Any) -> dict[str, Any]:
    made = samples.report(copy.deepcopy(_HELD))
    assert made["profiles"][samples.CHOSEN]["verdict"] == "PASS"
    made["run"].update(changes)
    return made


def test_green_is_a_whole_pass() -> None:
    assert _said(_held()) == ("conformant", "brightgreen")


def test_what_was_withheld_is_not_green() -> None:
    entries = copy.deepcopy(_HELD)
    entries[0].update(outcome="not tested", reason="no account", withheld="accounts")
    entries[0]["verdicts"] = dict.fromkeys(entries[0]["levels"], "NOT_TESTED")
    report = samples.report(entries)
    for result in report["profiles"].values():
        result["verdict"], result["scope"]["withheld"] = "PASS", {"accounts": 1}
    assert _said(report) == ("conformant (1 not tested)", "blue")


def test_categories_that_were_left_out_are_not_green() -> None:
    report = _held()
    report["profiles"][samples.CHOSEN]["scope"]["claimed"] = ["base", "pull"]
    assert _said(report) == ("conformant (base, pull only)", "blue")


def test_a_part_of_the_suite_is_not_green() -> None:
    assert _said(_held(complete=False)) == ("not decided: part of the suite", "lightgrey")


def test_failures_errors_and_others() -> None:
    report = samples.report()
    report["requirements"] = [e for e in report["requirements"] if e["outcome"] not in {"error"}]
    failing = samples.report(report["requirements"])
    number = failing["profiles"][samples.CHOSEN]["counts"]["FAIL"]
    assert _said(failing) == (f"{number} failures", "red")
    for verdict, said in ((Verdict.NOT_TESTED, "not tested"), (Verdict.INCONCLUSIVE, "inconclusive")):
        other = _held()
        other["profiles"][samples.CHOSEN]["verdict"] = verdict.value
        assert _said(other) == (said, "lightgrey")
    known = _held()
    known["profiles"][samples.CHOSEN]["verdict"] = "KNOWN_FAILURE"
    assert _said(known)[1] == "orange"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_other_verdict_is_green(verdict: Verdict) -> None:
    report = _held()
    report["profiles"][samples.CHOSEN]["verdict"] = verdict.value
    assert (badge(check(report)).colour == "brightgreen") == (verdict is Verdict.PASS)


def test_the_reference_is_named() -> None:
    report = _held()
    report["target"]["embedded"] = True
    assert _said(report)[0] == "reference registry: conformant"


def test_forms() -> None:
    made = badge(check(_held()), "oci-1.0")
    assert json.loads(as_json(made)) == {
        "schemaVersion": 1,
        "label": "oci-1.0",
        "message": "conformant",
        "color": "brightgreen",
    }
    root = ElementTree.fromstring(as_svg(made))  # noqa: S314  # our own
    assert root.get("aria-label") == "oci-1.0: conformant"
    assert "".join(root.itertext()) == "oci-1.0: conformantoci-1.0conformant"


def test_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(_held()), encoding="utf-8")
    assert main(["badge", str(path), "--all", str(tmp_path / "badges")]) == 0
    made = {one.name for one in (tmp_path / "badges").iterdir()}
    assert made == {f"{profile}.{end}" for profile in samples.PROFILES for end in ("svg", "json")}
    assert main(["badge", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == samples.CHOSEN
    assert main(["badge", str(path), "--profile", "oci-9"]) == 4
    assert "--profile:" in capsys.readouterr().err
    assert main(["badge", str(path), "--all", "x", "--profile", "oci-1.0"]) == 4
