"""What a body departs in from the schema that the document has for its media type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from conformance.client.http.exchange import Exchange, Response
from conformance.contract import requirement, wording
from conformance.contract.plan import MediaRule, ResponsePlan
from conformance.contract.result import Deviation

#: Larger bodies are never checked: they are content, not protocol.
BODY_LIMIT = 1024 * 1024
#: Errors of one body that are looked at; the rest repeat them.
_ERRORS = 50
_BODILESS = {204, 205, 304}


def is_checked(exchange: Exchange, response: Response) -> bool:
    """Whether the response has a body to look at: it was received, whole, as it is, and is not large."""
    return not (
        exchange.request.method.upper() == "HEAD"
        or response.status in _BODILESS
        or response.streamed
        or len(response.body) > BODY_LIMIT
        or (response.header("Content-Encoding") or "identity").lower() != "identity"
    )


def may_be_absent(plan: ResponsePlan, response: Response) -> bool:
    """Whether an empty body is as good as any: some type takes any bytes, and nothing asks for a body."""
    anything = any(rule.trivial for rule in (plan.content or {}).values())
    return not response.body and anything and not plan.type_requirement


def deviations(plan: ResponsePlan, response: Response, exercised: set[str]) -> Iterator[Deviation]:
    """Give each departure of a body from a plan that documents one."""
    content = plan.content or {}
    if plan.type_requirement:
        exercised.add(plan.type_requirement)
    place = f"{plan.operation}, status {plan.status}, body"
    if not response.body:
        if may_be_absent(plan, response):
            return
        expected = f"a body of type {wording.list_of(content)}"
        yield Deviation("body", plan.type_requirement, expected, "an empty body", place)
        return
    rule = plan.media(response.media_type)
    if rule is None:
        sent = response.header("Content-Type")
        actual = "no Content-Type" if sent is None else f"Content-Type {wording.shorten(sent)}"
        yield Deviation("body", plan.type_requirement, f"Content-Type {wording.list_of(content)}", actual, place)
    elif not rule.trivial:
        yield from _judge(rule, response, plan.operation, place, exercised)


def _judge(rule: MediaRule, response: Response, operation: str, place: str, exercised: set[str]) -> Iterator[Deviation]:
    value: Any = response.json if rule.json else response.body.decode("latin-1")
    if value is None and response.body.strip() != b"null":
        exercised.update([rule.root] if rule.root else [])
        yield Deviation(
            "body", rule.root or rule.book, "a JSON body", f"no JSON: {wording.excerpt(response.body)}", place
        )
        return
    if not rule.nested:
        if not rule.validator.is_valid(value):
            yield from _schema_errors(rule, value, operation, place, {})
        return
    evaluation = rule.validator.evaluate(value)
    if evaluation.valid:
        for note in evaluation.annotations():
            _exercise(note["annotations"], operation, exercised)
        return
    marks: dict[str, str] = {}
    for unit in evaluation.list()["details"]:
        notes = unit.get("annotations", unit.get("droppedAnnotations"))
        found = _exercise(notes, operation, exercised)
        if found:
            marks[unit["evaluationPath"]] = found
    yield from _schema_errors(rule, value, operation, place, marks)


def _exercise(notes: Any, operation: str, exercised: set[str]) -> str | None:
    found = requirement.of(notes, operation)
    if found:
        exercised.add(found)
    return found


def _schema_errors(
    rule: MediaRule, value: Any, operation: str, place: str, marks: Mapping[str, str]
) -> Iterator[Deviation]:
    for error in islice(rule.validator.iter_errors(value), _ERRORS):
        keyword = error.kind.name
        path = list(error.evaluation_path)
        node: Any = error.instance
        asked = _follow(rule.schema, path)
        where = wording.member(error.instance_path)
        if keyword == "required":
            missed = error.kind.property  # type: ignore[attr-defined]  # the kind of this keyword has it
            member = _follow(rule.schema, [*path[:-1], "properties", missed])
            booked = requirement.of(member, operation) or _nearest(path, marks)
            whole = "" if where == "the body" else f" in {where}"
            yield Deviation("body", booked, wording.missing(missed) + whole, wording.members(node), place)
            continue
        expected = f"{where} {wording.keyword_rule(keyword, asked)}"
        yield Deviation("body", _nearest(path, marks), expected, wording.quoted(node), place)


def _nearest(path: Sequence[str | int], marks: Mapping[str, str]) -> str | None:
    """Return the id at the error's place or the nearest above it, up to the root of the schema."""
    for end in range(len(path), -1, -1):
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path[:end])
        if pointer in marks:
            return marks[pointer]
    return None


def _follow(schema: Any, path: Sequence[str | int]) -> Any:
    """Return what stands at a path of the schema, or ``None``."""
    node = schema
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node
