"""The command in a checkout: a run with its exit codes, parts that leave the whole alone, lists, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.command.main import run
from conformance.run.option_table import OPTIONS
from spec.catalogue import load
from tests.reports import samples
from tests.support.servers import ROOT, Server

_ONE = ("--requirement", "PULL-BLOB-GET-200")


def _command(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "conformance.command", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_part_leaves_the_report_of_the_whole(open_registry: Server, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    whole = tmp_path / "report" / "report.json"
    whole.write_text(json.dumps(samples.report()), encoding="utf-8")
    before = whole.read_bytes()
    # The folder of whoever certifies has settings of its own for pytest.
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    others = {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin"}
    done = _command(tmp_path, "certify", open_registry.url, *_ONE, "--known-failures-write", "known.yaml", env=others)
    assert done.returncode == 0, done.stderr
    assert whole.read_bytes() == before
    part = json.loads((tmp_path / "report" / "part" / "report.json").read_bytes())
    entry = next(entry for entry in part["requirements"] if entry["id"] == "PULL-BLOB-GET-200")
    assert entry["outcome"] == "held" and not part["run"]["complete"]
    assert "keeps the report of a whole run" in done.stdout
    assert (tmp_path / "known.yaml").read_text(encoding="utf-8").endswith("[]\n")
    # A second part is no whole run either, and takes the place of the first.
    scenario = entry["scenarios"][0]
    again = _command(tmp_path, "certify", open_registry.url, "--scenario", scenario)
    assert again.returncode == 0, again.stderr
    assert whole.read_bytes() == before
    assert not (tmp_path / ".pytest_cache").exists()


@pytest.mark.parametrize(
    ("words", "env", "message"),
    [
        ((), {}, "--registry-url: is not given, nor REGISTRY_URL"),
        (("http://127.0.0.1:1", "--proflie", "x"), {}, "No such option '--proflie'. Did you mean '--profile'?"),
        (("http://127.0.0.1:1", "--registry-url", "http://a"), {}, "the registry is named twice"),
        (("http://127.0.0.1:1", "--profile", ""), {}, "--profile: is given without a value"),
        (("http://127.0.0.1:1", "--scenario", "x"), {}, "--scenario: there is no 'x'"),
        (("http://127.0.0.1:1",), {"REGISTRY_PROFLIE": "x"}, "REGISTRY_PROFLIE (did you mean REGISTRY_PROFILE?)"),
        (("http://127.0.0.1:1", "--config", "none.yaml"), {}, "--config: none.yaml cannot be read"),
    ],
)
def test_a_mistake_ends_with_4(words: tuple[str, ...], env: Mapping[str, str], message: str, tmp_path: Path) -> None:
    done = _command(tmp_path, "certify", *words, env=env)
    assert done.returncode == 4
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not list(tmp_path.iterdir())


def test_a_configuration_file_in_the_folder(open_registry: Server, tmp_path: Path) -> None:
    text = f"registry-url: {open_registry.url}\nrequirement: PULL-BLOB-GET-200\nreport: here\nproduct: Own"
    (tmp_path / "registry-conformance.yaml").write_text(text, encoding="utf-8")
    done = _command(tmp_path, "certify")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "here" / "report.json").read_bytes())["target"]["product"] == "Own"


def test_help_has_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certify", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(option.flag in said and option.variable in said for option in OPTIONS)


def test_lists_without_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    def ids(*words: str) -> list[str]:
        assert run(["list", "--format", "ids", *words]) == 0
        return capsys.readouterr().out.split()

    catalogue = load()
    assert ids() == [*catalogue.requirements]
    musts = ids("--profile", "oci-1.0", "--level", "MUST", "--category", "pull")
    assert musts == [r.id for r in catalogue.category("pull") if r.levels.get("oci-1.0") == "MUST"]
    section = ids("--section", "referrers")
    assert "DISC-REFERRERS-TAG-SCHEMA-PUSHABLE" in section and len(section) < len(catalogue)
    assert run(["list", "--format", "json", "--category", "base"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == ids("--category", "base")
    assert run(["list", "--profile", "oci-1.0", "--category", "base"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == f"{len(ids('--profile', 'oci-1.0', '--category', 'base'))} requirements"
    )
    assert run(["list", "--profile", "oci-9"]) == 4


def test_version_names_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("registry-conformance 0.")
    assert f"{len(load())} requirements, sha256:" in said


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("registry-conformance ce", "certify"),
        ("registry-conformance certify --prof", "--profile"),
        ("registry-conformance certify --profile oci-1.2", "oci-1.2-dev"),
        ("registry-conformance certify --requirement PULL-BLOB-GET-20", "PULL-BLOB-GET-200"),
        ("registry-conformance certify --capability mou", "mount=yes"),
        ("registry-conformance report sum", "summary"),
        ("registry-conformance certificate --keyl", "--keyless"),
        ("registry-conformance verify --ide", "--identity"),
    ],
)
def test_completion(line: str, wanted: str, tmp_path: Path) -> None:
    env = {"_REGISTRY_CONFORMANCE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = _command(tmp_path, env=env)
    assert f"plain,{wanted}" in done.stdout.split(), done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_REGISTRY_CONFORMANCE_COMPLETE" in capsys.readouterr().out


def test_no_command_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 4
    assert "certify" in capsys.readouterr().err
