"""The JSON Schema of ``registry-conformance.yaml``, for editors: ``python -m conformance.run.configuration.schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.run.option_table import OPTIONS, SECRETS, Option
from spec.catalogue import CATEGORIES, load

#: The file that is made; a test compares it.
FILE = Path(__file__).with_name("registry-conformance.schema.json")
_LEFT_OUT = (*SECRETS, "config")


def schema() -> dict[str, Any]:
    """Return the schema: a member for each option that is no secret."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "registry-conformance.yaml",
        "description": "Options of a conformance run. Secrets belong into the environment.",
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: _member(option) for option in OPTIONS if option.name not in _LEFT_OUT},
    }


def _member(option: Option) -> dict[str, Any]:
    said = {"description": option.help}
    if option.kind == "flag":
        return {**said, "type": "boolean"}
    value = _value(option)
    if option.kind in {"list", "lines"}:
        return {**said, "anyOf": [{"type": "array", "items": value}, value]}
    return {**said, **value, **({"default": option.default} if option.default else {})}


def _value(option: Option) -> dict[str, Any]:
    catalogue = load()
    if option.name == "capability":
        return {"type": "string", "pattern": f"^({'|'.join(catalogue.capabilities)})=(yes|no)$"}
    choices = {"profile": tuple(catalogue.profiles), "category": CATEGORIES}.get(option.name, option.choices)
    if choices:
        return {"enum": list(choices)}
    return {"type": ["string", "number"]}


def text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
