"""Each option is read from the command line, the environment, and the configuration file."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.run.option_table import OPTIONS, SECRETS, Option
from conformance.settings import Settings
from tests.conformance.run.reading import read
from tests.reports import samples
from tests.support.forking import Forker
from tests.support.servers import ROOT, Server

#: A value of each option, and what must come with it.
_VALUES = {
    "config": "{folder}/options.yaml",
    "header": "X-Key: c4nary",
    "known-failures-write": "elsewhere.yaml",
    "only-failed": "{folder}/report.json",
    "registry-url": "http://r.example:5000",
    "profile": "oci-1.0",
    "username": "ann",
    "password": "c4nary",
    "auth-pull-only-username": "bob",
    "auth-pull-only-password": "c4nary",
    "auth-other-username": "eve",
    "auth-other-password": "c4nary",
    "auth-expired-token": "c4nary",
    "docker-config": "{folder}/config.json",
    "ca-bundle": "{folder}",
    "insecure": "yes",
    "timeout": "2.5",
    "max-time": "60",
    "rate": "25",
    "namespace": "a/b",
    "repository": "one",
    "read-only": "yes",
    "existing": "name:tag",
    "capability": "mount=no",
    "known-failures": "{folder}/known.yaml",
    "settle": "1.5",
    "min-chunk": "4096",
    "effort": "quick",
    "seed": "7",
    "shuffle": "8",
    "keep": "yes",
    "notifications-listen": "127.0.0.1:5001",
    "notifications-header": "Authorization: Bearer a b",
    "report": "elsewhere",
    "record": "{folder}/elsewhere.har.gz",
    "category": "pull",
    "requirement": "PULL-BLOB-GET-200",
    "product": "registry",
    "product-version": "1.2",
}
_WITH = {
    "username": ("--password=x",),
    "password": ("--username=x",),
    "auth-pull-only-username": ("--auth-pull-only-password=x",),
    "auth-pull-only-password": ("--auth-pull-only-username=x",),
    "auth-other-username": ("--auth-other-password=x",),
    "auth-other-password": ("--auth-other-username=x",),
    "read-only": ("--existing=a:b",),
    "notifications-header": ("--notifications-listen=:5001",),
    "docker-config": ("--registry-url=http://r.example:5000",),
}


_SECRET = {*SECRETS}


@pytest.fixture(autouse=True)
def _no_options_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that some options name."""
    (tmp_path / "config.json").write_text('{"auths": {"r.example:5000": {"auth": "YW5uOmM0bmFyeQ=="}}}')
    (tmp_path / "known.yaml").write_text("- {id: PULL-BLOB-GET-200, why: w}")
    (tmp_path / "options.yaml").write_text("timeout: 3")
    (tmp_path / "report.json").write_text(json.dumps(samples.report()))
    return tmp_path


def plain(settings: Settings) -> dict[str, Any]:
    """Return all settings but the name of the run, which is new each time."""
    found = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}
    found["credentials"] = settings.credentials and (settings.credentials.username, settings.credentials.password)
    return {name: value for name, value in found.items() if name != "run_id"}


def _given(option: Option, value: str) -> tuple[str, Mapping[str, Any]]:
    """Return an option as an argument and as a table of the configuration file."""
    if option.kind == "flag":
        return option.flag, {option.ini: True}
    return f"{option.flag}={value}", {option.ini: [value] if option.kind in {"list", "lines"} else value}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_each_option_from_each_place(option: Option, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = _VALUES[option.name].format(folder=folder)
    more = (*_WITH.get(option.name, ()), *(() if option.name == "seed" else ("--seed=1",)))
    argument, table = _given(option, value)
    from_command_line = plain(read(argument, *more))
    from_file = plain(read(*more, table=table))
    monkeypatch.setenv(option.variable, value)
    assert plain(read(*more)) == from_command_line == from_file
    monkeypatch.delenv(option.variable)
    if option.name not in _SECRET | {"config"} and option.name not in _WITH:
        monkeypatch.chdir(folder)
        (folder / "own.yaml").write_text(f"{option.name}: {json.dumps(value)}")
        assert plain(read(*more, "--config=own.yaml")) | {"command": ""} == from_command_line | {"command": ""}
    if option.name not in _WITH:
        assert from_command_line != plain(read("--seed=1"))


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"timeout": "1", "category": ["base"]}
    assert (read(table=table).timeout, read(table=table).categories) == (1.0, ("base",))
    monkeypatch.setenv("REGISTRY_TIMEOUT", "2")
    monkeypatch.setenv("REGISTRY_CATEGORY", "pull push")
    assert (read(table=table).timeout, read(table=table).categories) == (2.0, ("pull", "push"))
    found = read("--timeout=3", "--category=auth", table=table)
    assert (found.timeout, found.categories) == (3.0, ("auth",))


def test_a_switch_of_the_file_can_be_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_KEEP", "no")
    assert not read(table={"keep": True}).keep


def test_variables_are_unique_and_named_alike() -> None:
    variables = [option.variable for option in OPTIONS]
    assert len(set(variables)) == len(variables)
    assert {"REGISTRY_URL", "REGISTRY_USERNAME", "REGISTRY_PASSWORD", "REGISTRY_DOCKER_CONFIG"} <= set(variables)


def test_help_shows_one_group_with_all_options(suite: Forker) -> None:
    run = suite.run(None, "--help")
    assert run.exit_code == 0, run.stderr
    assert run.stdout.count("registry conformance (each also as environment variable REGISTRY_...):") == 1
    group = run.stdout.partition("registry conformance (each also")[2].partition("\n\n")[0]
    shown = re.findall(r"^  (--[a-z-]+)", group, re.MULTILINE)
    assert shown == [option.flag for option in OPTIONS]
    assert all(option.variable in group for option in OPTIONS)


def test_the_configuration_file(suite: Forker, open_registry: Server, tmp_path: Path) -> None:
    """A run reads the options of the file that ``-c`` names, in any folder."""
    lines = [
        f"registry_url = {json.dumps(open_registry.url)}",
        'profile = "oci-1.0"',
        'timeout = "3"',
        "keep = true",
        'requirement = ["PULL-BLOB-GET-200"]',
        'capability = ["mount=no"]',
        'seed = "5"',
    ]
    path = tmp_path / "pyproject.toml"
    path.write_text("\n".join(["[tool.pytest]", *lines]))
    # The environment goes before the file, and has the seed that the runs of these tests have
    # otherwise.
    run = suite.run(None, f"={ROOT / 'conformance'}", "-c", str(path), env={"REGISTRY_SEED": ""})
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.report is not None
    assert run.report["target"]["url"] == open_registry.url
    assert run.report["target"]["capabilities"]["mount"] == {"present": False, "declared": True}
    assert (run.report["run"]["profile"], run.report["run"]["seed"]) == ("oci-1.0", 5)
    options = run.report["run"]["options"]
    assert (options["timeout"], options["keep"], options["requirement"]) == (3.0, True, ["PULL-BLOB-GET-200"])
