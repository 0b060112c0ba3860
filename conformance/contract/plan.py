"""What the OpenAPI document says of one response, compiled for repeated use.

openapi-core interprets the document anew for each response, which costs milliseconds; a plan says the
same in microseconds. ``tests/contract`` proves that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import jsonschema_rs

from conformance.contract import requirement, wording
from conformance.contract.dereference import DocumentError, follow, inline

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_BOOLEANS = {**dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True)}
_BOOLEANS.update(dict.fromkeys(("n", "no", "f", "false", "off", "0"), False))


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """A header of a response: must it be there, and what must its value be."""

    name: str
    required: bool
    missing: str | None
    invalid: str | None
    expected: str
    parse: Callable[[str], Any]
    validator: jsonschema_rs.Draft202012Validator

    @property
    def part(self) -> str:
        """Name the header as a deviation does; openapi-core leaves Content-Type to the media types."""
        key = self.name.lower()
        return "" if key == "content-type" else f"header {key}"

    def accepts(self, value: str) -> bool:
        """Whether the value has the documented syntax."""
        try:
            return self.validator.is_valid(self.parse(value))
        except ValueError:
            return False


class MediaRule:
    """A body of one media type; ``book`` is the id on the media type, ``root`` the one on its whole schema."""

    def __init__(self, document: Any, name: str, media: Mapping[str, Any], operation: str) -> None:
        self.name = name
        self.json = name.endswith(("/json", "+json"))
        self.schema = inline(document, media.get("schema", True))
        self.book = requirement.of(media, operation)
        self.root = requirement.first([self.schema, *_members(self.schema).get("allOf", [])], operation)
        self.nested = requirement.within(self.schema)
        self.trivial = not self.json and set(_members(self.schema)) <= {"type", "format"}

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """The schema, compiled at its first use; formats are notes, as JSON Schema 2020-12 has it."""
        return jsonschema_rs.Draft202012Validator(self.schema, validate_formats=False)


@dataclass(frozen=True)
class ResponsePlan:
    """One documented response of one operation."""

    operation: str
    status: str
    requirement: str | None
    headers: tuple[HeaderRule, ...]
    content: Mapping[str, MediaRule] | None

    @property
    def type_requirement(self) -> str | None:
        """The id that says that there is a body, of a documented type: the first on a media type."""
        return next((rule.book for rule in (self.content or {}).values() if rule.book), None)

    def media(self, media_type: str) -> MediaRule | None:
        """Return the rule for a media type: its own, or that of the first range that has it."""
        content = self.content or {}
        if media_type in content or not media_type:
            return content.get(media_type)
        return next((rule for name, rule in content.items() if fnmatch(media_type, name)), None)


class OperationPlan:
    """One operation of the document; its responses are compiled as they come."""

    def __init__(self, document: Any, operation: str, path: str, method: str, node: Mapping[str, Any]) -> None:
        self.id = operation
        self.path = path
        self.method = method
        self.requirement = requirement.of(node, operation)
        #: The parameters without which nothing is said of an answer.
        self.given = frozenset(node.get("x-given", ()))
        self._document = document
        self._responses: dict[str, Any] = {str(k): follow(document, v) for k, v in node["responses"].items()}
        self._plans: dict[str, ResponsePlan] = {}
        marks = {requirement.of(response, operation) for response in self._responses.values()}
        #: Whether any documented success shows that the operation's own requirement holds.
        self.shown_by_any_success = self.requirement is not None and self.requirement not in marks

    @property
    def statuses(self) -> list[str]:
        """The documented statuses."""
        return list(self._responses)

    def response(self, status: int) -> ResponsePlan | None:
        """Return what is said of a status: itself, its range or the default; ``None`` if nothing."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self._responses:
                if key not in self._plans:
                    self._plans[key] = self._compile(key, self._responses[key])
                return self._plans[key]
        return None

    def success(self) -> tuple[str | None, list[str]]:
        """Return the one id on the 2xx responses (``None`` if several or none) and their statuses."""
        marked = {
            key: found
            for key, response in self._responses.items()
            if key.startswith("2") and (found := requirement.of(response, self.id))
        }
        ids = set(marked.values())
        return (ids.pop(), list(marked)) if len(ids) == 1 else (None, [])

    def _compile(self, status: str, node: Mapping[str, Any]) -> ResponsePlan:
        headers = tuple(
            _header_rule(self._document, name, follow(self._document, header), self.id)
            for name, header in node.get("headers", {}).items()
        )
        content = None
        if "content" in node:
            content = {name: MediaRule(self._document, name, m, self.id) for name, m in node["content"].items()}
        return ResponsePlan(self.id, status, requirement.of(node, self.id), headers, content)


def operations(document: Mapping[str, Any]) -> Iterator[OperationPlan]:
    """Give each operation; one with ``x-operations`` once for each id that it lists."""
    for path, item in document.get("paths", {}).items():
        resolved = follow(document, item)
        for method in METHODS:
            node = resolved.get(method)
            if node:
                for operation in node.get("x-operations") or [node["operationId"]]:
                    yield OperationPlan(document, operation, path, method, node)


def _header_rule(document: Any, name: str, node: Mapping[str, Any], operation: str) -> HeaderRule:
    if "schema" not in node:
        raise DocumentError(f"header {name} of {operation} has no schema")
    schema = inline(document, node["schema"])
    own, inner = requirement.of(node, operation), requirement.of(schema, operation)
    ask = wording.rule(schema)
    return HeaderRule(
        name=name,
        required=bool(node.get("required", False)),
        missing=own,
        invalid=inner or own,
        expected=f"header {name} {ask}" if ask else f"header {name}",
        parse=_parser(schema, name),
        validator=jsonschema_rs.Draft202012Validator(schema, validate_formats=False),
    )


def _parser(schema: Any, name: str) -> Callable[[str], Any]:
    """Return how OpenAPI's style ``simple`` reads a value of that type."""
    kind = _members(schema).get("type")
    if kind == "integer":
        return int
    if kind == "number":
        return float
    if kind == "boolean":
        return _boolean
    if kind == "array":
        item = _parser(schema.get("items", {}), name)
        return lambda value: [item(part) for part in value.split(",")]
    typed = [part for key in ("allOf", "anyOf", "oneOf") for part in _members(schema).get(key, [])]
    if kind not in {None, "string"} or any(_members(part).get("type", "string") != "string" for part in typed):
        raise DocumentError(f"header {name}: a value of type {kind or 'mixed'} cannot be read")
    return str


def _boolean(value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise ValueError(value)
    return _BOOLEANS[value.lower()]


def _members(schema: Any) -> Mapping[str, Any]:
    return schema if isinstance(schema, dict) else {}
