"""Whether the OpenAPI document and the catalogue hold on to each other.

Each parameter, status, header, media type and schema of the document carries an ``x-requirement``,
or an ``x-no-requirement`` with the reason why it carries none. The statuses that requirements state
are those that the document has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spec import document, trace
from spec.catalogue import Catalogue
from spec.document import Bundler, Operation
from spec.marks import Problem

#: Says why a place of the document carries no requirement.
REASON = "x-no-requirement"

#: How a statement names a status that is asked for.
_ANSWERED = re.compile(r"(?<!not )answered (?:it |either )?(?:with |by |in )?(\d{3})\b(?: or (?:with )?(\d{3})\b)?")
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of the bundled document, references followed, with its own path there."""

    value: Any
    path: _Path


class Ties:
    """The ties of one bundled document to one catalogue."""

    def __init__(self, bundler: Bundler, bundled: Mapping[str, Any], known: Catalogue) -> None:
        """Keep what is to be compared; ``bundler`` knows the files and lines."""
        self._bundler = bundler
        self._bundled = bundled
        self._known = known

    def problems(self) -> Iterator[Problem]:
        """Give each place that is not tied, and each status that one side alone has."""
        for operation in document.operations(self._bundled):
            base: _Path = ("webhooks" if operation.webhook else "paths", operation.path)
            yield from self._parameters(base, operation)
            for name, node in self._children((*base, operation.method, "requestBody", "content")):
                yield from self._media_type(node, name, operation, "request")
            for status, node in self._children((*base, operation.method, "responses")):
                yield from self._response(node, status, operation)
        yield from self._statuses()
        yield from self._reasons()

    # -- places

    def _parameters(self, base: _Path, operation: Operation) -> Iterator[Problem]:
        for path in ((*base, "parameters"), (*base, operation.method, "parameters")):
            for _, node in self._children(path):
                what = f"parameter {node.value.get('name')} of {operation.id}"
                if trace.KEY in node.value:
                    yield self._problem(node, f"{what} has an {trace.KEY}, though no exchange decides by a parameter")
                elif not _reason(node.value):
                    yield self._untied(node, what)

    def _response(self, node: _Node, status: str, operation: Operation) -> Iterator[Problem]:
        what = f"status {status} of {operation.id}"
        yield from self._tied(node, what, operation)
        for name, header in self._children((*node.path, "headers")):
            yield from self._tied(header, f"header {name} in {what}", operation, also=("schema",))
        for name, media_type in self._children((*node.path, "content")):
            yield from self._media_type(media_type, name, operation, what)

    def _media_type(self, node: _Node, name: str, operation: Operation, of: str) -> Iterator[Problem]:
        what = f"media type {name} in {of}" + ("" if operation.id in of else f" of {operation.id}")
        yield from self._tied(node, what, operation, also=("schema",))
        schema = self._follow((*node.path, "schema"))
        if schema is not None and schema.value and not (_reason(schema.value) or _marked(schema.value)):
            yield self._untied(schema, f"schema of {what}")

    def _tied(self, node: _Node, what: str, operation: Operation, also: tuple[str, ...] = ()) -> Iterator[Problem]:
        inner = next((found for name in also if (found := self._follow((*node.path, name))) is not None), None)
        marked = node.value.get(trace.KEY)
        if isinstance(marked, Mapping):
            left = [name for name in operation.ids if name not in marked]
            if left and not _reason(node.value):
                yield self._problem(node, f"{what} has no {trace.KEY} for {', '.join(left)}: {REASON} has to say why")
        elif marked is not None:
            if _reason(node.value):
                yield self._problem(node, f"{what} has both {trace.KEY} and {REASON}")
        elif not _reason(node.value) and not (inner and (_marked(inner.value) or _reason(inner.value))):
            yield self._untied(node, what)

    def _reasons(self) -> Iterator[Problem]:
        """Check the ids that reasons speak of."""
        for marked in self._bundler.files.values():
            for text, path in _texts(marked.value, ()):
                for name in trace.ID.findall(text):
                    if name not in self._known:
                        yield marked.problem(f"{REASON} names nothing: {name}", *path)

    # -- statuses

    def _statuses(self) -> Iterator[Problem]:
        found = {name: operation for operation in document.operations(self._bundled) for name in operation.ids}
        stated: dict[tuple[str, str], str] = {}
        for requirement in self._known:
            for name, statuses in requirement.statuses.items():
                operation = found.get(name)
                for status in map(str, statuses):
                    stated[name, status] = requirement.id
                    if operation is not None and not _documented(operation, status):
                        message = (
                            f"{requirement.id} states {status} for {name}, which the OpenAPI document does not have"
                        )
                        yield Problem(requirement.file, requirement.line, message)
        for operation in {each.id: each for each in found.values()}.values():
            base: _Path = ("webhooks" if operation.webhook else "paths", operation.path, operation.method, "responses")
            for status, node in self._children(base):
                yield from self._stated(node, status, operation, stated)

    def _stated(
        self, node: _Node, status: str, operation: Operation, stated: Mapping[tuple[str, str], str]
    ) -> Iterator[Problem]:
        if not (status.startswith("2") and status.isdigit()):
            return
        if not _reason(node.value) and not any((name, status) in stated for name in operation.ids):
            yield self._problem(node, f"no requirement states {status} for {operation.id}")
        marked = node.value.get(trace.KEY)
        marks = marked if isinstance(marked, Mapping) else dict.fromkeys(operation.ids, marked)
        for name, identifier in marks.items():
            requirement = self._known.requirements.get(str(identifier))
            if requirement is not None and int(status) not in requirement.statuses.get(name, ()):
                message = f"{identifier} is on status {status} of {name}, which its entry does not state"
                yield self._problem(node, message)

    # -- the bundled document

    def _children(self, path: _Path) -> Iterator[tuple[str, _Node]]:
        node = self._follow(path)
        value = node.value if node else {}
        keys: Iterable[str | int] = value if isinstance(value, Mapping) else range(len(value))
        for key in keys:
            found = self._follow((*path, key))
            if found is not None:
                yield str(key), found

    def _follow(self, path: _Path) -> _Node | None:
        """Give what is at a path; where that is a reference, what it leads to, with what stands beside it."""
        node: Any = self._bundled
        for step in path:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return None
        if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
            return _Node(node, path)
        steps = [step.replace("~1", "/").replace("~0", "~") for step in node["$ref"].removeprefix("#/").split("/")]
        target = self._follow(tuple(steps))
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _Node({**target.value, **beside}, path if trace.KEY in beside else target.path) if target else None

    def _untied(self, node: _Node, what: str) -> Problem:
        if node.path[0] == "components":  # the same for each operation that uses it
            what = "/".join(map(str, node.path))
        return self._problem(node, f"{what} has neither {trace.KEY} nor {REASON}")

    def _problem(self, node: _Node, message: str) -> Problem:
        return Problem(*self._bundler.locate(node.path), message)


def answered(statement: str) -> list[int]:
    """Give the statuses that a statement asks for, in ascending order."""
    return sorted({int(status) for found in _ANSWERED.findall(statement) for status in found if status})


def _reason(node: Mapping[str, Any]) -> bool:
    return isinstance(text := node.get(REASON), str) and bool(text.strip())


def _marked(schema: Any) -> bool:
    """Whether a departure from a schema is booked: at its root, or at a part that holds it whole."""
    if not isinstance(schema, Mapping):
        return False
    return trace.KEY in schema or any(_marked(part) for part in schema.get("allOf", ()))


def _documented(operation: Operation, status: str) -> bool:
    """Whether an operation has a status; a refusal may be documented by its range."""
    responses = {str(key) for key in operation.node["responses"]}
    return status in responses or (status >= "4" and f"{status[0]}XX" in responses)


def _texts(node: Any, path: _Path) -> Iterator[tuple[str, _Path]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == REASON and isinstance(value, str):
                yield value, (*path, key)
            else:
                yield from _texts(value, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _texts(item, (*path, index))
