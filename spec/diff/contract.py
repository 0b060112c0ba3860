"""What changed in the OpenAPI document: statuses, headers, media types, parameters and schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spec import document, trace
from spec.diff.changes import Asks, Change, Kind
from spec.diff.schemas import Decision, Way, decide, differences, plain

_SCHEMAS = "#/components/schemas/"
#: A place: an operation, then a parameter, a request, or a status with its headers and types.
_Key = tuple[str, ...]
#: How many steps of a place name the place above it, by the steps that it has.
_ABOVE = {5: 3, 4: 1, 3: 1}


@dataclass(frozen=True, slots=True)
class _Part:
    """A place of an operation; ``answer`` tells what a registry sends from what a client does."""

    what: str
    node: Mapping[str, Any]
    answer: bool


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Give each change of two bundled documents; one that several places share, once."""
    compared = _Comparison(old, new)
    found: dict[Change, list[str]] = {}
    for key in dict.fromkeys((*compared.after, *compared.before)):
        booked = compared.booked(key)
        for change in compared.place(key):
            found.setdefault(replace(change, requirements=booked), []).append(key[0])
    for change, operations in found.items():
        places = tuple(dict.fromkeys(operations))
        subject = change.subject if change.subject == "operation" else f"{change.subject} of"
        yield replace(change, subject=f"{subject} {', '.join(places)}", places=places, document=True)
    yield from compared.schemas()


