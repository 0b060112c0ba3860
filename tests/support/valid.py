"""Whether the schema for editors takes a configuration that the reference takes.

It is read from its file: a module of the reference must not be loaded where it may still be changed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import Draft7Validator

FILE = Path(__file__).parents[2] / "reference" / "configuration" / "registry.schema.json"


@cache
def _schema() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(_schema())


def faults(configuration: Any) -> list[str]:
    """What the schema finds wrong."""
    return [f"{error.instance_path}: {error.message}" for error in _validator().iter_errors(configuration)]


def check(path: Path) -> None:
    """Fail where the schema does not take a configuration file that the reference took."""
    configuration = yaml.safe_load(path.read_text(encoding="utf-8"))
    storage = configuration.get("storage")
    if isinstance(storage, dict):
        # A package that is installed for the test has the others.
        known = _schema()["properties"]["storage"]["anyOf"][0]["properties"]
        ours = {key: value for key, value in storage.items() if key in known}
        configuration["storage"] = ours if len(ours) == len(storage) else {"inmemory": None, **ours}
    assert faults(configuration) == [], path
