"""The action for GitHub and the job for GitLab: their scripts run here as they run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from reports import check
from reports.excerpts.jobs import annotate, outputs
from tests.reports import samples
from tests.support.servers import ROOT, reference

_ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
_JOB: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "how-to" / "gitlab.yml").read_text(encoding="utf-8"))[
    "registry-conformance"
]
_FAULT, _REQUIREMENT = "blob-head-405", "PULL-BLOB-HEAD-200"


def _bash(folder: Path, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as a job does, in a folder where the command of the suite is found."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    command = tools / "registry-conformance"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m conformance.command "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "PYTEST_", "CI"))}
    kept |= {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(words, cwd=folder, env={**kept, **env}, capture_output=True, text=True, check=False)


def _action(folder: Path, url: str, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run the step of the action that certifies; return what it left as outputs, too."""
    step = next(step for step in _ACTION["runs"]["steps"] if step.get("id") == "certify")
    given = {name: str(one.get("default", "")) for name, one in _ACTION["inputs"].items()} | inputs
    given["registry-url"] = url
    env = {name: given[text.removeprefix("${{ inputs.").removesuffix(" }}")] for name, text in step["env"].items()}
    told, summary = folder / "outputs", folder / "summary"
    for path in (told, summary):
        path.touch()
    done = _bash(folder, step["run"], {**env, "GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(summary)})
    lines = told.read_text(encoding="utf-8").splitlines()
    return done, {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_the_action_tells_what_is_broken(tmp_path: Path) -> None:
    options = f"--requirement {_REQUIREMENT} --product 'A registry'"
    with reference(tmp_path, faults=[_FAULT]) as server:
        done, told = _action(tmp_path, server.url, options=options)
        assert done.returncode == 1, done.stdout + done.stderr
        assert told | {"findings": ""} == {
            "code": "1",
            "verdict": "FAIL",
            "findings": "",
            "failures": told["findings"],
            "exit-code": "1",
        }
        assert f"::error title=FAIL {_REQUIREMENT}::" in done.stdout
        assert "A registry" in (tmp_path / "summary").read_text(encoding="utf-8")
        folder = tmp_path / "registry-conformance-report"
        assert {"badges", "junit.xml", "report.html", "report.json"} <= {path.name for path in folder.iterdir()}
        assert _action(tmp_path, server.url, options=options, fail="false")[0].returncode == 0


def test_the_action_fails_for_a_mistake_in_any_case(tmp_path: Path) -> None:
    done, told = _action(tmp_path, "http://127.0.0.1:1", fail="false")
    assert done.returncode == 4, done.stdout + done.stderr
    assert told == {"code": "4"}


def test_the_outputs_of_the_action_are_there() -> None:
    assert set(_ACTION["outputs"]) == {"verdict", "findings", "exit-code"}
    certify = next(step for step in _ACTION["runs"]["steps"] if step.get("id") == "certify")
    left = {line.partition("=")[0] for line in outputs(check(samples.report())).splitlines()} | {"code"}
    for one in _ACTION["outputs"].values():
        assert one["value"].removeprefix("${{ steps.certify.outputs.").removesuffix(" }}") in left
    # Whatever comes from outside goes through the environment, and is no part of a script.
    for step in _ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    assert certify["shell"] == "bash"


def test_the_job_of_gitlab(tmp_path: Path) -> None:
    with reference(tmp_path, faults=[_FAULT]) as server:
        env = {**_JOB["variables"], "REGISTRY_URL": server.url, "CONFORMANCE_OPTIONS": f"--requirement {_REQUIREMENT}"}
        env.pop("PIP_CACHE_DIR")
        done = _bash(tmp_path, "\n".join(_JOB["script"]), env)
    assert done.returncode == 1, done.stdout + done.stderr
    root = ElementTree.parse(tmp_path / _JOB["artifacts"]["reports"]["junit"]).getroot()  # noqa: S314  # our own
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert (tmp_path / _JOB["artifacts"]["paths"][0] / "badges" / "oci-1.1.svg").is_file()
    report = json.loads((tmp_path / "registry-conformance-report" / "report.json").read_bytes())
    assert report["run"]["profile"] == _JOB["variables"]["REGISTRY_PROFILE"]


def test_no_text_makes_a_command_of_its_own() -> None:
    report = samples.report()
    finding = report["findings"][0]
    finding["actual"] = "one\n::error::two\r\n%0A::warning::three"
    lines = annotate(check(report)).splitlines()
    number = sum(e["verdicts"].get(samples.CHOSEN) in {"FAIL", "WARNING", "ERROR"} for e in report["requirements"])
    assert len(lines) == number
    assert all(line.startswith(("::error title=", "::warning title=")) for line in lines)


@pytest.mark.parametrize("name", ["annotations", "outputs"])
def test_by_command(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reports.__main__ import main  # noqa: PLC0415  # one test needs it

    path = tmp_path / "report.json"
    path.write_text(json.dumps(samples.report()), encoding="utf-8")
    assert main([name, str(path)]) == 0
    assert capsys.readouterr().out
