"""The OpenAPI document for its reader: operations with their requests and responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spec.document import Operation, operations
from spec.trace import KEY

_SCHEMAS = "#/components/schemas/"
_PARTS = "#/components/"
#: What a schema asks of a value, in the order in which it is told.
_LIMITS = {
    "const": "exactly {}",
    "enum": "one of {}",
    "pattern": "matching {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "of {} characters at least",
    "maxLength": "of {} characters at most",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A header or a parameter. ``shared`` names the part of the document that describes it."""

    name: str
    description: str
    required: bool
    schema: str
    ids: tuple[str, ...]
    where: str = ""
    shared: str = ""

    @property
    def plain(self) -> bool:
        """Whether its name suffices, as it is optional and described among the shared parts."""
        return bool(self.shared) and not self.required


@dataclass(frozen=True, slots=True)
class Body:
    """A media type of a request or a response, with the schemas of its content."""

    media_type: str
    schemas: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response by its status."""

    status: str
    description: str
    ids: tuple[str, ...]
    headers: tuple[Field, ...]
    bodies: tuple[Body, ...]
    shared: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One operation."""

    operation: Operation
    summary: str
    description: str
    ids: tuple[str, ...]
    parameters: tuple[Field, ...]
    request: tuple[Body, ...]
    answers: tuple[Answer, ...]

    @property
    def name(self) -> str:
        """The id."""
        return self.operation.id


class Reader:
    """Reads a bundled document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Begin with the whole document, in which references are looked up."""
        self.document = document

    def views(self) -> list[View]:
        """Give every operation, in the order of the document."""
        return [self._view(operation) for operation in operations(self.document)]

    def schemas(self) -> dict[str, Any]:
        """Give the schemas by name, sorted."""
        return dict(sorted(self.document.get("components", {}).get("schemas", {}).items()))

    def parts(self) -> list[tuple[str, str, Any]]:
        """Give the shared headers and responses: their kind, name and content."""
        components = self.document.get("components", {})
        return [
            (kind, name, node) for kind in ("headers", "responses") for name, node in components.get(kind, {}).items()
        ]

    def codes(self) -> list[str]:
        """Give the registered error codes, from the schema that enumerates BLOB_UNKNOWN."""
        found = {value for each in _enums(self.schemas().get("errors")) if "BLOB_UNKNOWN" in each for value in each}
        return sorted(found)

    def _view(self, operation: Operation) -> View:
        node = operation.node
        item = self.document["webhooks" if operation.webhook else "paths"][operation.path]
        parameters = [*item.get("parameters", ()), *node.get("parameters", ())]
        return View(
            operation=operation,
            summary=str(node.get("summary", "")),
            description=str(node.get("description", "")),
            ids=ids(node),
            parameters=tuple(self._parameter(each) for each in parameters),
            request=tuple(self._bodies(self._resolve(node.get("requestBody", {})).get("content", {}))),
            answers=tuple(self._answer(str(status), each) for status, each in node.get("responses", {}).items()),
        )

    def _parameter(self, node: Any) -> Field:
        found = self._resolve(node)
        return Field(
            name=str(found.get("name", "")),
            description=str(found.get("description", "")),
            required=bool(found.get("required")),
            schema=brief(found.get("schema", {})),
            ids=ids(found),
            where=str(found.get("in", "")),
        )

    def _answer(self, status: str, node: Any) -> Answer:
        found = self._resolve(node)
        # A shared response with a description of its own is shown by that, and its parts by a link.
        shared = _name(node, f"{_PARTS}responses/")
        return Answer(
            status=status,
            description=str(found.get("description", "")),
            ids=ids(found),
            headers=()
            if shared
            else tuple(self._header(name, each) for name, each in found.get("headers", {}).items()),
            bodies=() if shared else tuple(self._bodies(found.get("content", {}))),
            shared=shared,
        )

    def _header(self, name: str, node: Any) -> Field:
        found = self._resolve(node)
        schema = found.get("schema", {})
        return Field(
            name=name,
            description=str(found.get("description", "")),
            required=bool(found.get("required")),
            schema=brief(schema),
            ids=tuple(dict.fromkeys((*ids(found), *_within(schema)))),
            shared=_name(node, f"{_PARTS}headers/"),
        )

    def _bodies(self, content: Mapping[str, Any]) -> Iterator[Body]:
        for media_type, node in content.items():
            schema = node.get("schema", {})
            names = tuple(dict.fromkeys(_references(schema)))
            yield Body(media_type, names, tuple(dict.fromkeys((*ids(node), *_within(schema)))))

    def _resolve(self, node: Any) -> dict[str, Any]:
        if not isinstance(node, dict):
            return {}
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return node
        target: Any = self.document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return {**self._resolve(target), **{key: value for key, value in node.items() if key != "$ref"}}


def ids(node: Any) -> tuple[str, ...]:
    """Give the requirements to which a departure at a place is booked, whatever the operation."""
    value = node.get(KEY) if isinstance(node, dict) else None
    return tuple(dict.fromkeys(value.values())) if isinstance(value, dict) else () if value is None else (str(value),)


def brief(schema: Any) -> str:
    """Say in a few words what a schema asks; only its name, where it has one."""
    if not isinstance(schema, dict):
        return ""
    name = _name(schema, _SCHEMAS)
    if name:
        return name
    kind = schema.get("type", "")
    words = [" or ".join(kind) if isinstance(kind, list) else str(kind)]
    if kind == "array":
        words.append(f"of {brief(schema.get('items', {}))}".removesuffix("of "))
    for key, text in _LIMITS.items():
        value = schema.get(key)
        if (key, value) == ("minLength", 1):
            words.append("that is not empty")
        elif key in schema:
            words.append(text.format(", ".join(map(str, value)) if isinstance(value, list) else value))
    return " ".join(word for word in words if word)


def _name(node: Any, prefix: str) -> str:
    reference = node.get("$ref", "") if isinstance(node, dict) else ""
    return reference.removeprefix(prefix).partition("/")[0] if reference.startswith(prefix) else ""


def _children(node: Any) -> Iterator[Any]:
    yield from node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _within(node: Any) -> Iterator[str]:
    yield from ids(node)
    for child in _children(node):
        yield from _within(child)


def _references(node: Any) -> Iterator[str]:
    name = _name(node, _SCHEMAS)
    if name:
        yield name
    for child in _children(node):
        yield from _references(child)


def _enums(node: Any) -> Iterator[list[str]]:
    if isinstance(node, dict) and isinstance(node.get("enum"), list):
        yield node["enum"]
    for child in _children(node):
        yield from _enums(child)
