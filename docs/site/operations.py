"""The pages of the OpenAPI document: operations, schemas, and shared parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from docs.site.contract import Answer, Body, Field, View, brief, ids
from docs.site.facts import Facts
from docs.site.markdown import code, contents, dropdown, entry, fields, prose, role, roles, table
from spec.catalogue import Catalogue


def pages(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the pages by name."""
    rows = [
        [role("operation", view.name), code(_request(view)), prose(view.summary, facts.known)] for view in facts.views
    ]
    yield (
        "operations",
        "# Operations\n\nThe operations of the API in the words of the OpenAPI document. "
        "[The OpenAPI document](openapi.md) shows the same with examples.\n\n"
        + table(("Operation", "Request", "What it does"), rows)
        + "\n"
        + contents(f"{view.name} <operations/{view.name}>" for view in facts.views),
    )
    for view in facts.views:
        yield f"operations/{view.name}", _Page(facts, view).text()
    yield "schemas", _schemas(facts)


def _request(view: View) -> str:
    path = "the URL of a listener" if view.operation.webhook else view.operation.path
    return f"{view.operation.method.upper()} {path}"


def _where(parameter: Field) -> str:
    return parameter.where + (", required" if parameter.required else "")


class _Page:
    """The page of one operation."""

    def __init__(self, facts: Facts, view: View) -> None:
        self.facts = facts
        self.known: Catalogue = facts.known
        self.view = view
        self.schemas = facts.reader.schemas()

    def text(self) -> str:
        view = self.view
        about = prose(view.description, self.known)
        booked = fields([("Requirements", roles("req", view.ids))])
        told = entry("operation", view.name, f"{code(_request(view))}\n\n{about}\n\n{booked}")
        forms = [name for name in view.operation.ids if name != view.name]
        others = "\n".join(entry("operation", name, f"A form of {role('operation', view.name)}.") for name in forms)
        answers = "\n".join(self._answer(answer) for answer in view.answers)
        parts = [f"# {view.summary or view.name}", told, others]
        if view.parameters:
            rows = [[code(p.name), _where(p), self._say(p), self._form(p)] for p in view.parameters]
            parts += ["## Parameters", table(("Name", "In", "Meaning", "Form"), rows)]
        if view.request:
            parts += ["## Body of the request", self._bodies(view.request)]
        parts += ["## Answers", answers, "## Requirements", self._asked()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _say(self, field: Field) -> str:
        required = " (required)" if field.required and not field.where else ""
        return prose(field.description, self.known) + required

    def _form(self, field: Field) -> str:
        return role("schema", field.schema) if field.schema in self.schemas else code(field.schema)

    def _answer(self, answer: Answer) -> str:
        text = f"### {answer.status}\n\n{prose(answer.description, self.known)}\n\n"
        if answer.shared:
            return text + f"See {role('part', answer.shared)}.\n"
        told = [header for header in answer.headers if not header.plain]
        rows = [[code(h.name), self._say(h), self._form(h), roles("req", h.ids)] for h in told]
        text += fields([("Requirements", roles("req", answer.ids))]) + "\n"
        text += table(("Header", "Meaning", "Form", "Requirements"), rows) + "\n"
        plain = [f"{code(h.name)} ({role('part', h.shared)})" for h in answer.headers if h.plain]
        if plain:
            text += f"{'Also' if told else 'Headers'}: {', '.join(plain)}.\n\n"
        return text + self._bodies(answer.bodies)

    def _bodies(self, bodies: Iterable[Body]) -> str:
        rows = [[code(b.media_type), roles("schema", b.schemas), roles("req", b.ids)] for b in bodies]
        return table(("Body", "Schemas", "Requirements"), rows)

    def _asked(self) -> str:
        own = set(self.view.operation.ids)
        found = {
            title: [r.id for r in self.known.category(name) if own & set(r.operations)]
            for name, title in self.facts.categories.items()
        }
        return fields((title, roles("req", names)) for title, names in found.items())


def _schemas(facts: Facts) -> str:
    reader = facts.reader
    schemas = "\n".join(_schema(facts, name, node) for name, node in reader.schemas().items())
    parts = "\n".join(_part(facts, kind, name, node) for kind, name, node in reader.parts())
    return f"""# Schemas

What operations have in common. `x-requirement` names the requirement to which a departure at its place is booked.

## Schemas of bodies and headers

{schemas}

## Shared headers and answers

{parts}"""


def _part(facts: Facts, kind: str, name: str, node: Any) -> str:
    about = prose(str(node.get("description", "")), facts.known)
    return entry("part", name, f"{kind.removesuffix('s').capitalize()}: {about}\n\n{_source(node)}")


def _schema(facts: Facts, name: str, node: Any) -> str:
    known = facts.reader.schemas()
    rows = [
        [
            code(path),
            role("schema", form) if form in known else code(form),
            prose(about, facts.known),
            roles("req", names),
        ]
        for path, form, about, names in _members(node, "")
    ]
    about = prose(str(node.get("description", "") or node.get("title", "")), facts.known)
    body = f"{about}\n\n{fields([('Requirements', roles('req', ids(node)))])}\n"
    members = table(("Member", "Form", "Meaning", "Requirements"), rows)
    return entry("schema", name, f"{body}{members}\n{_source(node)}")


def _source(node: Any) -> str:
    text = json.dumps(node, ensure_ascii=False, indent=2)
    return dropdown("As JSON", f"```json\n{text}\n```")


def _members(node: Any, path: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Give the members of a schema at any depth: path, form, meaning and requirements."""
    if not isinstance(node, dict):
        return
    for name, child in node.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        form, about = brief(child), str(child.get("description", ""))
        if form or about or ids(child):
            yield here, form, about, ids(child)
        yield from _members(child, here)
    yield from _members(node.get("items"), f"{path}[]")
    for key in ("allOf", "anyOf", "oneOf"):
        for part in node.get(key, ()):
            yield from _members(part, path)
