"""Whether one JSON Schema takes fewer or more values than another.

Keywords are compared one by one. What they do not decide (another pattern, say) is decided on
examples: a value that one schema takes and the other refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: Keywords that refuse nothing.
_NOTES = frozenset({"description", "title", "summary", "example", "examples", "deprecated", "format", "$comment"})
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
_INNER = frozenset({"items", "additionalProperties", "contains", "propertyNames", "unevaluatedProperties"})
#: Places of a schema that are named.
_SHOWN = 3
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})


class Way(StrEnum):
    """The direction of a change."""

    SAME = "same"
    TIGHTENED = "tightened"
    LOOSENED = "loosened"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Decision:
    """A direction, and what showed it."""

    way: Way
    why: str = ""


def decide(old: Any, new: Any, components: tuple[Any, Any] = ({}, {}), examples: Iterable[Any] = ()) -> Decision:
    """Say in which way a schema changed; ``components`` are those that references lead into."""
    ways = _ways(old, new)
    if not ways:
        return Decision(Way.SAME)
    where = f"at {', '.join([*differences(plain(old), plain(new))][:_SHOWN])}"
    if len(ways) == 1 and Way.CHANGED not in ways:
        return Decision(next(iter(ways)), where)
    takes = [_taking(schema, parts) for schema, parts in zip((old, new), components, strict=True)]
    told = {(takes[0](value), takes[1](value)) for value in examples}
    refused, taken = (True, False) in told, (False, True) in told
    if refused and not taken and Way.LOOSENED not in ways:
        return Decision(Way.TIGHTENED, f"{where}, by an example that it refuses now")
    if taken and not refused and Way.TIGHTENED not in ways:
        return Decision(Way.LOOSENED, f"{where}, by an example that it takes now")
    return Decision(Way.CHANGED, f"{where}; keywords and examples do not tell which way")


def _taking(schema: Any, components: Any) -> Callable[[Any], bool]:
    """Return what tells whether a schema takes a value."""
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415  most commands do without it

    whole = {**schema, "components": components} if isinstance(schema, Mapping) else schema
    return Draft202012Validator(whole, validate_formats=False).is_valid


def plain(schema: Any) -> Any:
    """Give a schema without what refuses nothing."""
    if isinstance(schema, Mapping):
        kept = {key: value for key, value in schema.items() if key not in _NOTES and not key.startswith("x-")}
        return {
            key: {name: plain(part) for name, part in value.items()} if key in {"properties", "$defs"} else plain(value)
            for key, value in kept.items()
        }
    return [plain(item) for item in schema] if isinstance(schema, list) else schema


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Give the places in which two JSON values differ, as JSON pointers."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            if old.get(key) != new.get(key):
                yield from differences(old.get(key), new.get(key), f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{path}/{index}")
    elif old != new:
        yield path.rpartition("/")[0] if path.rpartition("/")[2].isdigit() else path or "/"


def _ways(old: Any, new: Any) -> set[Way]:
    """Give the directions of all that differs; none where nothing does."""
    old, new = (plain({} if each is True else each) for each in (old, new))
    if old == new:
        return set()
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {Way.TIGHTENED if new is False else Way.LOOSENED if old is False else Way.CHANGED}
    found: set[Way] = set()
    for key in (old | new).keys() - {"$defs"}:
        if old.get(key) != new.get(key):
            found |= _keyword(key, old, new)
    for name in old.get("$defs", {}).keys() & new.get("$defs", {}).keys():
        found |= _ways(old["$defs"][name], new["$defs"][name])
    return found


def _keyword(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> set[Way]:
    before, after = old.get(key), new.get(key)
    if key == "required":
        return _sets({*(before or ())}, {*(after or ())}, more=Way.TIGHTENED)
    if key in {"enum", "const"}:
        return _values(old, new)
    if key == "type":
        return _sets(_types(before), _types(after), more=Way.LOOSENED)
    if key in _LOWER | _UPPER:
        return _bounds(key, before, after)
    if key == "properties":
        return _properties(before or {}, after or {})
    if key in _INNER:
        return _ways({} if before is None else before, {} if after is None else after)
    if key == "not" and before is not None and after is not None:
        turned = {Way.TIGHTENED: Way.LOOSENED, Way.LOOSENED: Way.TIGHTENED}
        return {turned.get(way, way) for way in _ways(before, after)}
    if key in {"allOf", "anyOf"}:
        return _lists(key, before or [], after or [])
    if before is None or after is None:
        return {Way.TIGHTENED if before is None else Way.LOOSENED}
    return {Way.CHANGED}


def _sets(old: set[Any], new: set[Any], more: Way) -> set[Way]:
    fewer = Way.LOOSENED if more is Way.TIGHTENED else Way.TIGHTENED
    return ({more} if new - old else set()) | ({fewer} if old - new else set())


def _values(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[Way]:
    def values(schema: Mapping[str, Any]) -> list[Any] | None:
        return [schema["const"]] if "const" in schema else schema.get("enum")

    before, after = values(old), values(new)
    if before is None or after is None:
        return {Way.TIGHTENED if before is None else Way.LOOSENED}
    gone, fresh = any(v not in after for v in before), any(v not in before for v in after)
    return ({Way.TIGHTENED} if gone else set()) | ({Way.LOOSENED} if fresh else set())


def _types(value: Any) -> set[str]:
    found = {*_TYPES} if value is None else {value} if isinstance(value, str) else {*value}
    return found | {"integer"} if "number" in found else found


def _bounds(key: str, old: float | None, new: float | None) -> set[Way]:
    if old is None or new is None:
        return {Way.TIGHTENED if old is None else Way.LOOSENED}
    return {Way.TIGHTENED if (new > old) == (key in _LOWER) else Way.LOOSENED}


def _properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[Way]:
    found: set[Way] = set()
    for name in old.keys() | new.keys():
        found |= _ways(old.get(name, {}), new.get(name, {}))
    return found


def _lists(key: str, old: list[Any], new: list[Any]) -> set[Way]:
    if len(old) == len(new):
        return set().union(*(_ways(a, b) for a, b in zip(old, new, strict=True)))
    if not old or not new:
        return {Way.TIGHTENED if not old else Way.LOOSENED}
    gone, fresh = [e for e in old if e not in new], [e for e in new if e not in old]
    if gone and fresh:
        return {Way.CHANGED}
    more = Way.TIGHTENED if key == "allOf" else Way.LOOSENED
    return {more} if fresh else {Way.LOOSENED if more is Way.TIGHTENED else Way.TIGHTENED}
