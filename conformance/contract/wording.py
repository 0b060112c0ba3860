"""Say in plain words what the document asks for and what came instead; every text is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

LIMIT = 200
_SHOWN_MEMBERS = 12
_BOUNDS = {
    "minItems": "have at least {} items",
    "maxItems": "have at most {} items",
    "minLength": "have at least {} characters",
    "maxLength": "have at most {} characters",
    "minProperties": "have at least {} members",
    "maxProperties": "have at most {} members",
    "minimum": "be at least {}",
    "maximum": "be at most {}",
    "exclusiveMinimum": "be more than {}",
    "exclusiveMaximum": "be less than {}",
    "multipleOf": "be a multiple of {}",
}
_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object", "null": "null"}


def shorten(text: str, limit: int = LIMIT) -> str:
    """Return a text of at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quoted(value: Any) -> str:
    """Return a JSON value as it would be written, shortened."""
    return shorten(json.dumps(value, ensure_ascii=False, default=str))


def list_of(words: Iterable[str], joint: str = "or") -> str:
    """Join words as in ``a, b or c``."""
    known = list(words)
    if len(known) < 2:
        return "".join(known)
    return shorten(f"{', '.join(known[:-1])} {joint} {known[-1]}")


def statuses(codes: Iterable[str]) -> str:
    """Name the documented statuses."""
    return f"status {list_of(sorted(codes))}"


def status(code: int, reason: str) -> str:
    """Name the status that came."""
    return shorten(f"status {code} {reason}".strip())


def member(path: Sequence[str | int]) -> str:
    """Name a place in a JSON body: ``the body`` or ``errors[0].code``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return shorten(text) or "the body"


def rule(schema: Any) -> str:
    """Say what the schema of a header asks for, or nothing where it says little."""
    if not isinstance(schema, dict):
        return ""
    asks = [
        keyword_rule(keyword, schema[keyword])
        for keyword in ("const", "enum", "pattern", "type", *_BOUNDS)
        if keyword in schema and (keyword, schema[keyword]) != ("type", "string")
    ]
    if asks:
        return shorten(asks[0] + "".join(" and " + ask.removeprefix("to ") for ask in asks[1:]))
    parts = (rule(part) for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, []))
    return next((part for part in parts if part), "")


def keyword_rule(keyword: str, value: Any) -> str:
    """Say what a keyword with that value asks for, as in ``to match ^a$``."""
    if keyword == "pattern":
        return f"to match {shorten(str(value))}"
    if keyword == "const":
        return f"to be {quoted(value)}"
    if keyword == "enum":
        return f"to be {list_of(quoted(option) for option in value)}"
    if keyword == "type":
        return f"to be {list_of(_kind(kind) for kind in ([value] if isinstance(value, str) else value))}"
    if keyword in _BOUNDS:
        return "to " + _BOUNDS[keyword].format(value)
    if keyword == "uniqueItems":
        return "to have no item twice"
    if keyword in {"anyOf", "oneOf"}:
        return "to have one of the documented forms"
    return f"to satisfy the keyword {keyword} of its schema"


def missing(name: str) -> str:
    """Name a member that should be in the body."""
    return f"the member {quoted(name)}"


def members(value: Any) -> str:
    """Say what an object holds, where a member was missed."""
    names = list(value) if isinstance(value, dict) else []
    if not names:
        return "absent (there are no members)"
    shown = list_of(names[:_SHOWN_MEMBERS], "and") + (" and more" if len(names) > _SHOWN_MEMBERS else "")
    return shorten(f"absent (there is {shown})")


def excerpt(body: bytes) -> str:
    """Show the beginning of a body that is no JSON."""
    return quoted(body[:LIMIT].decode("utf-8", errors="replace"))


def _kind(kind: str) -> str:
    return _ARTICLES.get(kind, f"a {kind}")
