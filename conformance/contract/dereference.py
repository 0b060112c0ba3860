"""Replace the references of an OpenAPI document by what they refer to."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

#: Keywords that say nothing of an instance; beside a reference they may be merged into its target.
_NOTES = frozenset({"description", "title", "summary", "example", "examples", "deprecated", "$comment"})
#: Identify a schema file, and would change the meaning of references once it is merged.
_IDENTITY = frozenset({"$id", "$schema", "$anchor"})


class DocumentError(Exception):
    """The OpenAPI document cannot be compiled; the sentence says where and why."""


def lookup(document: Any, pointer: str) -> Any:
    """Return what a local reference such as ``#/components/schemas/errors`` names.

    Raises:
        DocumentError: the reference leaves the document or leads nowhere.
    """
    if not pointer.startswith("#/"):
        raise DocumentError(f"reference {pointer} leaves the bundled document")
    node = document
    for part in pointer[2:].split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise DocumentError(f"reference {pointer} names nothing") from None
    return node


def follow(document: Any, node: Any) -> Any:
    """Resolve a reference object (of a path, response or header); ``x-`` members beside it override."""
    seen: set[str] = set()
    while isinstance(node, dict) and "$ref" in node:
        pointer = node["$ref"]
        if pointer in seen:
            raise DocumentError(f"reference {pointer} refers to itself")
        seen.add(pointer)
        target = lookup(document, pointer)
        beside = {key: value for key, value in node.items() if key.startswith("x-")}
        node = {**target, **beside} if beside else target
    return node


def inline(document: Any, schema: Any, trail: tuple[str, ...] = ()) -> Any:
    """Return a schema without references.

    Raises:
        DocumentError: the schema refers to itself; bodies of a registry are not recursive.
    """
    if isinstance(schema, list):
        return [inline(document, item, trail) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if not isinstance(schema.get("$ref"), str):
        return {key: inline(document, value, trail) for key, value in schema.items() if key not in _IDENTITY}
    pointer = schema["$ref"]
    if pointer in trail:
        raise DocumentError(f"schema {pointer} refers to itself")
    target = inline(document, lookup(document, pointer), (*trail, pointer))
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    if not beside:
        return target
    if isinstance(target, dict) and all(key in _NOTES for key in beside):
        return {**target, **beside}
    rest = inline(document, beside, trail)
    return {**rest, "allOf": [target, *rest.get("allOf", [])]}