class _Comparison:
    """Two bundled documents, place by place."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.before, self.after = _parts(old), _parts(new)
        self._new = new
        self._components = (old.get("components", {}), new.get("components", {}))

    def place(self, key: _Key) -> Iterator[Change]:
        """Give what changed at one place."""
        old, new = self.before.get(key), self.after.get(key)
        if old is None or new is None:
            yield from self._appeared(old, new, key)
            return
        marks = old.node.get(trace.KEY), new.node.get(trace.KEY)
        if marks[0] != marks[1]:
            yield Change(Kind.BOOKED, Asks.OTHERWISE, new.what, _mark(marks[0]), _mark(marks[1]))
        if bool(old.node.get("required")) != bool(new.node.get("required")):
            tighter = bool(new.node.get("required"))
            asks = Asks.NOTHING if not new.answer else Asks.MORE if tighter else Asks.LESS
            words = ("optional", "required") if tighter else ("required", "optional")
            yield Change(Kind.TIGHTENED if tighter else Kind.LOOSENED, asks, new.what, *words)
        schemas = old.node.get("schema", {}), new.node.get("schema", {})
        decision = decide(*schemas, self._components, _examples(old, new))
        yield from _decided(decision, f"schema of {new.what}", new.answer)

    def booked(self, key: _Key) -> tuple[str, ...]:
        """Give the requirements that a departure at a place is booked to."""
        parts = [found for found in (self.before.get(key), self.after.get(key)) if found is not None]
        return tuple(dict.fromkeys(name for part in parts for name in _ids(part.node)))

    def _appeared(self, old: _Part | None, new: _Part | None, key: _Key) -> Iterator[Change]:
        """Give the change of a place that one document alone has; what stands below it goes without saying."""
        part, fresh = (old, False) if old is not None else (new, True)
        parent = key[: _ABOVE.get(len(key), 0)]
        if part is None or (parent and (parent in self.before) != (parent in self.after)):
            return
        asks = Asks.NOTHING
        if part.answer and "header" in key[3:4]:
            schema = plain(part.node.get("schema", {}))
            if part.node.get("required") or schema not in ({}, {"type": "string"}):
                asks = Asks.MORE if fresh else Asks.LESS
        elif part.answer and len(key) > 1 and not self._in_range(key, self.before if fresh else self.after):
            # An answer of that status or type departed from the document before, or does so now.
            asks = Asks.LESS if fresh else Asks.MORE
        kind = {Asks.MORE: Kind.TIGHTENED, Asks.LESS: Kind.LOOSENED}.get(
            asks, Kind.EXTENDED if fresh else Kind.FORGOTTEN
        )
        yield Change(kind, asks, part.what, "" if fresh else "described", "described" if fresh else "")

    def _in_range(self, key: _Key, parts: Mapping[_Key, _Part]) -> bool:
        """Whether the other document has a status by its range."""
        return len(key) == 3 and (*key[:2], f"{key[2][0]}XX") in parts

    def schemas(self) -> Iterator[Change]:
        """Give what changed in the schemas that places refer to."""
        before, after = (each.get("schemas", {}) for each in self._components)
        values = [value for part in (*self.before.values(), *self.after.values()) for value in _examples(part)]
        for name in after:
            if name not in before:
                continue
            uses = _uses(self._new, self.after, name)
            places = tuple(dict.fromkeys(operation for operation, _ in uses))
            decision = decide(before[name], after[name], self._components, values)
            booked = _booked(before[name], after[name])
            for change in _decided(decision, f"schema {name}", any(answer for _, answer in uses)):
                yield replace(change, places=places, document=True, requirements=booked)
            marks = _marks(before[name]), _marks(after[name])
            if marks[0] != marks[1]:
                before_told, now_told = (", ".join(each) for each in marks)
                yield Change(
                    Kind.BOOKED, Asks.OTHERWISE, f"schema {name}", before_told, now_told, places=places, document=True
                )


def _parts(bundled: Mapping[str, Any]) -> dict[_Key, _Part]:
    """Give each place of each operation by its path: operation, part, name, and so on."""
    found: dict[_Key, _Part] = {}
    for operation in document.operations(bundled):
        name = operation.id
        found[(name,)] = _Part("operation", {trace.KEY: operation.node.get(trace.KEY)}, answer=True)
        item = bundled["webhooks" if operation.webhook else "paths"][operation.path]
        for raw in (*item.get("parameters", ()), *operation.node.get("parameters", ())):
            node = _follow(bundled, raw)
            found[name, "parameter", node["in"], node["name"]] = _Part(f"parameter {node['name']}", node, answer=False)
        for kind, node in _content(bundled, operation.node.get("requestBody", {})):
            found[name, "request", kind] = _Part(f"request of type {kind}", node, answer=False)
        for status, raw in operation.node["responses"].items():
            node = _follow(bundled, raw)
            what = f"status {status}"
            found[name, "status", status] = _Part(what, {trace.KEY: node.get(trace.KEY)}, answer=True)
            for header, value in node.get("headers", {}).items():
                path = (name, "status", status, "header", header.lower())
                found[path] = _Part(f"header {header} of {what}", _follow(bundled, value), answer=True)
            for kind, media_type in _content(bundled, node):
                path = (name, "status", status, "type", kind)
                found[path] = _Part(f"type {kind} of {what}", media_type, answer=True)
    return found


def _content(bundled: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from _follow(bundled, node).get("content", {}).items()


def _follow(bundled: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while isinstance(reference := node.get("$ref"), str):
        target: Any = bundled
        for step in reference.removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = {**target, **{key: value for key, value in node.items() if key.startswith("x-")}}
    return node


def _decided(decision: Decision, subject: str, answer: bool) -> Iterator[Change]:
    if decision.way is Way.SAME:
        return
    kind = {Way.TIGHTENED: Kind.TIGHTENED, Way.LOOSENED: Kind.LOOSENED}.get(decision.way, Kind.CHANGED)
    asks = {Way.TIGHTENED: Asks.MORE, Way.LOOSENED: Asks.LESS}.get(decision.way, Asks.OTHERWISE)
    yield Change(kind, asks if answer else Asks.NOTHING, subject, why=decision.why)


def _uses(bundled: Mapping[str, Any], parts: Mapping[_Key, _Part], name: str) -> list[tuple[str, bool]]:
    """Give the operations whose parts refer to a schema, directly or by others, and whether an answer does."""
    names = {name}
    schemas = bundled["components"]["schemas"]
    while more := {other for other, schema in schemas.items() if other not in names and names & _references(schema)}:
        names |= more
    return [(key[0], part.answer) for key, part in parts.items() if names & _references(part.node)]


def _references(node: Any) -> set[str]:
    if isinstance(node, Mapping):
        own = node.get("$ref")
        found = (
            {own.removeprefix(_SCHEMAS).split("/")[0]} if isinstance(own, str) and own.startswith(_SCHEMAS) else set()
        )
        return found.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()


def _marks(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        own = [_mark(node[trace.KEY])] if trace.KEY in node else []
        return sorted([*own, *(mark for value in node.values() for mark in _marks(value))])
    return sorted(mark for item in node for mark in _marks(item)) if isinstance(node, list) else []


def _ids(node: Any) -> list[str]:
    """Give the ids in a node, one by one."""
    if isinstance(node, Mapping):
        own = node.get(trace.KEY)
        found = [*map(str, own.values())] if isinstance(own, Mapping) else [str(own)] if own else []
        return [*found, *(name for key, value in node.items() if key != trace.KEY for name in _ids(value))]
    return [name for item in node for name in _ids(item)] if isinstance(node, list) else []


def _booked(old: Any, new: Any) -> tuple[str, ...]:
    """Give the ids that stand nearest above the places in which two schemas differ, or below them."""
    found: dict[str, None] = {}
    for pointer in differences(plain(old), plain(new)):
        nearest: list[str] = []
        for node in (old, new):
            here, above = node, [] if not isinstance(node, Mapping) else _own(node)
            for step in pointer.strip("/").split("/"):
                here = _step(here, step)
                above = _own(here) or above
            nearest += [*above, *_ids(here)]
        found.update(dict.fromkeys(nearest))
    return tuple(found)


def _own(node: Any) -> list[str]:
    return _ids({trace.KEY: node[trace.KEY]}) if isinstance(node, Mapping) and trace.KEY in node else []


def _step(node: Any, step: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(step)
    return node[int(step)] if isinstance(node, list) and step.isdigit() and int(step) < len(node) else None


def _mark(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {identifier}" for name, identifier in value.items())
    return str(value or "")


def _examples(*parts: _Part) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        found += [part.node["example"]] if "example" in part.node else []
        found += [each["value"] for each in part.node.get("examples", {}).values() if "value" in each]
    return found
