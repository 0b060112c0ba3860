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
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(FILE.read_text(encoding="utf-8")))


def faults(configuration: Any) -> list[str]:
    """What the schema finds wrong."""
    return [f"{error.instance_path}: {error.message}" for error in _validator().iter_errors(configuration)]


def check(path: Path) -> None:
    """Fail where the schema does not take a configuration file that the reference took."""
    assert faults(yaml.safe_load(path.read_text(encoding="utf-8"))) == [], path
