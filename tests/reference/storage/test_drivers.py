"""A storage of others is found by its entry point, and told what the configuration says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft7Validator

from reference.__main__ import main
from reference.launch import LaunchError
from reference.launch.registry import make_storage, read_config
from tests.reference.conftest import Start
from tests.support.buckets import configuration

CODE = """
from reference.storage.memory import MemoryStorage

class Tape(MemoryStorage):
    description = "tape"

def open_tape(parameters):
    if parameters.get("reel") != 7 or parameters["labels"] != ["a", {"b": True}]:
        raise ValueError("there is no such reel")
    return Tape()
"""
TAPE = {"tape": {"reel": 7, "labels": ["a", {"b": True}]}}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that brings a driver, and one that brings what cannot be loaded."""
    folder = tmp_path / "site"
    about = folder / "tape-1.dist-info"
    about.mkdir(parents=True)
    (folder / "tape_of_a_test.py").write_text(CODE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tape\nVersion: 1\n")
    lines = ["tape = tape_of_a_test:open_tape", "gone = tape_of_a_test:absent", "wrong = builtins:dict"]
    (about / "entry_points.txt").write_text("\n".join(["[registry_conformance.storage]", *lines, ""]))
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("tape_of_a_test", None)


def test_a_registry_keeps_its_content_in_it(
    installed: Path, tmp_path: Path, starter: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed))
    process = starter(str(configuration(tmp_path / "config.yml", TAPE)), "--addr", "127.0.0.1:0")
    assert requests.get(f"{process.url}/v2/", timeout=10).status_code == 200
    assert "storage: tape" in process.log.read_text()


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        ({"tape": {"reel": 8}}, "storage.tape: there is no such reel"),
        ({"gone": {}}, "storage.gone: tape_of_a_test:absent cannot be loaded: "),
        ({"wrong": {}}, "storage.wrong: builtins:dict gives dict, which is no Storage"),
    ],
)
def test_what_it_refuses_is_told(installed: Path, tmp_path: Path, storage: dict[str, Any], says: str) -> None:
    assert installed.is_dir()
    config = read_config(configuration(tmp_path / "config.yml", storage))
    with pytest.raises(LaunchError) as caught:
        make_storage(config)
    assert str(caught.value).startswith(says)


def test_the_schema_has_it_too(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert installed.is_dir()
    assert main(["schema"]) == 0
    validator = Draft7Validator(json.loads(capsys.readouterr().out))
    assert validator.is_valid({"version": 0.1, "storage": TAPE})
    assert validator.is_valid({"version": 0.1, "storage": "tape"})
    assert not validator.is_valid({"version": 0.1, "storage": {"disk": {}}})
    assert not validator.is_valid({"version": 0.1, "storage": {**TAPE, "inmemory": {}}})


def test_one_that_is_not_installed_is_named_with_those_that_are(installed: Path, tmp_path: Path) -> None:
    assert installed.is_dir()
    path = configuration(tmp_path / "config.yml", {"disk": {}})
    with pytest.raises(LaunchError, match=r"storage\.disk is unknown; known are filesystem, inmemory, s3, .*, tape"):
        read_config(path)
