"""Each operation of the OpenAPI document has a description and valid examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spec import document
from spec.document import Operation

DOCUMENT = document.load()
OPERATIONS = list(document.operations(DOCUMENT))


def _resolve(node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = DOCUMENT
        for step in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _shown(operation: Operation) -> Iterator[tuple[str, Any, list[Any]]]:
    """Give each part of an operation that may have examples: place, schema and examples."""
    item = DOCUMENT["webhooks" if operation.webhook else "paths"][operation.path]
    for parameter in map(_resolve, [*item.get("parameters", ()), *operation.node.get("parameters", ())]):
        yield f"parameter {parameter['name']}", parameter["schema"], _examples(parameter)
    for kind, media in _resolve(operation.node.get("requestBody", {})).get("content", {}).items():
        yield f"request {kind}", media["schema"], _examples(media)
    for status, answer in ((status, _resolve(node)) for status, node in operation.node["responses"].items()):
        for name, header in answer.get("headers", {}).items():
            yield f"{status} {name}", _resolve(header)["schema"], _examples(_resolve(header))
        for kind, media in answer.get("content", {}).items():
            yield f"{status} {kind}", media["schema"], _examples(media)


def _examples(node: Any) -> list[Any]:
    several = [_resolve(each)["value"] for each in node.get("examples", {}).values()]
    return [node["example"], *several] if "example" in node else several


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_is_described_and_shown(operation: Operation) -> None:
    assert operation.node["summary"]
    assert operation.node["description"]
    shown = list(_shown(operation))
    assert any(examples for place, _, examples in shown if place[0].isdigit() or operation.webhook)
    assert not [place for place, schema, examples in shown if not examples and not _free(place, schema, shown)]


def _free(place: str, schema: Any, shown: list[tuple[str, Any, list[Any]]]) -> bool:
    """Whether a body may be anything, beside one of the same answer or request that is shown."""
    of, _, kind = place.partition(" ")
    refused = of[0] in "45" and kind == "*/*"
    return schema == {} and (refused or any(other.startswith(f"{of} ") and "/" in other for other, _, e in shown if e))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_examples_are_what_the_document_describes(operation: Operation) -> None:
    for place, schema, examples in _shown(operation):
        validator = Draft202012Validator({**DOCUMENT, **_rooted(schema)})
        for example in examples:
            told = [error.message for error in validator.iter_errors(example)]
            assert not told, place


def _rooted(schema: Any) -> dict[str, Any]:
    """Give a schema that stands beside the components that it refers to."""
    return {"allOf": [schema]}
