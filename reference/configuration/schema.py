"""The JSON Schema of a table of keys, for editors; ``python -m reference.configuration.schema`` writes FILE.

It is of draft 7, which all editors know. It takes what the reader takes; what depends on files, on the environment or
on several keys may still be refused when the registry starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference.configuration.keys import CONFIGURATION, STORAGES
from reference.configuration.table import Idle, Key, Kind, Member, Only, Refused, Table

#: The file that is made; a test compares it.
FILE = Path(__file__).with_name("registry.schema.json")
_DRAFT = "http://json-schema.org/draft-07/schema#"
#: A word that looks like a number or a truth value is one for YAML.
_WORD = ["string", "number", "boolean"]
_PERIOD = r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))"
_ADDRESS = r"(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]*):[0-9]{1,5}"
_BOOLEAN = "^([Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Oo]n|[Oo]ff)$"


def schema(table: Table = CONFIGURATION) -> dict[str, Any]:
    """The schema of a whole file; that of the registry's has the storages of installed packages as well."""
    return {"$schema": _DRAFT, **_mapping(table)}


def text(table: Table = CONFIGURATION) -> str:
    """The schema as a file has it."""
    return json.dumps(schema(table), indent=2, ensure_ascii=True) + "\n"


def described(member: Member) -> dict[str, Any]:
    """The schema of one key."""
    if isinstance(member, Table):
        return _section(member)
    if isinstance(member, Refused):
        says = f"Not supported by the reference: {member.why}."
        # The last two are for the servers of editors: the one is shown where the key stands, the other never offered.
        return {"description": says, "not": {}, "deprecationMessage": says, "doNotSuggest": True}
    if isinstance(member, Only):
        return {"description": f"Only {member.value}: {member.why}.", "enum": _only(member)}
    if isinstance(member, Idle):
        says = f"Changes nothing here: {member.why}." if member.why else "Changes nothing here."
        return {"description": says, **_value(Key("", member.kind))}
    says = member.says[0].upper() + member.says[1:] + "."
    says += "".join(f" Not {value}: {why}." for value, why in member.never.items())
    default = {} if member.default is None else {"default": member.default}
    return {"description": says, **_value(member), **default}


def _only(member: Only) -> list[object]:
    if member.value in ("true", "false"):
        return [member.value == "true", member.value]
    return list(dict.fromkeys((member.value, member.value.lower(), *member.also)))


def _section(table: Table) -> dict[str, Any]:
    mapping = _mapping(table)
    if table.many:
        return {"description": table.says, "type": ["array", "null"], "items": mapping}
    if table.word:
        bare = [key for key in (*STORAGES, *table.others()) if not _required(table.members.get(key))]
        return {"description": table.says, "anyOf": [mapping, {"enum": bare}]}
    return mapping


def _mapping(table: Table) -> dict[str, Any]:
    members = {key: described(member) for key, member in table.members.items()}
    members |= {key: described(member) for key in table.others() if (member := table.find(key)) is not None}
    needed = _required(table)
    found = {
        "description": table.says,
        "type": "object" if needed else ["object", "null"],
        "properties": members,
        "additionalProperties": False,
        **table.rules,
    }
    if needed:
        found["required"] = needed
    if table.word:
        found["oneOf"] = [{"required": [key]} for key in (*STORAGES, *table.others())]
    return found


def _required(member: Member | None) -> list[str]:
    """The keys that a section has to have."""
    if not isinstance(member, Table):
        return []
    return [key for key, each in member.members.items() if isinstance(each, Key | Table) and each.required]


def _value(key: Key) -> dict[str, Any]:
    word = {"enum": _choices(key.choices)} if key.choices else {"type": _WORD}
    texts = {"type": ["array", *_WORD, "null"], "items": {"type": _WORD}}
    empty = [] if key.required else ["null"]
    most = {} if key.most is None else {"maximum": key.most}
    optional = "" if key.required else "?"
    values: Mapping[Kind, dict[str, Any]] = {
        Kind.TEXT: word if key.choices else {"type": [*_WORD, *empty]},
        Kind.FLAG: {"type": ["boolean", "string"], "pattern": _BOOLEAN},
        Kind.NUMBER: {"type": ["integer", "string"], "minimum": key.least, **most, "pattern": "^[0-9]+$"},
        Kind.DURATION: {
            "type": ["string", *empty],
            "pattern": f"^(?=.*[1-9])({_PERIOD}+)$" if key.least else f"^({_PERIOD}+){optional}$",
        },
        Kind.ADDRESS: {"type": ["string", *empty], "pattern": f"^({_ADDRESS}){optional}$"},
        Kind.URL: {"type": ["string", *empty], "pattern": "^https?://" if key.required else "^(https?://|$)"},
        Kind.FILE: {"type": ["string", *empty]},
        Kind.WORDS: {"type": ["array", "null"], "items": word},
        Kind.TEXTS: texts,
        Kind.LISTS: {"type": ["object", "null"], "additionalProperties": texts},
        Kind.FIELDS: {"type": ["object", "null"], "additionalProperties": {"type": _WORD}},
        Kind.ANY: {"type": ["object", "null"]},
    }
    return values[key.kind]


def _choices(words: tuple[str, ...]) -> list[object]:
    """Words, and the numbers that some of them are for YAML."""
    numbers = [float(word) for word in words if word.replace(".", "", 1).isdecimal()]
    return [*words, *numbers]


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
